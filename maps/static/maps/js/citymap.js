// @ts-check
/**
 * The live map of a city: made once, then told what to colour, what to point at, and which facilities to show.
 *
 * @import { MapConfig } from "./style.js";
 * @import { Map as LiveMap } from "maplibre-gl"
 *
 * @typedef {{code: string, name: string, kind: string, class: number}} PlaceResult
 * @typedef {object} CityMap
 * @property {LiveMap} live for those who draw more on it
 * @property {(results: {places: PlaceResult[], legend: {colours: string[]}}) => void} colour
 * @property {(service: string | null, layer: string | null) => void} showFacilities
 * @property {(code: string | null) => void} hover
 * @property {(code: string | null) => void} choose
 * @property {(code: string, covered_px?: number) => void} reveal pan to a place where it is out of view, or below what covers the lower edge
 */

import { liveMap } from "./livemap.js";
import { keepScale } from "./scalebar.js";
import { cityStyle, facilityLayers, fillColour, fitPadding } from "./style.js";

const FROM = { source: "places", sourceLayer: "places" };
const PLACES = ["settlements-fill", "places-fill"];

/** Tell whether this browser can draw the map at all. */
export function canDraw() {
  const canvas = document.createElement("canvas");
  return canvas.getContext("webgl2") !== null;
}

/**
 * Draw a diagonal hatch as an image that tiles.
 * @param {string} stroke
 * @param {number} width
 * @param {string} [ground]
 */
function hatch(stroke, width, ground) {
  const size = 20;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  if (ground) {
    pen.fillStyle = ground;
    pen.fillRect(0, 0, size, size);
  }
  pen.strokeStyle = stroke;
  pen.lineWidth = width;
  pen.lineCap = "square";
  for (const shift of [-size, 0, size]) {
    pen.beginPath();
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
    pen.stroke();
  }
  return pen.getImageData(0, 0, size, size);
}

/**
 * Make the map.
 * @param {object} parts
 * @param {HTMLElement} parts.container
 * @param {HTMLElement} parts.scaleBar
 * @param {HTMLElement} parts.key the colours' key that lies over a lower corner
 * @param {MapConfig & {urls: {worker: string, tiles: string}, bounds: [number, number, number, number]}} parts.config
 * @param {{places: PlaceResult[], legend: {colours: string[]}}} parts.results
 * @param {Record<string, string | undefined>} parts.words
 * @param {(code: string | null, at: {x: number, y: number} | null) => void} parts.onHover
 * @param {(code: string | null) => void} parts.onChoose
 * @param {(number: number) => void} [parts.onFacility] a facility of the service shown, by its row
 * @param {() => void} parts.onReady
 * @returns {CityMap}
 */
export function makeMap({ container, scaleBar, key, config, results, words, onHover, onChoose, onFacility, onReady }) {
  const isRtl = config.language === "fa";
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const byCode = Object.fromEntries(results.places.map((place) => [place.code, place]));
  const map = liveMap({
    container,
    style: cityStyle(config, byCode, location.origin),
    bounds: config.bounds,
    fitBoundsOptions: { padding: fitPadding(config.bounds, sizeOf(container), sizeOf(key), isRtl ? "left" : "right") },
    maxZoom: 18,
    minZoom: 8,
    fadeDuration: calm ? 0 : 150,
  }, config, words);
  map.addImage("hatch-none", hatch("#b4bbc4", 2.5, "#ffffff"), { pixelRatio: 2 });
  map.addImage("hatch-settlement", hatch("rgba(138,15,87,0.62)", 2.2), { pixelRatio: 2 });

  /** @type {string | null} */
  let hovered = null;
  /** @type {string | null} */
  let chosen = null;
  /** @type {string} */
  let facilities = "";

  // A map cannot be changed before it is loaded; what is asked until then is done then, in its order.
  let isLoaded = false;
  /** @type {(() => void)[]} */
  const waiting = [];
  /** @param {() => void} change */
  const whenLoaded = (change) => {
    if (isLoaded) change();
    else waiting.push(change);
  };

  /** @param {{places: PlaceResult[], legend: {colours: string[]}}} fresh */
  const colour = (fresh) => {
    for (const place of fresh.places) map.setFeatureState({ ...FROM, id: place.code }, { class: place.class });
    const paint = fillColour(fresh.legend.colours);
    for (const layer of PLACES) map.setPaintProperty(layer, "fill-color", paint);
  };

  /**
   * @param {"hover" | "chosen"} key
   * @param {string | null} before
   * @param {string | null} now
   */
  const mark = (key, before, now) => {
    if (before === now) return;
    whenLoaded(() => {
      if (before) map.setFeatureState({ ...FROM, id: before }, { [key]: false });
      if (now) map.setFeatureState({ ...FROM, id: now }, { [key]: true });
    });
  };

  /** @param {string | null} service @param {string | null} layer */
  const showFacilities = (service, layer) => {
    const wanted = service && layer ? `${layer}/${service}` : "";
    if (wanted === facilities) return;
    facilities = wanted;
    for (const id of ["facility-area", "facility-edge", "facility-line", "facility-point"]) if (map.getLayer(id)) map.removeLayer(id);
    if (!service || !layer) return;
    const source = config.layers.some((base) => base.code === layer) ? `base-${layer}` : `service-${layer}`;
    if (!map.getSource(source)) map.addSource(source, { type: "vector", url: `${location.origin}${config.urls.tiles}layers/${layer}.json` });
    for (const spec of facilityLayers(source, service)) map.addLayer(spec, "names");
  };

  /** @param {string} code @param {number} [covered_px] */
  const reveal = (code, covered_px = 0) => {
    const point = config.points[code];
    if (!point) return;
    const center = /** @type {[number, number]} */ ([point[0], point[1]]);
    const { x, y } = map.project(center);
    const isSeen = x > 0 && y > 0 && x < container.clientWidth && y < container.clientHeight - covered_px;
    if (!isSeen) map.easeTo({ center, offset: [0, -covered_px / 2], duration: calm ? 0 : 400 });
  };

  keepScale(map, scaleBar, config.language);

  map.on("load", () => {
    isLoaded = true;
    colour(results);
    for (const change of waiting.splice(0)) change();
    container.classList.add("is-ready");
    onReady();
  });
  map.on("mousemove", (event) => {
    const found = map.getLayer("places-fill") ? map.queryRenderedFeatures(event.point, { layers: PLACES })[0] : undefined;
    const code = found ? String(found.properties.code) : null;
    mark("hover", hovered, code);
    hovered = code;
    map.getCanvas().style.cursor = code ? "pointer" : "";
    onHover(code, event.point);
  });
  map.on("mouseout", () => {
    mark("hover", hovered, null);
    hovered = null;
    onHover(null, null);
  });
  map.on("click", (event) => {
    const shown = ["facility-point", "facility-area"].filter((id) => map.getLayer(id));
    const { x, y } = event.point;
    const facility = onFacility && shown.length ? map.queryRenderedFeatures([[x - 5, y - 5], [x + 5, y + 5]], { layers: shown })[0] : undefined;
    if (facility && Number.isInteger(facility.properties.number)) return onFacility?.(Number(facility.properties.number));
    const found = map.queryRenderedFeatures(event.point, { layers: PLACES })[0];
    onChoose(found ? String(found.properties.code) : null);
  });

  return {
    live: map,
    colour: (fresh) => whenLoaded(() => colour(fresh)),
    showFacilities: (service, layer) => whenLoaded(() => showFacilities(service, layer)),
    hover: (code) => {
      mark("hover", hovered, code);
      hovered = code;
    },
    choose: (code) => {
      mark("chosen", chosen, code);
      chosen = code;
    },
    reveal,
  };
}

/** @param {HTMLElement} element */
const sizeOf = (element) => ({ width: element.offsetWidth, height: element.offsetHeight });
