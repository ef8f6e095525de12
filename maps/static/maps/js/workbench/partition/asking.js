// @ts-check
/**
 * A partition as it travels, and what can be asked of it: shapes, sides, neighbours, gaps.
 *
 * @import { MultiPolygon } from "geojson"
 * @import { Position } from "../geometry.js"
 * @import { Partition, PartitionJson, Side } from "./types.js"
 */

import { EditError, isInShape, isSame } from "../geometry.js";
import { boxOfFace, faceOf, shapeOfFace } from "./lines.js";
import { endsAt, lineOf, topologyOf, vertexOf } from "./topology.js";

const DEFAULT_TOLERANCE_M = 0.5;

/**
 * Read a partition as it travels; what is broken is refused with a reason.
 * @param {any} json
 * @returns {Partition}
 */
export function fromJson(json) {
  const refuse = (/** @type {string} */ reason) => {
    throw new EditError("bad_partition", null, { reason });
  };
  if (!Array.isArray(json?.arcs) || typeof json.faces !== "object" || json.faces === null) refuse("arcs or faces are missing");
  const { arcs, faces, tolerance_m = DEFAULT_TOLERANCE_M } = json;
  for (const [number, arc] of arcs.entries()) {
    if (!Array.isArray(arc) || arc.length === 1) refuse(`arc ${number} has no two vertices`);
    for (const at of arc) if (!(Math.abs(at?.[0]) <= 180 && Math.abs(at[1]) <= 90)) refuse(`arc ${number} has a vertex without longitude and latitude`);
  }
  for (const [code, face] of Object.entries(faces)) {
    const isWhole = isFull(face) && face.every((rings) => isFull(rings) && rings.every((ring) => isFull(ring) && ring.every(Number.isInteger)));
    if (!isWhole) refuse(`${code} is not a list of polygons of rings of arcs`);
    for (const ring of face.flat()) {
      let end = null;
      for (const ref of ring) {
        const arc = arcs[ref < 0 ? ~ref : ref];
        if (!arc?.length) refuse(`${code} names an arc that is not there`);
        const start = ref < 0 ? arc[arc.length - 1] : arc[0];
        if (end && !isSame(end, start)) refuse(`a ring of ${code} is not connected`);
        end = ref < 0 ? arc[0] : arc[arc.length - 1];
      }
      const first = arcs[ring[0] < 0 ? ~ring[0] : ring[0]];
      if (!end || !isSame(end, ring[0] < 0 ? first[first.length - 1] : first[0])) refuse(`a ring of ${code} is not closed`);
    }
  }
  return { tolerance_m, arcs, faces, origins: {} };
}

/** @param {unknown} list @returns {list is any[]} */
function isFull(list) {
  return Array.isArray(list) && list.length > 0;
}

/**
 * Write a partition as it travels; arcs that bound no place are left out and the rest numbered anew.
 * @param {Partition} partition
 * @returns {PartitionJson}
 */
export function toJson({ tolerance_m, arcs, faces }) {
  /** @type {number[]} */
  const numbers = [];
  /** @type {number[][][]} */
  const living = [];
  const used = new Set(Object.values(faces).flatMap((face) => face.flat(2).map((ref) => (ref < 0 ? ~ref : ref))));
  for (const [i, arc] of arcs.entries()) if (used.has(i)) numbers[i] = living.push(arc.map(([x, y]) => [x, y])) - 1;
  const written = Object.entries(faces).map(([code, face]) => [
    code,
    face.map((rings) => rings.map((ring) => ring.map((ref) => (ref < 0 ? ~numbers[~ref] : numbers[ref])))),
  ]);
  return { tolerance_m, arcs: living, faces: Object.fromEntries(written) };
}

/**
 * Return one place as GeoJSON.
 * @param {Partition} partition
 * @param {string} code
 * @returns {MultiPolygon}
 */
export function polygonOf(partition, code) {
  return /** @type {any} */ ({ type: "MultiPolygon", coordinates: shapeOfFace(partition.arcs, faceOf(partition, code)) });
}

/**
 * Return every place as GeoJSON, by code.
 * @param {Partition} partition
 * @returns {Record<string, MultiPolygon>}
 */
export function polygonsOf(partition) {
  return Object.fromEntries(Object.keys(partition.faces).map((code) => [code, polygonOf(partition, code)]));
}

/**
 * Return the numbers of the arcs around a place.
 * @param {Partition} partition
 * @param {string} code
 */
export function arcsOf(partition, code) {
  return [...new Set(faceOf(partition, code).flatMap((rings) => rings.flatMap((ring) => ring.map((ref) => (ref < 0 ? ~ref : ref)))))];
}

/**
 * Return the places on the two sides of an arc, seen along it.
 * @param {Partition} partition
 * @param {number} arc
 * @returns {{left: Side, right: Side}}
 */
export function sidesOf(partition, arc) {
  lineOf(partition, arc);
  const { left, right } = topologyOf(partition);
  return { left: left[arc], right: right[arc] };
}

/**
 * Return the codes of the places an arc bounds: one at the edge of the city, else two.
 * @param {Partition} partition
 * @param {number} arc
 * @returns {string[]}
 */
export function facesOf(partition, arc) {
  const { left, right } = sidesOf(partition, arc);
  return [left, right].filter((code) => code !== null);
}

/**
 * Return the codes of the places that a vertex bounds, and so those that change when it moves.
 * @param {Partition} partition
 * @param {number} arc
 * @param {number} index
 * @returns {string[]}
 */
export function facesAt(partition, arc, index) {
  vertexOf(partition, arc, index);
  return [...new Set(endsAt(partition, arc, index).flatMap((end) => facesOf(partition, end < 0 ? ~end : end)))];
}

/**
 * Do several arcs end in this vertex?
 * @param {Partition} partition
 * @param {number} arc
 * @param {number} index
 */
export function isNode(partition, arc, index) {
  return endsAt(partition, arc, index).some((end) => (end < 0 ? ~end : end) !== arc);
}

/**
 * Return the places that share a boundary with the given one.
 * @param {Partition} partition
 * @param {string} code
 */
export function neighboursOf(partition, code) {
  const codes = new Set(arcsOf(partition, code).flatMap((arc) => facesOf(partition, arc)));
  codes.delete(code);
  return [...codes];
}

/**
 * Which place holds a position? Null outside all.
 * @param {Partition} partition
 * @param {Position} position
 * @returns {Side}
 */
export function faceAt(partition, position) {
  const [x, y] = position;
  for (const [code, face] of Object.entries(partition.faces)) {
    const [west, south, east, north] = boxOfFace(partition.arcs, face);
    if (x >= west && x <= east && y >= south && y <= north && isInShape(position, shapeOfFace(partition.arcs, face))) return code;
  }
  return null;
}
