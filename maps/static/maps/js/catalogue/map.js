// @ts-check
/**
 * The live map of one layer: it shows where a row is, and says which row was clicked.
 *
 * @import { GeoJSONSource } from "maplibre-gl"
 * @import { BaseLayer } from "../style.js";
 * @import { Language } from "../numbers.js";
 *
 * @typedef {[number, number, number, number]} Box
 * @typedef {object} LayerConfig
 * @property {Language} language
 * @property {{tiles: string, worker: string, page: string}} urls
 * @property {Box} bounds
 * @property {BaseLayer[]} layers
 * @property {string[]} colours
 * @property {Record<string, number[]>} points
 * @property {{kind: string, url: string}} shown
 * @property {number | null} chosen
 * @property {[number, number] | null} at where the chosen row is
 *
 * @typedef {object} LayerMap
 * @property {(number: number | null, at?: [number, number]) => void} choose
 * @property {(number: number | null) => void} hover
 * @property {(box: Box) => void} reveal bring a row into view, without zooming out
 */

import { LngLatBounds } from "maplibre-gl";
import { liveMap } from "../livemap.js";
import { keepScale } from "../scalebar.js";
import { cityStyle } from "../style.js";
import { CLICKED, featureLayers, rasterLayer, ringLayer, widened } from "./style.js";

const FROM = { source: "shown", sourceLayer: "features" };
const REACH_PX = 6;

/**
 * Make the map.
 * @param {object} parts
 * @param {HTMLElement} parts.container
 * @param {HTMLElement} parts.scaleBar
 * @param {LayerConfig} parts.config
 * @param {Record<string, string | undefined>} parts.words
 * @param {(number: number) => void} parts.onChoose
 * @returns {LayerMap}
 */
export function makeMap({ container, scaleBar, config, words, onChoose }) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const isRaster = config.shown.kind === "raster";
  const map = liveMap({
    container,
    style: cityStyle(config, {}, location.origin),
    bounds: widened(config.bounds),
    fitBoundsOptions: { padding: 24, maxZoom: 16 },
    maxZoom: 18,
    minZoom: 3,
    fadeDuration: 0,
    canvasContextAttributes: { preserveDrawingBuffer: true }, // so that it is printed
  }, config, words);
  for (const name of ["hatch-none", "hatch-settlement"]) map.addImage(name, { width: 1, height: 1, data: new Uint8Array(4) });

  /** @type {{chosen: number | null, hover: number | null}} */
  const marks = { chosen: null, hover: null };
  let isReady = false;
  /** @type {[number, number] | null} */
  let ring = null;

  const drawRing = () => {
    const source = /** @type {GeoJSONSource | undefined} */ (isReady ? map.getSource("here") : undefined);
    source?.setData({ type: "FeatureCollection", features: ring ? [{ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: ring } }] : [] });
  };

  /** @param {"chosen" | "hover"} key @param {number | null} number */
  const mark = (key, number) => {
    const before = marks[key];
    marks[key] = number;
    if (!isReady || isRaster || before === number) return;
    if (before !== null) map.setFeatureState({ ...FROM, id: before }, { [key]: false });
    if (number !== null) map.setFeatureState({ ...FROM, id: number }, { [key]: true });
  };

  keepScale(map, scaleBar, config.language);

  map.on("load", () => {
    const url = new URL(config.shown.url, location.href).href;
    if (isRaster) {
      map.addSource("shown", { type: "raster", url, tileSize: 256 });
      map.addLayer(rasterLayer(), map.getLayer("places-fill") ? "places-fill" : undefined);
    } else {
      map.addSource("shown", { type: "vector", url, promoteId: { features: "number" } });
      for (const layer of featureLayers()) map.addLayer(layer, "names");
      map.addSource("here", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
      map.addLayer(ringLayer());
    }
    isReady = true;
    drawRing();
    for (const key of /** @type {const} */ (["chosen", "hover"])) {
      const number = marks[key];
      marks[key] = null;
      mark(key, number);
    }
    container.classList.add("is-ready");
  });

  /** @param {{x: number, y: number}} at */
  const under = ({ x, y }) => {
    const layers = CLICKED.filter((id) => map.getLayer(id));
    if (!layers.length) return null;
    const around = /** @type {[[number, number], [number, number]]} */ ([[x - REACH_PX, y - REACH_PX], [x + REACH_PX, y + REACH_PX]]);
    const found = map.queryRenderedFeatures([x, y], { layers })[0] ?? map.queryRenderedFeatures(around, { layers })[0];
    const number = Number(found?.properties.number);
    return found && Number.isInteger(number) ? number : null;
  };
  if (!isRaster) {
    map.on("mousemove", (event) => {
      const number = under(event.point);
      mark("hover", number);
      map.getCanvas().style.cursor = number === null ? "" : "pointer";
    });
    map.on("mouseout", () => mark("hover", null));
    map.on("click", (event) => {
      const number = under(event.point);
      if (number !== null) onChoose(number);
    });
  }

  return {
    choose: (number, at) => {
      mark("chosen", number);
      ring = at ?? null;
      drawRing();
    },
    hover: (number) => mark("hover", number),
    reveal: (box) => {
      const bounds = new LngLatBounds(box);
      const seen = map.getBounds();
      if (seen.contains(bounds.getSouthWest()) && seen.contains(bounds.getNorthEast())) return;
      const fitted = map.cameraForBounds(bounds, { padding: 32, maxZoom: map.getZoom() });
      map.easeTo({ center: bounds.getCenter(), zoom: Math.min(map.getZoom(), fitted?.zoom ?? map.getZoom()), duration: calm ? 0 : 400 });
    },
  };
}
