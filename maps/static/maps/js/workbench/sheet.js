// @ts-check
/** On a phone the panel is a sheet at the lower edge: closed to its tabs, half open, or over nearly all. Elsewhere this does nothing. */

import { part } from "./dom.js";

/** @typedef {"closed" | "half" | "full"} Opening */

const ORDER = /** @type {const} */ (["closed", "half", "full"]);

export function makeSheet() {
  const panel = part("panel");
  const handle = part("sheet-handle");
  const narrow = matchMedia("(max-width: 48rem)");
  /** @type {Opening} */
  let now = "closed";
  /** @type {number | null} */
  let from = null;
  let wasDragged = false;

  /** @param {Opening} opening */
  const set = (opening) => {
    now = opening;
    panel.dataset.sheet = opening;
    handle.setAttribute("aria-expanded", String(opening !== "closed"));
  };
  set("closed");

  handle.addEventListener("click", () => {
    if (!wasDragged) set(now === "closed" ? "half" : now === "half" ? "full" : "closed");
    wasDragged = false;
  });
  handle.addEventListener("pointerdown", (event) => {
    from = event.clientY;
    handle.setPointerCapture(event.pointerId);
  });
  handle.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const way = event.clientY - from;
    from = null;
    if (Math.abs(way) < 24) return;
    wasDragged = true;
    const at = ORDER.indexOf(now) + (way < 0 ? 1 : -1);
    set(ORDER[Math.min(2, Math.max(0, Math.abs(way) > 240 ? (way < 0 ? 2 : 0) : at))]);
  });
  return {
    /** Open it at least so far. @param {Opening} opening */
    open(opening) {
      if (narrow.matches && ORDER.indexOf(now) < ORDER.indexOf(opening)) set(opening);
    },
    close: () => set("closed"),
    /** How many pixels of the map it lies over, beyond its tabs. */
    covered: () => (!narrow.matches || now === "closed" ? 0 : Math.round(innerHeight * 0.52) - 64),
  };
}
