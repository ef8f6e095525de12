// @ts-check
/**
 * The map of a need: shows what is marked, and lets a finger mark a point, a line or a surface.
 *
 * @import { GeoJSONSource } from "maplibre-gl"
 * @import { Geometry } from "geojson"
 * @import { MapConfig } from "../style.js"
 * @import { Mark } from "./marking.js"
 *
 * @typedef {MapConfig & {urls: {tiles: string, worker: string}, bounds: [number, number, number, number], points: Record<string, number[]>, places: Record<string, {name: string, kind: string}>}} NeedMapConfig
 */

import { LngLatBounds } from "maplibre-gl";
import { liveMap } from "../livemap.js";
import { cityStyle } from "../style.js";
import { positionsOf } from "./marking.js";

const COLOUR = "#a1260d";

/** Tell whether this browser can draw the map at all. */
export const canDraw = () => document.createElement("canvas").getContext("webgl2") !== null;

/**
 * Make the map.
 * @param {HTMLElement} container
 * @param {NeedMapConfig} config
 * @param {Record<string, string | undefined>} words
 * @param {((position: [number, number]) => void) | null} onTap where the map is for marking
 */
export function makeMap(container, config, words, onTap) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = liveMap({
    container,
    style: cityStyle(config, config.places, location.origin),
    bounds: config.bounds,
    fitBoundsOptions: { padding: 16 },
    maxZoom: 20,
    fadeDuration: calm ? 0 : 150,
    cooperativeGestures: true,
  }, config, words);
  for (const name of ["hatch-none", "hatch-settlement"]) map.addImage(name, { width: 1, height: 1, data: new Uint8Array(4) });
  /** @type {any} */
  let shown = { type: "FeatureCollection", features: [] };
  map.on("load", () => {
    map.addSource("marked", { type: "geojson", data: shown });
    map.addLayer({ id: "marked-fill", type: "fill", source: "marked", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": COLOUR, "fill-opacity": 0.25 } });
    map.addLayer({ id: "marked-line", type: "line", source: "marked", filter: ["!=", ["geometry-type"], "Point"], layout: { "line-join": "round", "line-cap": "round" }, paint: { "line-color": COLOUR, "line-width": 3 } });
    map.addLayer({ id: "marked-point", type: "circle", source: "marked", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-color": COLOUR, "circle-radius": ["case", ["boolean", ["get", "is_corner"], false], 4, 8], "circle-stroke-color": "#fff", "circle-stroke-width": 2 } });
    container.dataset.ready = "true";
  });
  // Without a connection tiles are missing, and the marks stand on plain ground: no reason to complain.
  map.on("error", ({ error }) => {
    if (navigator.onLine && !/Failed to fetch|NetworkError|AJAXError/.test(String(error?.message))) console.error(`The map: ${error?.message ?? error}`);
  });
  if (onTap) map.on("click", ({ lngLat }) => onTap([lngLat.lng, lngLat.lat]));

  return {
    /** @param {Geometry | null} geometry @param {Mark | null} [mark] with its corners while it is drawn */
    show(geometry, mark = null) {
      const corners = mark && mark.kind !== "Point" ? mark.positions : [];
      const features = corners.map((coordinates) => ({ type: "Feature", properties: { is_corner: true }, geometry: { type: "Point", coordinates } }));
      shown = { type: "FeatureCollection", features: [...(geometry ? [{ type: "Feature", properties: {}, geometry }] : []), ...features] };
      /** @type {GeoJSONSource | undefined} */ (map.getSource("marked"))?.setData(shown);
    },
    /** @returns {[number, number]} */
    middle() {
      const { lng, lat } = map.getCenter();
      return [lng, lat];
    },
    /** Show a place, or the surroundings of what is marked. @param {Geometry | number[]} what */
    goTo(what) {
      const bounds = new LngLatBounds();
      if (Array.isArray(what)) bounds.extend([what[2], what[3]]).extend([what[4], what[5]]);
      else for (const position of positionsOf(what)) bounds.extend(/** @type {[number, number]} */ (position));
      map.fitBounds(bounds, { padding: 24, maxZoom: 16, duration: 0 });
    },
  };
}
