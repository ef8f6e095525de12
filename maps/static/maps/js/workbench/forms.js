// @ts-check
/**
 * The panel's tabs, and its fields for coordinates and names.
 *
 * @import { Position } from "./geometry.js"
 * @import { Handling } from "./handling.js"
 * @import { Language } from "../numbers.js"
 * @import { WorkbenchMap } from "./map.js"
 * @import { Session } from "./session.js"
 *
 * @typedef {"place" | "tasks" | "changes"} Tab
 */

import { input, part } from "./dom.js";
import { described } from "./tools.js";
import { readNumber, say } from "./words.js";

const TABS = /** @type {const} */ (["place", "tasks", "changes"]);

/** @param {Tab} name */
export function tab(name) {
  for (const one of TABS) {
    const button = part(`tab-${one}`);
    button.setAttribute("aria-selected", String(one === name));
    button.tabIndex = one === name ? 0 : -1;
    part(`pane-${one}`).hidden = one !== name;
  }
}

/** @param {"vertex" | "point"} name @returns {Position | null} */
function read(name) {
  const at = /** @type {[number, number]} */ ([readNumber(input(`${name}-lon`).value), readNumber(input(`${name}-lat`).value)]);
  const isRight = Math.abs(at[0]) <= 180 && Math.abs(at[1]) <= 90;
  part(`${name}-wrong`).textContent = isRight ? "" : say("error-out_of_range");
  part(`${name}-wrong`).hidden = isRight;
  return isRight ? at : null;
}

/**
 * @param {object} parts
 * @param {Language} parts.language
 * @param {Session} parts.session
 * @param {Handling} parts.handling
 * @param {WorkbenchMap} parts.view
 */
export function listenToForms({ language, session, handling, view }) {
  part("panel").addEventListener("keydown", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[role=tab]") : null;
    const forth = language === "fa" ? -1 : 1;
    const step = { ArrowLeft: -forth, ArrowRight: forth }[event.key];
    if (!button || !step) return;
    const next = TABS[(TABS.findIndex((name) => button.id === `tab-${name}`) + step + TABS.length) % TABS.length];
    tab(next);
    part(`tab-${next}`).focus();
  });
  part("vertex-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const at = read("vertex");
    if (at && handling.moveVertex(at)) view.map.getCanvas().focus();
  });
  part("point-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const at = read("point");
    if (!at) return;
    handling.gestures.addPoint(at);
    view.pan([at[0], at[1]]);
    part("point-said").textContent = say("pointsSet", { n: handling.gestures.points() });
    input("point-lon").select();
    input("point-lon").focus();
  });
  for (const [id, field] of /** @type {const} */ ([["name-fa", "name_fa"], ["name-en", "name_en"]])) {
    input(id).addEventListener("change", () => {
      const { chosen } = session;
      if (chosen) session.commit(described(session.settled, chosen, { [field]: input(id).value.trim() }), say("step-name"));
    });
  }
}
