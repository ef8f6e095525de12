// @ts-check
/**
 * The page of actions in motion: what is in focus in the table is shown on the map, what is clicked on the map is found in the
 * table. Without this script the page has the same table, links and a drawing.
 *
 * @import { ActionsConfig, ActionsMap } from "./map.js";
 */

/** @param {string} id */
function part(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no part “${id}”.`);
  return found;
}

/** @type {ActionsConfig} */
const config = JSON.parse(part("actions-config").textContent ?? "{}");
const words = /** @type {Record<string, string>} */ ({ ...part("words").dataset });

/** @type {ActionsMap | null} */
let map = null;

/** @param {EventTarget | null} target @returns {HTMLElement | null} */
const rowAround = (target) => (target instanceof Element ? target.closest("#actions tr[data-number]") : null);

/** @param {HTMLElement} row @param {boolean} moves whether the map goes there */
function choose(row, moves) {
  for (const other of document.querySelectorAll("#actions tr.is-chosen")) other.classList.remove("is-chosen");
  row.classList.add("is-chosen");
  map?.choose(Number(row.dataset.number));
  if (moves && row.dataset.lon && row.dataset.lat) map?.reveal([Number(row.dataset.lon), Number(row.dataset.lat)]);
}

/** @param {number} number */
function chooseOnMap(number) {
  const row = /** @type {HTMLElement | null} */ (document.querySelector(`#actions tr[data-number="${number}"]`));
  if (!row) {
    // The table shows one page of those on the map.
    location.assign(`${number}/`);
    return;
  }
  choose(row, false);
  const link = row.querySelector("a");
  link?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  part("chosen").textContent = `${words.chosen ?? ""} ${link?.textContent ?? ""}`;
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
  const container = document.getElementById("map");
  if (!container) return;
  if (document.createElement("canvas").getContext("webgl2") === null) {
    part("map-failed").hidden = false;
    return;
  }
  try {
    const { makeMap } = await import("./map.js");
    map = makeMap({ container, scaleBar: part("scale-bar"), config, words, onChoose: chooseOnMap });
  } catch (error) {
    part("map-failed").hidden = false;
    throw error;
  }
}

void start();
