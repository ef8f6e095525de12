// @ts-check
/**
 * How the workbench looks on the map. Pure: data in, layers out. What the analysis colours on the city's page stays plain here;
 * boundaries, handles and tasks are what the eye should find.
 *
 * @import { LayerSpecification, StyleSpecification } from "maplibre-gl"
 * @import { MapConfig } from "../style.js"
 */

import { cityStyle, INK, SETTLEMENT } from "../style.js";

export const ACCENT = "#0f6b6b";
export const GAINED = "#5e3c99";
export const LOST = "#e66101";
export const TASK = "#a1260d";
const CASING = "rgba(255,255,255,0.9)";

export const SOURCES = ["wb-faces", "wb-arcs", "wb-settlements", "wb-names", "wb-tasks", "wb-task-points", "wb-diff", "wb-shapes", "wb-chosen", "wb-live", "wb-vertex"];

/** @param {...number} stops zoom, width, zoom, width… */
const byZoom = (...stops) => /** @type {any} */ (["interpolate", ["linear"], ["zoom"], ...stops]);
/** @param {string} name @param {any} yes @param {any} no */
const when = (name, yes, no) => /** @type {any} */ (["case", ["boolean", ["feature-state", name], false], yes, no]);

/**
 * Return the base of the city's page without its results and names.
 * @param {MapConfig} config
 * @param {string} origin
 * @returns {StyleSpecification}
 */
export function workbenchStyle(config, origin) {
  const base = cityStyle({ ...config, points: {}, colours: ["#ffffff"] }, {}, origin);
  delete base.sources.places;
  delete base.sources.names;
  const layers = base.layers.filter((layer) => !("source" in layer && (layer.source === "places" || layer.source === "names")));
  const empty = /** @type {const} */ ({ type: "FeatureCollection", features: [] });
  for (const name of SOURCES) {
    base.sources[name] = /** @type {any} */ ({ type: "geojson", data: empty, ...(/faces|arcs|settlements/.test(name) ? { promoteId: "id", tolerance: 0 } : {}) });
  }
  return { ...base, layers: [...layers, ...editLayers()] };
}

/** @returns {LayerSpecification[]} */
function editLayers() {
  const round = /** @type {const} */ ({ "line-join": "round", "line-cap": "round" });
  const isDisputed = /** @type {any} */ (["==", ["get", "disputed"], 1]);
  const isSettled = /** @type {any} */ (["!=", ["get", "disputed"], 1]);
  return [
    {
      id: "wb-faces-fill", type: "fill", source: "wb-faces",
      paint: { "fill-color": ["case", ["==", ["get", "changed"], 1], ACCENT, ["==", ["get", "editable"], 0], "#7b8492", "#ffffff"], "fill-opacity": ["case", ["boolean", ["feature-state", "hover"], false], 0.3, ["==", ["get", "changed"], 1], 0.14, ["==", ["get", "editable"], 0], 0.16, 0.12] },
    },
    { id: "wb-settlements-fill", type: "fill", source: "wb-settlements", paint: { "fill-color": SETTLEMENT, "fill-opacity": when("hover", 0.22, 0.07) } },
    { id: "wb-settlements-hatch", type: "fill", source: "wb-settlements", paint: { "fill-pattern": "hatch-settlement", "fill-opacity": 0.55 } },
    { id: "wb-arcs-casing", type: "line", source: "wb-arcs", layout: round, paint: { "line-color": CASING, "line-width": byZoom(11, 1.6, 15, 4.5), "line-opacity": when("live", 0, 1) } },
    { id: "wb-arcs-line", type: "line", source: "wb-arcs", layout: round, filter: isSettled, paint: { "line-color": ["case", ["==", ["get", "changed"], 1], ACCENT, ["==", ["get", "outer"], 1], INK, "#4a5563"], "line-width": ["interpolate", ["linear"], ["zoom"], 11, ["case", ["==", ["get", "outer"], 1], 1.4, 0.7], 15, ["case", ["==", ["get", "outer"], 1], 2.8, 1.8]], "line-opacity": when("live", 0, 1) } },
    { id: "wb-arcs-disputed", type: "line", source: "wb-arcs", layout: { "line-join": "round" }, filter: isDisputed, paint: { "line-color": TASK, "line-width": byZoom(11, 1.4, 15, 3), "line-dasharray": [2.5, 1.6], "line-opacity": when("live", 0, 1) } },
    { id: "wb-settlements-casing", type: "line", source: "wb-settlements", layout: round, paint: { "line-color": CASING, "line-width": byZoom(11, 2.2, 15, 5.5) } },
    { id: "wb-settlements-line", type: "line", source: "wb-settlements", layout: round, paint: { "line-color": SETTLEMENT, "line-width": byZoom(11, 1.1, 15, 2.6) } },
    { id: "wb-shapes-fill", type: "fill", source: "wb-shapes", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#0b3f6b", "fill-opacity": 0.25 } },
    { id: "wb-shapes-line", type: "line", source: "wb-shapes", layout: round, paint: { "line-color": "#0b3f6b", "line-width": 2, "line-dasharray": [1.5, 1.5] } },
    { id: "wb-tasks-fill", type: "fill", source: "wb-tasks", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": TASK, "fill-opacity": 0.5 } },
    { id: "wb-tasks-line", type: "line", source: "wb-tasks", layout: round, paint: { "line-color": TASK, "line-width": 2.5 } },
    { id: "wb-diff-fill", type: "fill", source: "wb-diff", paint: { "fill-color": ["match", ["get", "kind"], "gained", GAINED, LOST], "fill-opacity": 0.75 } },
    { id: "wb-diff-line", type: "line", source: "wb-diff", paint: { "line-color": ["match", ["get", "kind"], "gained", GAINED, LOST], "line-width": 2 } },
    { id: "wb-chosen-casing", type: "line", source: "wb-chosen", layout: round, paint: { "line-color": "#ffffff", "line-width": byZoom(11, 4, 15, 7) } },
    { id: "wb-chosen-line", type: "line", source: "wb-chosen", layout: round, paint: { "line-color": ["case", ["==", ["get", "kind"], "settlement"], SETTLEMENT, ACCENT], "line-width": byZoom(11, 2, 15, 3.5) } },
    { id: "wb-live-casing", type: "line", source: "wb-live", layout: round, paint: { "line-color": "#ffffff", "line-width": 6 } },
    { id: "wb-live-line", type: "line", source: "wb-live", layout: round, paint: { "line-color": ACCENT, "line-width": 3 } },
    {
      id: "wb-names", type: "symbol", source: "wb-names", minzoom: 11.5,
      layout: { "text-field": ["get", "name"], "text-font": ["Vazirmatn SemiBold"], "text-size": byZoom(11, 10.5, 15, 14), "text-max-width": 7, "text-padding": 6, "symbol-sort-key": ["get", "rank"] },
      paint: { "text-color": ["case", ["==", ["get", "kind"], "settlement"], "#6b0a43", INK], "text-halo-color": "rgba(255,255,255,0.92)", "text-halo-width": 1.6 },
    },
    { id: "wb-task-points", type: "circle", source: "wb-task-points", paint: { "circle-color": TASK, "circle-radius": byZoom(11, 5, 15, 8), "circle-opacity": byZoom(15, 1, 17, 0.15), "circle-stroke-color": "#fff", "circle-stroke-width": 2 } },
    { id: "wb-vertex", type: "circle", source: "wb-vertex", paint: { "circle-color": "rgba(0,0,0,0)", "circle-radius": 13, "circle-stroke-color": INK, "circle-stroke-width": 3 } },
  ];
}
