// @ts-check
/**
 * What is on the admin's maps, from below upwards: a city's river, streets, buildings and places, and the geometry over them.
 *
 * @import { LayerSpecification, StyleSpecification } from "maplibre-gl"
 *
 * @typedef {{places?: string, layers?: {url: string, kind: string}[]}} Base  TileJSON addresses of what lies below.
 */

const INK = "#1b2430";
const ACCENT = "#0f6b6b";
/** @type {Record<string, string>} */
const COLOURS = { river: "#cfe3ee", roads: "#c9ced4", buildings: "#e6e3de" };

/** @type {{type: "FeatureCollection", features: []}} */
export const NOTHING = { type: "FeatureCollection", features: [] };

/**
 * @param {Base} base
 * @param {string} page address of the page, which relative addresses begin at
 * @returns {StyleSpecification}
 */
export function styleOf(base, page) {
  /** @type {StyleSpecification["sources"]} */
  const sources = Object.fromEntries(["shape", "handles", "drawing"].map((name) => [name, { type: "geojson", data: NOTHING }]));
  /** @type {LayerSpecification[]} */
  const layers = [{ id: "paper", type: "background", paint: { "background-color": "#fbfaf8" } }];
  for (const { url, kind } of base.layers ?? []) {
    const id = url.replace(/^.*\/layers\/(.*)\.json$/, "$1");
    const from = { id, source: id, "source-layer": "features" };
    const colour = COLOURS[id] ?? "#dddddd";
    sources[id] = { type: "vector", url: new URL(url, page).href };
    layers.push(
      kind === "polygon"
        ? { ...from, type: "fill", paint: { "fill-color": colour } }
        : { ...from, type: "line", paint: { "line-color": colour, "line-width": ["interpolate", ["exponential", 2], ["zoom"], 11, 0.5, 18, 12] } },
    );
  }
  if (base.places) {
    sources.places = { type: "vector", url: new URL(base.places, page).href };
    layers.push({ id: "places", type: "line", source: "places", "source-layer": "places", paint: { "line-color": "#9aa4b0", "line-width": 1 } });
  }
  return { version: 8, sources, layers: [...layers, ...shapeLayers(), ...drawingLayers()] };
}

/** @returns {LayerSpecification[]} */
function shapeLayers() {
  const dot = /** @type {const} */ ({ "circle-color": ACCENT, "circle-radius": 7, "circle-stroke-color": "#fff", "circle-stroke-width": 2 });
  return [
    { id: "fill", type: "fill", source: "shape", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": ACCENT, "fill-opacity": 0.16 } },
    { id: "outline", type: "line", source: "shape", paint: { "line-color": ACCENT, "line-width": 2 } },
    { id: "spot", type: "circle", source: "shape", filter: ["==", ["geometry-type"], "Point"], paint: dot },
  ];
}

/** @returns {LayerSpecification[]} */
function drawingLayers() {
  const ringed = /** @type {const} */ ({ "circle-stroke-color": ACCENT });
  return [
    { id: "drawn", type: "line", source: "drawing", paint: { "line-color": INK, "line-width": 2, "line-dasharray": [2, 1] } },
    { id: "drawn-vertices", type: "circle", source: "drawing", paint: { "circle-color": INK, "circle-radius": 4 } },
    {
      id: "middles", type: "circle", source: "handles", minzoom: 13, filter: ["==", ["get", "kind"], "middle"],
      paint: { ...ringed, "circle-color": "#fff", "circle-radius": 3, "circle-stroke-width": 1 },
    },
    {
      id: "vertices", type: "circle", source: "handles", filter: ["==", ["get", "kind"], "vertex"],
      paint: {
        ...ringed, "circle-color": ["case", ["==", ["get", "chosen"], true], INK, "#fff"],
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, 2, 14, 5], "circle-stroke-width": 2,
      },
    },
  ];
}
