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

import { LngLatBounds, Map as LiveMap, NavigationControl, setWorkerUrl } from "maplibre-gl";
import { distance, niceLength } from "../numbers.js";
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
  setWorkerUrl(new URL(config.urls.worker, location.href).href);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const isRaster = config.shown.kind === "raster";
  const map = new LiveMap({
    container,
    style: cityStyle(config, {}, location.origin),
    bounds: widened(config.bounds),
    fitBoundsOptions: { padding: 24, maxZoom: 16 },
    attributionControl: false, // the source is named on the page, with its day
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxZoom: 18,
    minZoom: 3,
    fadeDuration: 0,
    canvasContextAttributes: { preserveDrawingBuffer: true }, // so that it is printed
    cooperativeGestures: matchMedia("(pointer: coarse)").matches,
    locale: {
      "Map.Title": words.map ?? "",
      "NavigationControl.ZoomIn": words.zoomIn ?? "",
      "NavigationControl.ZoomOut": words.zoomOut ?? "",
      "CooperativeGesturesHandler.MobileHelpText": words.twoFingers ?? "",
      "CooperativeGesturesHandler.WindowsHelpText": words.ctrlScroll ?? "",
      "CooperativeGesturesHandler.MacHelpText": words.ctrlScroll ?? "",
    },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), config.language === "fa" ? "top-left" : "top-right");
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

  const drawScale = () => {
    const width_px = 110;
    const middle = container.clientHeight / 2;
    const most_m = map.unproject([0, middle]).distanceTo(map.unproject([width_px, middle]));
    const length_m = niceLength(most_m);
    const length_px = Math.round((width_px * length_m) / most_m);
    scaleBar.replaceChildren(scaleBarDrawing(length_px), distance(length_m, config.language));
  };

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
    drawScale();
    container.classList.add("is-ready");
  });
  map.on("move", drawScale);
  map.on("resize", drawScale);

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

/** @param {number} length_px */
function scaleBarDrawing(length_px) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("width", String(length_px));
  drawing.setAttribute("height", "8");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", `M1 0V7H${length_px - 1}V0`);
  drawing.append(path);
  return drawing;
}
