// @ts-check
/**
 * Where something is, in a form: a point, a line or a surface, marked on a map or typed in degrees.
 *
 * @import { Mark, Kind } from "./marking.js"
 * @import { NeedMapConfig } from "./map.js"
 * @import { Language } from "../numbers.js"
 */

import { filled } from "../imports/words.js";
import { number } from "../numbers.js";
import { FEWEST, added, geometryOf, markOf, takenBack } from "./marking.js";

/** @param {string} id @returns {any} */
const the = (id) => document.getElementById(id);

/**
 * Let the fieldset of `_where_field.html` be filled by marking on the map.
 * @param {HTMLFormElement} of
 * @param {NeedMapConfig | null | undefined} config of the map; without one degrees are typed
 */
export function withMarking(of, config) {
  const words = /** @type {Record<string, string>} */ ({ ...the("words")?.dataset, ...the("where-words")?.dataset });
  const language = /** @type {Language} */ (document.documentElement.lang.startsWith("fa") ? "fa" : "en");
  const field = /** @type {HTMLInputElement} */ (of.elements.namedItem("geometry"));
  const [lon, lat] = [the("f-lon"), the("f-lat")];
  const tools = /** @type {HTMLButtonElement[]} */ ([...document.querySelectorAll("[data-draw]")]);
  /** @type {Mark} */
  let mark = markOf(field.value ? JSON.parse(field.value) : null);
  /** What was there and cannot be drawn here, such as a surface with holes, stays until something else is marked. */
  let isKept = field.value !== "" && !mark.positions.length;
  /** @type {Awaited<ReturnType<typeof import("./map.js")["makeMap"]>> | null} */
  let map = null;

  const draw = () => {
    const geometry = isKept ? JSON.parse(field.value) : geometryOf(mark);
    if (!isKept) field.value = geometry ? JSON.stringify(geometry) : "";
    const isPoint = mark.kind === "Point" && mark.positions.length === 1;
    if (mark.positions.length || isKept) {
      lon.value = isPoint ? String(mark.positions[0][0]) : "";
      lat.value = isPoint ? String(mark.positions[0][1]) : "";
    }
    for (const tool of tools) tool.setAttribute("aria-pressed", String(tool.dataset.draw === mark.kind));
    the("mark-undo").disabled = !mark.positions.length;
    the("mark-none").disabled = !mark.positions.length && !isKept;
    const n = number(mark.positions.length, language);
    const sentence = !mark.positions.length ? (isKept ? "" : words.none) : !geometry ? filled(words.more, { n: number(FEWEST[mark.kind], language) }) : mark.kind === "Point" ? words.point : filled(mark.kind === "LineString" ? words.line : words.area, { n });
    the("marked").textContent = sentence;
    map?.show(geometry ?? geometryOf({ kind: mark.positions.length > 1 ? "LineString" : "Point", positions: mark.positions }), mark);
  };
  /** @param {[number, number]} position */
  const put = (position) => {
    isKept = false;
    mark = added(mark, position);
    draw();
  };
  /** @param {Kind} kind */
  const start = (kind) => {
    if (kind === mark.kind) return;
    isKept = false;
    mark = { kind, positions: kind === "Point" ? mark.positions.slice(0, 1) : mark.positions };
    draw();
  };
  for (const tool of tools) tool.addEventListener("click", () => start(/** @type {Kind} */ (tool.dataset.draw)));
  the("mark-undo").addEventListener("click", () => {
    mark = takenBack(mark);
    draw();
  });
  const none = () => {
    mark = { kind: mark.kind, positions: [] };
    isKept = false;
    field.value = lon.value = lat.value = "";
    draw();
  };
  the("mark-none").addEventListener("click", none);
  the("mark-middle").addEventListener("click", () => {
    if (map) put(map.middle());
  });
  the("mark-here").addEventListener("click", () => {
    const fail = () => (the("marked").textContent = words.noPosition);
    if (!navigator.geolocation) return fail();
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      put([coords.longitude, coords.latitude]);
      map?.goTo({ type: "Point", coordinates: [coords.longitude, coords.latitude] });
    }, fail, { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 });
  });
  // Degrees that are typed are the point, whatever was marked before.
  for (const input of [lon, lat]) input.addEventListener("input", () => {
    isKept = false;
    mark = { kind: "Point", positions: [] };
    field.value = "";
    the("marked").textContent = "";
  });
  const goToPlace = () => {
    const box = config?.points[placeOf(of)];
    if (box && !mark.positions.length) map?.goTo(box);
  };
  of.addEventListener("change", (event) => {
    if (event.target instanceof HTMLElement && ["place", "needs"].includes(event.target.getAttribute("name") ?? "")) goToPlace();
  });

  const drawMap = async () => {
    if (!config) return;
    const { canDraw, makeMap } = await import("./map.js");
    if (!canDraw()) return;
    the("where").hidden = false;
    map = makeMap(the("map"), config, words, put);
    if (field.value) map.goTo(JSON.parse(field.value));
    else goToPlace();
    draw();
  };
  draw();
  // The rest of the form does not wait for the map.
  const isDrawn = drawMap().catch(() => (the("marked").textContent = words.noMap));
  return {
    isDrawn,
    /** @param {string} text GeoJSON, or nothing */
    set(text) {
      none();
      field.value = text;
      mark = markOf(text ? JSON.parse(text) : null);
      isKept = text !== "" && !mark.positions.length;
      draw();
      if (text) map?.goTo(JSON.parse(text));
      else goToPlace();
    },
  };
}

/**
 * The place that is chosen, or that of the first need which is answered.
 * @param {HTMLFormElement} of
 * @returns {string} its code
 */
function placeOf(of) {
  const need = /** @type {HTMLInputElement | null} */ (of.querySelector("input[name=needs]:checked"));
  const place = /** @type {HTMLSelectElement | null} */ (of.querySelector("select[name=place]"));
  return need?.dataset.place || place?.value || "";
}
