// @ts-check
/**
 * The page of what changed in motion: a live map of the areas by what became of them; who is in focus in the table is shown on the
 * map, what is clicked on the map is found in the table. Without this script the page has the same table and a drawing.
 *
 * @import { CityMap, PlaceResult } from "../citymap.js";
 */

/** @param {string} id */
function part(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no part “${id}”.`);
  return found;
}

const config = JSON.parse(part("changed-config").textContent ?? "{}");
const words = /** @type {Record<string, string>} */ ({ ...part("words").dataset });
/** @type {PlaceResult[]} */
const places = config.places;

/** @type {CityMap | null} */
let map = null;

/** @param {HTMLElement | null} row */
function mark(row) {
  for (const other of document.querySelectorAll("#matrix tr.is-chosen")) other.classList.remove("is-chosen");
  row?.classList.add("is-chosen");
}

/** @param {EventTarget | null} target @returns {HTMLElement | null} */
const rowAround = (target) => (target instanceof Element ? target.closest("#matrix tr[data-code]") : null);

/** @param {string | null} code */
function chooseOnMap(code) {
  const row = code ? /** @type {HTMLElement | null} */ (document.querySelector(`#matrix tr[data-code="${CSS.escape(code)}"]`)) : null;
  mark(row);
  map?.choose(row ? code : null);
  part("chosen").textContent = row ? `${words.chosen ?? ""} ${row.querySelector("bdi")?.textContent ?? ""}, ${row.querySelector(".finding-word")?.textContent?.slice(2) ?? ""}` : "";
  row?.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

async function start() {
  document.addEventListener("focusin", (event) => {
    const row = rowAround(event.target);
    if (!row?.dataset.code) return;
    mark(row);
    map?.choose(row.dataset.code);
    map?.reveal(row.dataset.code);
  });
  const container = document.getElementById("map");
  if (!container) return;
  try {
    const { canDraw, makeMap } = await import("../citymap.js");
    if (!canDraw()) {
      part("map-failed").hidden = false;
      return;
    }
    map = makeMap({
      container,
      scaleBar: part("scale-bar"),
      key: part("key"),
      config,
      results: { places, legend: { colours: config.colours } },
      words,
      onHover: () => {},
      onChoose: chooseOnMap,
      onReady: () => {},
    });
  } catch (error) {
    part("map-failed").hidden = false;
    throw error;
  }
}

void start();

export {};
