// @ts-check
/**
 * The page of a plan in motion: a site in focus in the table is shown on the map, one clicked on the map is found in the table.
 * Without this script the page has the same table and a drawing.
 *
 * @import { PlanConfig, PlanMap } from "./map.js";
 */

/** @param {string} id */
function part(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no part “${id}”.`);
  return found;
}

/** @type {PlanConfig} */
const config = JSON.parse(part("plan-config").textContent ?? "{}");
const words = /** @type {Record<string, string>} */ ({ ...part("words").dataset });

/** @type {PlanMap | null} */
let map = null;

/** @param {EventTarget | null} target @returns {HTMLElement | null} */
const rowAround = (target) => (target instanceof Element ? target.closest("#sites tr[data-number]") : null);

/** @param {HTMLElement} row @param {boolean} moves whether the map goes there */
function choose(row, moves) {
  for (const other of document.querySelectorAll("#sites tr.is-chosen")) other.classList.remove("is-chosen");
  row.classList.add("is-chosen");
  map?.choose(Number(row.dataset.number));
  if (moves) map?.reveal([Number(row.dataset.lon), Number(row.dataset.lat)]);
}

/** @param {number} number */
function chooseOnMap(number) {
  const row = /** @type {HTMLElement | null} */ (document.querySelector(`#sites tr[data-number="${number}"]`));
  if (!row) return;
  choose(row, false);
  row.querySelector("a")?.focus({ preventScroll: true });
}

async function start() {
  document.addEventListener("focusin", (event) => {
    const row = rowAround(event.target);
    if (row) choose(row, true);
  });
  document.addEventListener("click", (event) => {
    const row = rowAround(event.target);
    if (row && !(event.target instanceof Element && event.target.closest("a"))) choose(row, true);
  });
  if (document.createElement("canvas").getContext("webgl2") === null) {
    part("map-failed").hidden = false;
    return;
  }
  try {
    const { makeMap } = await import("./map.js");
    map = makeMap({ container: part("map"), scaleBar: part("scale-bar"), config, words, onChoose: chooseOnMap });
  } catch (error) {
    part("map-failed").hidden = false;
    throw error;
  }
}

void start();

export {};
