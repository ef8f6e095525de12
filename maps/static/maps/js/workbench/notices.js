// @ts-check
/**
 * Saying something over the map. What went wrong stays until it is put away or the next step; what went well goes by itself.
 *
 * @import { Position } from "./geometry.js"
 *
 * @typedef {{isWrong?: boolean, where?: Position | null, link?: {text: string, run: () => void}}} How
 */

import { ApiError } from "../api.js";
import { make, part } from "./dom.js";
import { EditError } from "./geometry.js";
import { say } from "./words.js";

const STAY_MS = 8000;

/** @type {(at: Position) => void} */
let lead = () => {};

/** Say how to show a place on the map. @param {(at: Position) => void} run */
export const leadBy = (run) => void (lead = run);

/**
 * @param {string} text
 * @param {How} [how]
 */
export function notify(text, { isWrong = false, where = null, link } = {}) {
  const line = make("p", { className: isWrong ? "notice-line is-wrong" : "notice-line" }, make("span", {}, text));
  /** @param {string} name @param {() => void} run @param {Record<string, string>} [properties] */
  const button = (name, run, properties = {}) => {
    const made = make("button", { type: "button", className: "link", ...properties }, name);
    made.addEventListener("click", run);
    line.append(made);
  };
  if (where) button(say("show"), () => lead(where));
  if (link) button(link.text, link.run);
  button("×", () => line.remove(), { className: "close", "aria-label": say("close") });
  part("notices").replaceChildren(line);
  if (!isWrong) setTimeout(() => line.remove(), STAY_MS);
}

export const silent = () => part("notices").replaceChildren();

/** Tell those who listen. @param {string} text */
export const announce = (text) => void (part("announcer").textContent = text);

/**
 * Say an error in the reader's words.
 * @param {unknown} error
 */
export function explained(error) {
  if (error instanceof ApiError && error.status === 0) return say("unreachable");
  if (!(error instanceof EditError)) return error instanceof Error ? error.message : String(error);
  const text = say(`error-${error.code}`, error.params);
  return text.startsWith("error-") ? error.message : text;
}

/** @param {unknown} error */
export function failed(error) {
  const isAway = error instanceof ApiError && error.status === 0;
  notify(isAway ? explained(error) : `${say("failed")} ${explained(error)}`, { isWrong: true });
}
