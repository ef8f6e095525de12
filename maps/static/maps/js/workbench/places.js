// @ts-check
/** The list of places: found by a part of the name, walked by arrow keys, and leading the map. */

import { input, make, part, walkable } from "./dom.js";
import { count, say } from "./words.js";

/**
 * @typedef {{code: string, name: string, other: string, kind: string, change: string, tasks: number}} Entry
 */

const MOST = 60;

/**
 * Make letters comparable as a reader means them: Arabic forms as Persian ones, no joiners, any digits.
 * @param {string} text
 */
export function plainText(text) {
  return text
    .normalize("NFKD")
    .replace(/[\u064b-\u065f\u0670\u0300-\u036f\u0640]/g, "")
    .replace(/[يى]/g, "ی")
    .replace(/ك/g, "ک")
    .replace(/[آأإ]/g, "ا")
    .replace(/[\u200c\s]+/g, " ")
    .replace(/[۰-۹]/g, (digit) => String(digit.charCodeAt(0) - 0x06f0))
    .toLowerCase()
    .trim();
}

/**
 * @param {object} parts
 * @param {(code: string) => void} parts.onChoose
 * @param {(code: string | null) => void} parts.onPoint
 */
export function makePlaces({ onChoose, onPoint }) {
  const list = part("place-list");
  const search = input("q");
  const walk = walkable(list);
  /** @type {Entry[]} */
  let entries = [];
  let isAll = false;

  const draw = () => {
    const text = plainText(search.value);
    const found = text ? entries.filter((entry) => plainText(`${entry.name} ${entry.other} ${entry.code}`).includes(text)) : entries;
    const shown = isAll ? found : found.slice(0, MOST);
    list.replaceChildren(
      ...shown.map((entry) =>
        make("li", {}, make("button", { type: "button", dataset: { code: entry.code } }, make("span", { className: "name" }, entry.name), make("span", { className: entry.kind === "settlement" ? "note kind" : "note" }, entry.change || (entry.kind === "settlement" ? say("settlement") : "")))),
      ),
      ...(shown.length < found.length ? [make("li", {}, make("button", { type: "button", className: "more-places", dataset: { all: "1" } }, say("showAll", { n: found.length })))] : []),
    );
    part("places-said").textContent = text ? say(found.length ? "placesFound" : "noPlaces", { n: found.length }) : say("placesAll", { n: count(entries.length) });
    walk.settle();
  };
  search.addEventListener("input", () => {
    isAll = false;
    draw();
  });
  search.addEventListener("keydown", (event) => {
    const first = /** @type {HTMLElement | null} */ (list.querySelector("button"));
    if (event.key === "ArrowDown" && first) {
      event.preventDefault();
      first.focus();
    } else if (event.key === "Enter" && first?.dataset.code) {
      event.preventDefault();
      onChoose(first.dataset.code);
    }
  });
  list.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (button?.dataset.code) onChoose(button.dataset.code);
    else if (button) {
      isAll = true;
      draw();
    }
  });
  list.addEventListener("focusin", (event) => onPoint(event.target instanceof HTMLElement ? (event.target.dataset.code ?? null) : null));
  list.addEventListener("mouseover", (event) => onPoint((event.target instanceof Element ? event.target.closest("button") : null)?.dataset.code ?? null));
  list.addEventListener("mouseleave", () => onPoint(null));

  return {
    /** @param {Entry[]} fresh */
    put(fresh) {
      entries = fresh;
      draw();
    },
    focus() {
      search.focus();
      search.select();
    },
  };
}
