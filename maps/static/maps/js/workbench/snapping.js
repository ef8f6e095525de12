// @ts-check
/**
 * What a pointer is near: the nearest vertex, else the nearest edge, of boundaries and of other lines. Pure.
 * Boxes around lines are found once per line: an edit shares all lines but the few it changes, so only those are looked at anew.
 *
 * @import { Box, Line, Position } from "./geometry.js"
 * @import { Partition } from "./partition.js"
 *
 * @typedef {object} Source
 * @property {string} name  where the lines come from: "arc", "settlement", or a layer's code
 * @property {readonly Line[]} lines
 * @property {readonly string[]} [codes]  whose each line is
 *
 * @typedef {object} Snap
 * @property {"vertex" | "edge"} kind
 * @property {Position} at  the vertex itself, or the rounded position on the edge
 * @property {number} distance_m  from where was asked
 * @property {string} source  name of the source
 * @property {number} line  number of the line in its source: of an arc, its number
 * @property {number} index  of the vertex, or of the edge's first vertex
 * @property {string} [code]  whose line it is, where the source says so
 *
 * @typedef {object} SnapOptions
 * @property {(source: Source, line: number, index: number) => boolean} [isLeftOut]  vertices not to snap to, as the one dragged, nor their edges
 * @property {boolean} [hasEdges]  false for vertices alone; true by default
 */

import { isSame, linesNear, rounded, segmentsNear, shareAlong } from "./geometry.js";
import { metresPerDegree } from "./measure.js";

const TILE_PIXELS = 512; // of the live map
const EQUATOR_M = 40_075_016.686;

/**
 * Return how many metres a pixel is on the live map.
 * @param {number} zoom
 * @param {number} lat
 */
export function metresPerPixel(zoom, lat) {
  return (EQUATOR_M * Math.cos((lat * Math.PI) / 180)) / (TILE_PIXELS * 2 ** zoom);
}

/**
 * Return the arcs of a partition as something to snap to. Line numbers are arc numbers.
 * @param {Partition} partition
 * @returns {Source}
 */
export function arcSource({ arcs }) {
  return { name: "arc", lines: arcs };
}

/** @type {WeakMap<object, Source>} */
const settlementSources = new WeakMap();

/**
 * Return the rings of free polygons as something to snap to.
 * @param {Readonly<Record<string, readonly (readonly Line[])[]>>} shapes polygons of rings, by code
 * @param {string} [name]
 * @returns {Source}
 */
export function shapeSource(shapes, name = "settlement") {
  const known = settlementSources.get(shapes);
  if (known?.name === name) return known;
  const rings = Object.entries(shapes).flatMap(([code, shape]) => shape.flat().map((line) => ({ code, line })));
  const source = { name, lines: rings.map(({ line }) => line), codes: rings.map(({ code }) => code) };
  settlementSources.set(shapes, source);
  return source;
}

/**
 * Find what is nearest within a radius: a vertex if there is any, else an edge. Null if nothing is near.
 * @param {Position} position
 * @param {readonly Source[]} sources the first wins where two are equally near
 * @param {number} radius_m
 * @param {SnapOptions} [options]
 * @returns {Snap | null}
 */
export function nearest(position, sources, radius_m, { isLeftOut, hasEdges = true } = {}) {
  const [x, y] = position;
  const [x_m, y_m] = metresPerDegree(y);
  const [reach_x, reach_y] = [radius_m / x_m, radius_m / y_m];
  /** @type {Box} */
  const box = [x - reach_x, y - reach_y, x + reach_x, y + reach_y];
  /** @param {number} to_x @param {number} to_y */
  const far = (to_x, to_y) => Math.hypot((to_x - x) * x_m, (to_y - y) * y_m);
  /** @type {Snap | null} */
  let vertex = null;
  /** @type {Snap | null} */
  let edge = null;
  let [vertex_m, edge_m] = [radius_m, radius_m];
  for (const source of sources) {
    for (const line of linesNear(source.lines, box)) {
      const positions = source.lines[line];
      for (const i of segmentsNear(positions, box)) {
        const [a, b] = [positions[i], positions[i + 1]];
        const [isOut, isNextOut] = isLeftOut ? [isLeftOut(source, line, i), isLeftOut(source, line, i + 1)] : [false, false];
        for (const [index, end, isEndOut] of /** @type {[number, Position, boolean][]} */ ([[i, a, isOut], [i + 1, b, isNextOut]])) {
          const distance_m = isEndOut ? Infinity : far(end[0], end[1]);
          if (distance_m < vertex_m || (!vertex && distance_m === vertex_m)) {
            vertex_m = distance_m;
            vertex = snapOf("vertex", end, distance_m, source, line, index);
          }
        }
        if (!hasEdges || vertex || isOut || isNextOut) continue;
        const share = shareAlong(position, a, b, x_m / y_m);
        const [on_x, on_y] = [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
        const distance_m = far(on_x, on_y);
        if (distance_m < edge_m || (!edge && distance_m === edge_m)) {
          edge_m = distance_m;
          edge = snapOf("edge", [on_x, on_y], distance_m, source, line, i);
        }
      }
    }
  }
  return vertex ?? (edge && { ...edge, at: rounded(edge.at) });
}

/**
 * Leave out a vertex that is being dragged, wherever it is: for `isLeftOut`.
 * @param {Position} dragged
 * @returns {(source: Source, line: number, index: number) => boolean}
 */
export function without(dragged) {
  return ({ lines }, line, index) => isSame(lines[line][index], dragged);
}

/**
 * @param {"vertex" | "edge"} kind
 * @param {Position} at
 * @param {number} distance_m
 * @param {Source} source
 * @param {number} line
 * @param {number} index
 * @returns {Snap}
 */
function snapOf(kind, at, distance_m, source, line, index) {
  const snap = { kind, at, distance_m, source: source.name, line, index };
  return source.codes ? { ...snap, code: source.codes[line] } : snap;
}
