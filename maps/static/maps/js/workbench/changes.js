// @ts-check
/**
 * The change set: what is changed so far, and what is said of it.
 *
 * @typedef {{title: string, comment: string, valid_from: string, source: string, certainty: string}} Said
 *
 * @typedef {object} Line
 * @property {string} code
 * @property {string} name
 * @property {string} text what happens to the place
 * @property {string} size
 */

import { input, make, part } from "./dom.js";
import { comma, count, day, say } from "./words.js";

/** @returns {Said} */
export const nothingSaid = () => ({ title: "", comment: "", valid_from: "", source: "", certainty: "" });

/**
 * @param {object} parts
 * @param {Record<string, string>} parts.certainties
 * @param {(said: Said) => void} parts.onSay
 * @param {(code: string) => void} parts.onShow
 * @param {(code: string) => void} parts.onRevert
 */
export function makeChanges({ certainties, onSay, onShow, onRevert }) {
  const form = /** @type {HTMLFormElement} */ (part("change-form"));
  const select = /** @type {HTMLSelectElement} */ (/** @type {unknown} */ (part("change-certainty")));
  select.replaceChildren(make("option", { value: "" }, say("certaintyAsBefore")), ...Object.entries(certainties).map(([value, text]) => make("option", { value }, text)));
  const fields = /** @type {(keyof Said)[]} */ (["title", "comment", "valid_from", "source", "certainty"]);
  /** @param {keyof Said} name */
  const field = (name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));

  const read = () => /** @type {Said} */ (Object.fromEntries(fields.map((name) => [name, field(name).value])));
  const sayDay = () => {
    const value = input("change-valid").value;
    part("change-valid-said").textContent = value ? day(`${value}T12:00`) : say("validHelp");
  };
  form.addEventListener("input", () => {
    sayDay();
    onSay(read());
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  return {
    read,
    /** @param {Said} said */
    write(said) {
      for (const name of fields) field(name).value = said[name] ?? "";
      sayDay();
    },
    /**
     * Show what was said when the change set was given back.
     * @param {{author: string, comment: string, at: string} | null} review
     */
    returned(review) {
      part("change-said").hidden = !review;
      if (review) part("change-said").replaceChildren(make("b", {}, say("returnedBy", { who: review.author, day: day(review.at) })), make("blockquote", { dir: "auto" }, review.comment));
    },
    /** @param {Line[]} lines */
    put(lines) {
      part("changes-said").textContent = lines.length ? say("changesSaid", { n: lines.length }) : say("changesNone");
      const badge = part("changes-count");
      badge.hidden = lines.length === 0;
      badge.textContent = count(lines.length);
      part("changes").replaceChildren(
        ...lines.map(({ code, name, text, size }) => {
          const show = make("button", { type: "button", className: "task-show" }, make("b", {}, name), make("span", { className: "note" }, [text, size].filter(Boolean).join(" · ")));
          show.addEventListener("click", () => onShow(code));
          const revert = make("button", { type: "button", className: "link", "aria-label": `${say("revert")}${comma()}${name}` }, say("revert"));
          revert.addEventListener("click", () => onRevert(code));
          return make("li", {}, show, make("div", { className: "repairs" }, revert));
        }),
      );
    },
    /** @param {string} text */
    wrong(text) {
      const line = part("change-wrong");
      line.textContent = text;
      line.hidden = !text;
    },
  };
}
