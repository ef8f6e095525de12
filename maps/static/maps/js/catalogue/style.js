// @ts-check
/**
 * How a layer is drawn over the city's quiet base map: one colour, the chosen row in ink. Pure.
 *
 * @import { ExpressionSpecification as Expression, LayerSpecification } from "maplibre-gl"
 */

import { INK } from "../style.js";

export const SHOWN = "#0f6b6b";

/** The layers that can be clicked, those on top first. */
export const CLICKED = ["shown-point", "shown-line", "shown-fill"];

/**
 * Return a value for rows that are chosen or pointed at, and one for the others.
 * @param {unknown} chosen
 * @param {unknown} other
 * @returns {Expression}
 */
function marked(chosen, other) {
  return /** @type {any} */ (["case", ["any", ["boolean", ["feature-state", "chosen"], false], ["boolean", ["feature-state", "hover"], false]], chosen, other]);
}

/**
 * Return the layers that draw the features of a vector layer.
 * @returns {LayerSpecification[]}
 */
export function featureLayers() {
  const from = { source: "shown", "source-layer": "features" };
  /** @param {string} type @returns {Expression} */
  const only = (type) => ["==", ["geometry-type"], type];
  return [
    { id: "shown-fill", type: "fill", ...from, filter: only("Polygon"), paint: { "fill-color": marked(INK, SHOWN), "fill-opacity": marked(0.6, 0.35) } },
    { id: "shown-edge", type: "line", ...from, filter: only("Polygon"), layout: { "line-join": "round" }, paint: { "line-color": marked(INK, SHOWN), "line-width": marked(3, 1) } },
    { id: "shown-line", type: "line", ...from, filter: only("LineString"), layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": marked(INK, SHOWN), "line-width": ["interpolate", ["linear"], ["zoom"], 10, marked(5, 0.35), 13, marked(6, 1), 15, marked(7, 3)] } },
    { id: "shown-point", type: "circle", ...from, filter: only("Point"), paint: { "circle-color": marked(INK, SHOWN), "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, marked(8, 3), 13, marked(9, 4.5), 16, marked(10, 7)], "circle-stroke-color": "#fff", "circle-stroke-width": marked(3, 1.2) } },
  ];
}

/**
 * Return the ring around a point on the chosen row, which shows where it is even where the map is too far out to draw the row.
 * @returns {LayerSpecification}
 */
export function ringLayer() {
  return { id: "here", type: "circle", source: "here", paint: { "circle-radius": 13, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": INK, "circle-stroke-width": 2.5 } };
}

/**
 * Return the layer that draws a raster, below the streets and outlines.
 * @returns {LayerSpecification}
 */
export function rasterLayer() {
  return { id: "shown-raster", type: "raster", source: "shown", paint: { "raster-opacity": 0.85, "raster-fade-duration": 0 } };
}

/**
 * Widen a box that is a point or nearly, so that a map fitted to it still shows where it is.
 * @param {[number, number, number, number]} box west, south, east, north
 * @param {number} least degrees
 * @returns {[number, number, number, number]}
 */
export function widened([west, south, east, north], least = 0.004) {
  const x = Math.max(0, (least - (east - west)) / 2);
  const y = Math.max(0, (least - (north - south)) / 2);
  return [west - x, south - y, east + x, north + y];
}

/**
 * Read the box of a table's row.
 * @param {string | undefined} text
 * @returns {[number, number, number, number] | null}
 */
export function boxOf(text) {
  const numbers = (text ?? "").split(",").map(Number);
  return numbers.length === 4 && numbers.every(Number.isFinite) ? /** @type {[number, number, number, number]} */ (numbers) : null;
}
