// @ts-check
/**
 * The panel of the chosen place: what it measures now and before, who gains and loses, its vertices, and what can be done with it.
 *
 * @typedef {{area_m2: number, perimeter_m: number}} Measured in the browser, at once
 *
 * @typedef {object} Answered by the server
 * @property {number | null} [people]
 * @property {Record<string, number>} [facilities]
 * @property {number} [overlap_m2]
 * @property {number} [gap_m2]
 *
 * @typedef {object} Shown
 * @property {Measured} now
 * @property {Measured | null} before
 * @property {Answered | null} server
 * @property {number | null} people_before
 * @property {boolean} isBusy
 *
 * @typedef {{name: string, gained_m2: number, lost_m2: number, people: number | null}} Touched
 */

import { make, part } from "./dom.js";
import { DASH } from "../numbers.js";
import { area, comma, count, metres, say, signed } from "./words.js";

/**
 * @param {string} name
 * @param {string | Node} value
 * @param {string} [change]
 */
function row(name, value, change = "") {
  return make("div", {}, make("dt", {}, name), make("dd", {}, make("b", {}, value), change ? make("span", { className: "change" }, change) : null));
}

/**
 * @param {Shown} shown
 * @param {Record<string, string>} services names by code
 */
export function showReadout({ now, before, server, people_before, isBusy }, services) {
  const list = part("readout");
  const changed_m2 = before ? now.area_m2 - before.area_m2 : 0;
  const people = server?.people;
  const changedPeople = people !== undefined && people !== null && people_before !== null && before ? Math.round(people) - Math.round(people_before) : 0;
  const facilities = Object.entries(server?.facilities ?? {}).filter(([, number]) => number > 0);
  list.setAttribute("aria-busy", String(isBusy));
  list.replaceChildren(
    row(say("area"), area(now.area_m2), Math.abs(changed_m2) >= 0.5 ? signed(changed_m2, area) : ""),
    row(say("perimeter"), metres(now.perimeter_m), before && Math.abs(now.perimeter_m - before.perimeter_m) >= 1 ? signed(now.perimeter_m - before.perimeter_m, metres) : ""),
    row(say("people"), server ? count(people) : isBusy ? "…" : DASH, changedPeople ? signed(changedPeople, count) : ""),
    row(say("overlapGap"), server ? ((server.overlap_m2 ?? 0) + (server.gap_m2 ?? 0) < 0.05 ? say("none") : `${area(server.overlap_m2)}${comma()}${area(server.gap_m2)}`) : DASH),
    row(say("facilities"), server ? (facilities.length ? facilities.map(([code, number]) => `${services[code] ?? code} ${count(number)}`).join(comma()) : say("none")) : isBusy ? "…" : DASH),
  );
}

/**
 * @param {Touched[]} touched
 * @param {boolean} isBusy people are being counted
 */
export function showTouched(touched, isBusy) {
  part("neighbours").hidden = touched.length === 0;
  part("neighbours-rows").setAttribute("aria-busy", String(isBusy));
  part("neighbours-rows").replaceChildren(
    ...touched.map(({ name, gained_m2, lost_m2, people }) => {
      const net = gained_m2 - lost_m2;
      return make("tr", {}, make("th", { scope: "row" }, name), make("td", { className: "num" }, signed(net, area)), make("td", { className: "num" }, people === null ? DASH : signed(Math.round(people), count)));
    }),
  );
}

/**
 * @param {{other: string, name: string, isDisputed: boolean}[]} edges
 * @param {(other: string, isDisputed: boolean) => void} onTick
 */
export function showEdges(edges, onTick) {
  const list = part("edges-list");
  list.replaceChildren(
    ...edges.map(({ other, name, isDisputed }) => {
      const box = make("input", { type: "checkbox", checked: isDisputed, dataset: { other } });
      box.addEventListener("change", () => onTick(other, box.checked));
      return make("li", {}, make("label", {}, box, make("span", {}, name)));
    }),
  );
  part("edges").hidden = edges.length === 0;
}

/**
 * @param {{text: string, run: () => void, isMain?: boolean}[]} actions
 */
export function showActions(actions) {
  part("place-actions").replaceChildren(
    ...actions.map(({ text, run, isMain }) => {
      const button = make("button", { type: "button", className: isMain ? "button main" : "button" }, text);
      button.addEventListener("click", run);
      return button;
    }),
  );
}

/**
 * Ask for one of a list in a dialog.
 * @param {{title: string, text: string, choices: {code: string, name: string, note?: string}[], onPoint?: (code: string | null) => void}} ask
 * @returns {Promise<string | null>}
 */
export function choose({ title, text, choices, onPoint }) {
  const box = /** @type {HTMLDialogElement} */ (part("choose"));
  part("choose-title").textContent = title;
  part("choose-said").textContent = text;
  return new Promise((resolve) => {
    /** @type {string | null} */
    let answer = null;
    part("choose-list").replaceChildren(
      ...choices.map(({ code, name, note }) => {
        const button = make("button", { type: "button" }, make("span", { className: "name" }, name), make("span", { className: "note" }, note ?? ""));
        button.addEventListener("click", () => {
          answer = code;
          box.close();
        });
        button.addEventListener("focus", () => onPoint?.(code));
        button.addEventListener("mouseenter", () => onPoint?.(code));
        return make("li", {}, button);
      }),
    );
    box.addEventListener("close", () => resolve((onPoint?.(null), answer)), { once: true });
    box.showModal();
  });
}
