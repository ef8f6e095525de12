// @ts-check
/**
 * The workbench's map: made once, then given the boundaries, what is chosen, the tasks and the differences to draw.
 *
 * @import { Feature } from "geojson"
 * @import { GeoJSONSource } from "maplibre-gl"
 * @import { MapConfig } from "../style.js"
 *
 * @import { Line, Position } from "./geometry.js"
 * @import { Source } from "./snapping.js"
 *
 * @typedef {[number, number, number, number]} Bounds
 */

import { Map as LiveMap, NavigationControl, setWorkerUrl } from "maplibre-gl";
import { keepScale } from "../scalebar.js";
import { afterPaint } from "./dom.js";
import { isSameFeatures } from "./features.js";
import { workbenchStyle } from "./layers.js";

/** Tell whether this browser can draw the map at all. */
export const canDraw = () => document.createElement("canvas").getContext("webgl2") !== null;

/** @returns {ImageData} a diagonal hatch that tiles */
function hatch() {
  const size = 20;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.strokeStyle = "rgba(138,15,87,0.6)";
  pen.lineWidth = 2;
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
 * @param {object} parts
 * @param {HTMLElement} parts.container
 * @param {HTMLElement} parts.scaleBar
 * @param {MapConfig & {urls: {worker: string, tiles: string}, bounds: Bounds}} parts.config
 * @param {(key: string) => string} parts.say
 * @param {() => number} parts.covered how many pixels at the lower edge something lies over
 */
export async function makeMap({ container, scaleBar, config, say, covered }) {
  setWorkerUrl(new URL(config.urls.worker, location.href).href);
  const isRtl = config.language === "fa";
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = new LiveMap({
    container,
    style: workbenchStyle(config, location.origin),
    bounds: config.bounds,
    fitBoundsOptions: { padding: 24 },
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxZoom: 21,
    minZoom: 8,
    boxZoom: false,
    fadeDuration: calm ? 0 : 150,
    locale: { "Map.Title": say("map"), "NavigationControl.ZoomIn": say("zoomIn"), "NavigationControl.ZoomOut": say("zoomOut") },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), isRtl ? "top-left" : "top-right");
  map.addImage("hatch-settlement", hatch(), { pixelRatio: 2 });

  keepScale(map, scaleBar, config.language);
  const tellView = () => {
    const { lng, lat } = map.getCenter();
    container.dataset.view = `${map.getZoom().toFixed(4)}/${lat.toFixed(7)}/${lng.toFixed(7)}`;
  };
  map.on("moveend", tellView);
  await new Promise((resolve) => map.once("load", resolve));
  tellView();
  container.classList.add("is-ready");

  /** @type {Map<string, Set<string | number>>} features that have a state, by state */
  const states = new Map();
  const later = afterPaint();
  /** @type {Map<string, Feature[]>} what each source has */
  const given = new Map();

  return {
    map,
    calm,
    /**
     * Put features into a source: after the page has shown what else changed, as drawing the map takes far longer than writing a number,
     * and only if they are others than it has.
     * @param {string} source
     * @param {Feature[]} features
     */
    put(source, features) {
      later(source, () => {
        if (isSameFeatures(given.get(source) ?? [], features)) return;
        given.set(source, features);
        /** @type {GeoJSONSource | undefined} */ (map.getSource(source))?.setData({ type: "FeatureCollection", features });
      });
    },
    /**
     * Give a state to some features of a source and take it from all others.
     * @param {string} source
     * @param {string} name
     * @param {Iterable<string | number>} ids
     */
    mark(source, name, ids) {
      const key = `${source} ${name}`;
      const wanted = new Set(ids);
      later(key, () => {
        const before = states.get(key) ?? new Set();
        for (const id of before) if (!wanted.has(id)) map.setFeatureState({ source, id }, { [name]: false });
        for (const id of wanted) if (!before.has(id)) map.setFeatureState({ source, id }, { [name]: true });
        states.set(key, wanted);
      });
    },
    /**
     * Show a box, leaving room for what lies over the map.
     * @param {Bounds} bounds
     * @param {{maxZoom?: number, isOnlyIfHidden?: boolean}} [how]
     */
    show(bounds, { maxZoom = 16, isOnlyIfHidden = false } = {}) {
      if (isOnlyIfHidden) {
        const view = map.getBounds();
        if (view.contains([bounds[0], bounds[1]]) && view.contains([bounds[2], bounds[3]])) return;
      }
      const most = Math.min(container.clientWidth, container.clientHeight);
      const margin = Math.min(80, most / 6);
      map.fitBounds(bounds, { padding: { top: margin, left: margin, right: margin, bottom: margin + covered() }, maxZoom, duration: calm ? 0 : 500 });
    },
    /** @param {[number, number]} at */
    pan(at) {
      const { x, y } = map.project(at);
      const [margin, hidden] = [48, covered()];
      if (x < margin || y < margin || x > container.clientWidth - margin || y > container.clientHeight - hidden - margin) map.easeTo({ center: at, offset: [0, -hidden / 2], duration: calm ? 0 : 250 });
    },
    /**
     * Show the shapes of a layer below the boundaries, or none.
     * @param {string | null} code
     */
    showLayer(code) {
      for (const id of ["wb-layer-fill", "wb-layer-line"]) if (map.getLayer(id)) map.removeLayer(id);
      if (map.getSource("wb-layer")) map.removeSource("wb-layer");
      if (!code) return;
      map.addSource("wb-layer", { type: "vector", url: `${location.origin}${config.urls.tiles}layers/${code}.json` });
      const from = { source: "wb-layer", "source-layer": "features" };
      map.addLayer({ id: "wb-layer-fill", type: "fill", ...from, paint: { "fill-color": "#0b3f6b", "fill-opacity": 0.12 } }, "wb-arcs-casing");
      map.addLayer({ id: "wb-layer-line", type: "line", ...from, paint: { "line-color": "#0b3f6b", "line-width": 1.2 } }, "wb-arcs-casing");
    },
    /**
     * Whether a layer that is shown has a shape at a position.
     * @param {Position} at
     */
    hasShapeAt: (at) => map.queryRenderedFeatures(map.project([at[0], at[1]]), { layers: ["wb-layer-fill"] }).length > 0,
    /**
     * Return the lines of streets and waters near a position, as they are drawn.
     * @param {Position} at
     * @param {number} reach_px
     * @returns {Source}
     */
    linesNear(at, reach_px) {
      const { x, y } = map.project([at[0], at[1]]);
      const layers = map.getStyle().layers.filter((layer) => /-street$|^stream-|^water-|^transit-/.test(layer.id)).map((layer) => layer.id);
      const found = map.queryRenderedFeatures([[x - reach_px, y - reach_px], [x + reach_px, y + reach_px]], { layers });
      return { name: "layer", lines: found.flatMap(({ geometry }) => linesOf(geometry)) };
    },
    /** Metres that a pixel in the middle of the map stands for. */
    metresPerPixel() {
      const middle = container.clientHeight / 2;
      return map.unproject([0, middle]).distanceTo(map.unproject([100, middle])) / 100;
    },
  };
}

/**
 * @param {any} geometry
 * @returns {Line[]}
 */
function linesOf({ type, coordinates }) {
  if (type === "LineString") return [coordinates];
  if (type === "MultiLineString" || type === "Polygon") return coordinates;
  return type === "MultiPolygon" ? coordinates.flat() : [];
}

/** @typedef {Awaited<ReturnType<typeof makeMap>>} WorkbenchMap */
