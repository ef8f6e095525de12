// @ts-check
/**
 * The live map of a settlement: plots by layer, homes without access, streets by width, and the pieces of path that can be pressed.
 *
 * @import { FeatureCollection, LineString } from "geojson"
 * @import { ExpressionSpecification as Expression, LayerSpecification, MapMouseEvent } from "maplibre-gl"
 * @import { Language } from "../numbers.js"
 * @import { MapConfig } from "../style.js"
 *
 * @typedef {{plots: FeatureCollection, homes: FeatureCollection, streets: FeatureCollection, blocks: FeatureCollection, pieces: FeatureCollection<LineString, {name: string, m: number, homes: number, street: boolean}>}} Drawn
 * @typedef {MapConfig & {language: Language, urls: {tiles: string, worker: string}, bounds: [number, number, number, number], places: Record<string, {name: string, kind: string}>, narrowest: number}} BlocksMapConfig
 */

import { LngLatBounds } from "maplibre-gl";
import { liveMap } from "../livemap.js";
import { keepScale } from "../scalebar.js";
import { cityStyle } from "../style.js";

/** Light is good and dark is worse; the same colours as in blocks.css. */
const LAYERS = ["#f4f1e4", "#fdd49a", "#f59b45", "#d1600f", "#8c2d04"];
const HOME = "#4a1506";
const PATH = "#0f6b6b";
const LOOSE = "#b3261e";
const INK = "#1b2430";
const REACH_PX = { mouse: 7, touch: 18 };

/** Tell whether this browser can draw the map at all. */
export const canDraw = () => document.createElement("canvas").getContext("webgl2") !== null;

/** @param {string} name @returns {Expression} */
const state = (name) => ["boolean", ["feature-state", name], false];

/**
 * Return the layers that draw a settlement.
 * @param {number} narrowest metres
 * @returns {LayerSpecification[]}
 */
export function blocksLayers(narrowest) {
  const round = /** @type {const} */ ({ "line-cap": "round", "line-join": "round" });
  /** @param {number} thin @param {number} thick @returns {Expression} */
  const zoomed = (thin, thick) => ["interpolate", ["exponential", 1.6], ["zoom"], 13, thin, 19, thick];
  const width = /** @type {Expression} */ (["get", "width"]);
  const isClosed = /** @type {Expression} */ (["all", [">=", width, 0], ["<", width, narrowest]]);
  const isNarrow = /** @type {Expression} */ (["all", [">=", width, 0], ["<", width, 6]]);
  const layer = /** @type {Expression} */ (["get", "layer"]);
  return [
    { id: "form-plots", type: "fill", source: "plots", paint: { "fill-color": ["case", ["<", layer, 0], LAYERS[4], ["step", layer, "#eef1ee", 1, LAYERS[0], 2, LAYERS[1], 3, LAYERS[2], 4, LAYERS[3], 5, LAYERS[4]]], "fill-opacity": 0.9 } },
    { id: "form-plot-edges", type: "line", source: "plots", minzoom: 15.5, paint: { "line-color": "#fff", "line-width": zoomed(0.2, 1.6), "line-opacity": 0.8 } },
    { id: "form-homes", type: "fill", source: "homes", minzoom: 14.5, paint: { "fill-color": HOME, "fill-opacity": 0.28 } },
    { id: "form-blocks", type: "line", source: "blocks", layout: round, paint: { "line-color": "#6b7280", "line-width": zoomed(0.5, 1.5) } },
    { id: "form-casing", type: "line", source: "streets", filter: ["!", isClosed], layout: round, paint: { "line-color": "#6b7280", "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 13, ["case", isNarrow, 1.2, 3], 19, ["case", isNarrow, 9, 22]] } },
    { id: "form-streets", type: "line", source: "streets", filter: ["!", isClosed], layout: round, paint: { "line-color": ["case", isNarrow, "#dfe3e8", "#fff"], "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 13, ["case", isNarrow, 0.6, 2], 19, ["case", isNarrow, 7, 19]] } },
    { id: "form-closed", type: "line", source: "streets", filter: isClosed, layout: { "line-join": "round" }, paint: { "line-color": INK, "line-width": zoomed(0.6, 2.5), "line-dasharray": [1.5, 1.5], "line-opacity": 0.75 } },
    { id: "pieces-idle", type: "line", source: "pieces", minzoom: 16.7, layout: round, paint: { "line-color": PATH, "line-opacity": ["case", state("hover"), 0.9, 0.28], "line-width": ["case", state("hover"), 5, 2] } },
    { id: "pieces-casing", type: "line", source: "pieces", layout: round, paint: { "line-color": "#fff", "line-opacity": ["case", state("chosen"), 1, 0], "line-width": zoomed(4, 11) } },
    { id: "pieces-chosen", type: "line", source: "pieces", layout: round, paint: { "line-color": ["case", state("loose"), LOOSE, PATH], "line-opacity": ["case", state("chosen"), 1, 0], "line-width": zoomed(2.4, 7) } },
    { id: "pieces-focus", type: "line", source: "pieces", layout: round, paint: { "line-color": INK, "line-opacity": ["case", state("focus"), 1, 0], "line-width": zoomed(4, 9), "line-dasharray": [0.6, 1.4] } },
    { id: "pieces-hit", type: "line", source: "pieces", minzoom: 14, paint: { "line-color": PATH, "line-opacity": 0.01, "line-width": 8 } },
  ];
}

/**
 * Make the map.
 * @param {object} parts
 * @param {HTMLElement} parts.container
 * @param {HTMLElement} parts.scaleBar
 * @param {BlocksMapConfig} parts.config
 * @param {Record<string, string | undefined>} parts.words
 * @param {Drawn} parts.drawn
 * @param {(name: string) => void} parts.onPress a piece was pressed
 * @param {(at: [number, number]) => void} parts.onMoved the map shows something else
 */
export function makeMap({ container, scaleBar, config, words, drawn, onPress, onMoved }) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = liveMap({
    container,
    style: cityStyle(config, config.places, location.origin),
    bounds: config.bounds,
    fitBoundsOptions: { padding: 20 },
    maxZoom: 20.5,
    fadeDuration: 0,
    canvasContextAttributes: { preserveDrawingBuffer: true }, // so that it is printed
  }, config, words);
  for (const name of ["hatch-none", "hatch-settlement"]) map.addImage(name, { width: 1, height: 1, data: new Uint8Array(4) });
  keepScale(map, scaleBar, config.language);

  /** @type {Map<string, number>} */
  const ids = new Map(drawn.pieces.features.map((feature) => [feature.properties.name, Number(feature.id)]));
  let isReady = false;
  /** @type {[string, string, boolean][]} */
  let waiting = [];
  /** @param {string} name @param {string} key @param {boolean} value */
  const mark = (name, key, value) => {
    const id = ids.get(name);
    if (id === undefined) return;
    if (isReady) map.setFeatureState({ source: "pieces", id }, { [key]: value });
    else waiting.push([name, key, value]);
  };

  const tellView = () => {
    const { lng, lat } = map.getCenter();
    container.dataset.view = `${map.getZoom()}/${lat}/${lng}`;
    onMoved([lng, lat]);
  };
  map.on("load", () => {
    for (const id of /** @type {const} */ (["plots", "homes", "streets", "blocks", "pieces"])) map.addSource(id, { type: "geojson", data: drawn[id], tolerance: 0.1, ...(id === "pieces" ? { buffer: 32 } : {}) });
    for (const layer of blocksLayers(config.narrowest)) map.addLayer(layer, map.getLayer("names") ? "names" : undefined);
    isReady = true;
    for (const [name, key, value] of waiting) mark(name, key, value);
    waiting = [];
    tellView();
    container.classList.add("is-ready");
    // Only now can a piece be pressed: what was added is drawn by workers.
    map.once("idle", () => (container.dataset.ready = "true"));
  });
  map.on("moveend", tellView);
  map.on("error", ({ error }) => {
    if (navigator.onLine && !/Failed to fetch|NetworkError|AJAXError/.test(String(error?.message))) console.error(`The map: ${error?.message ?? error}`);
  });

  /** @param {MapMouseEvent["point"]} point @param {number} reach */
  const under = ({ x, y }, reach) => {
    if (!isReady) return null;
    const box = /** @type {[[number, number], [number, number]]} */ ([[x - reach, y - reach], [x + reach, y + reach]]);
    const found = map.queryRenderedFeatures(box, { layers: ["pieces-hit"] });
    let [best, name] = [Infinity, /** @type {string | null} */ (null)];
    for (const feature of found) {
      const whole = drawn.pieces.features[Number(feature.id)];
      if (!whole) continue;
      const far = distance(whole.geometry.coordinates.map((at) => map.project(/** @type {[number, number]} */ (at))), { x, y });
      if (far < best) [best, name] = [far, whole.properties.name];
    }
    return name;
  };
  /** @type {string | null} */
  let hovered = null;
  /** @param {string | null} name */
  const hover = (name) => {
    if (name === hovered) return;
    if (hovered !== null) mark(hovered, "hover", false);
    if (name !== null) mark(name, "hover", true);
    hovered = name;
    map.getCanvas().style.cursor = name === null ? "" : "pointer";
  };
  const isCoarse = matchMedia("(pointer: coarse)").matches;
  map.on("mousemove", (event) => hover(under(event.point, REACH_PX.mouse)));
  map.on("mouseout", () => hover(null));
  map.on("click", (event) => {
    const name = under(event.point, isCoarse ? REACH_PX.touch : REACH_PX.mouse);
    if (name !== null) onPress(name);
  });

  return {
    mark,
    /** @param {number} block */
    showBlock(block) {
      const found = drawn.blocks.features.find((feature) => feature.properties?.block === block);
      if (found?.geometry.type !== "Polygon") return;
      const bounds = new LngLatBounds();
      for (const at of found.geometry.coordinates[0] ?? []) bounds.extend(/** @type {[number, number]} */ (at));
      map.fitBounds(bounds, { padding: 40, maxZoom: 18.5, duration: calm ? 0 : 500 });
    },
  };
}

/**
 * Return how far a point is from a line, on the screen.
 * @param {{x: number, y: number}[]} line
 * @param {{x: number, y: number}} point
 */
function distance(line, { x, y }) {
  let best = Infinity;
  for (let i = 1; i < line.length; i++) {
    const [a, b] = [line[i - 1], line[i]];
    const [dx, dy] = [b.x - a.x, b.y - a.y];
    const along = Math.max(0, Math.min(1, ((x - a.x) * dx + (y - a.y) * dy) / Math.max(dx * dx + dy * dy, 1e-9)));
    best = Math.min(best, Math.hypot(a.x + along * dx - x, a.y + along * dy - y));
  }
  return best;
}

/** @typedef {ReturnType<typeof makeMap>} BlocksMap */
