// @ts-check
/**
 * Small parts of the editing model: lines, rings and faces of a partition, and who asks for what does not exist.
 *
 * @import { MultiPolygon, Polygon } from "geojson"
 * @import { Box, Line, Position } from "../geometry.js"
 * @import { Face, Partition } from "./types.js"
 */

import { EditError, NEAR_DEG, boxAround, boxOf, isSame, positionInside, rounded, segmentBox, shareAlong } from "../geometry.js";

/** @type {Line} */
export const GONE = Object.freeze([]);

/** @param {Position} position */
export function keyOf([x, y]) {
  return `${x},${y}`;
}

/** @param {Position} a @param {Position} b */
export function isNear(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]) <= NEAR_DEG;
}

/** @param {Position} at @param {Position} a @param {Position} b */
export function isOnEdge(at, a, b) {
  return isNear(at, along(a, b, shareAlong(at, a, b, 1)));
}

/** @param {Position} a @param {Position} b @param {number} share @returns {Position} */
export function along(a, b, share) {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
}

/** @param {Line} one @param {Line} other */
export function isSameLine(one, other) {
  return one.length === other.length && one.every((at, i) => isSame(at, other[i]));
}

/** @param {Box} box @param {number} by_deg @returns {Box} */
export function grown([west, south, east, north], by_deg) {
  return [west - by_deg, south - by_deg, east + by_deg, north + by_deg];
}

/** @param {Position} a @param {Position} b @param {number} by_deg */
export function around(a, b, by_deg) {
  return grown(segmentBox(a, b), by_deg);
}

/** Return the middle of a line's middle segment. @param {Line} line @returns {Position} */
export function middleOf(line) {
  const i = Math.floor((line.length - 1) / 2);
  const [a, b] = line.length > 2 ? [line[i], line[i + 1]] : line;
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

/** @param {Line} line @returns {Position[]} */
export function withoutRepeats(line) {
  return line.filter((at, i) => i === 0 || !isSame(at, line[i - 1]));
}

/**
 * Return a line with the positions that lie on each segment, in order along it.
 * @param {Line} line
 * @param {(a: Position, b: Position) => Position[]} find
 */
export function withInserted(line, find) {
  /** @type {Position[]} */
  const result = [line[0]];
  for (let i = 1; i < line.length; i++) {
    const [a, b] = [line[i - 1], line[i]];
    result.push(...find(a, b).sort((p, q) => shareAlong(p, a, b, 1) - shareAlong(q, a, b, 1)), b);
  }
  return result;
}

/** @param {Polygon | MultiPolygon} polygon */
export function partsOf(polygon) {
  return polygon.type === "Polygon" ? [polygon.coordinates] : polygon.coordinates;
}

/** @param {Polygon | MultiPolygon} polygon */
export function cornerOf(polygon) {
  return rounded(partsOf(polygon)[0][0][0]);
}

/** Leave a position as it is if the line has it, else round it. @param {Line} line @param {readonly number[]} position @returns {Position} */
export function keptOrRounded(line, position) {
  return line.find((at) => at[0] === position[0] && at[1] === position[1]) ?? rounded(position);
}

/** @param {readonly Line[]} arcs @param {readonly number[]} ring @returns {Position[]} */
export function lineOfRing(arcs, ring) {
  /** @type {Position[]} */
  const line = [];
  for (const ref of ring) {
    const arc = arcs[ref < 0 ? ~ref : ref];
    if (line.length) line.pop();
    if (ref < 0) for (let i = arc.length - 1; i >= 0; i--) line.push(arc[i]);
    else for (let i = 0; i < arc.length; i++) line.push(arc[i]);
  }
  return line;
}

/** @param {readonly Line[]} arcs @param {Face} face */
export function shapeOfFace(arcs, face) {
  return face.map((rings) => rings.map((ring) => lineOfRing(arcs, ring)));
}

/** @param {readonly Line[]} arcs @param {Face} face @returns {Box} */
export function boxOfFace(arcs, face) {
  return face.flatMap((rings) => rings[0].map((ref) => boxOf(arcs[ref < 0 ? ~ref : ref]))).reduce(boxAround);
}

/** @param {readonly Line[]} arcs @param {number} arc @param {Line} line */
export function withLine(arcs, arc, line) {
  const next = [...arcs];
  next[arc] = line;
  return next;
}



/** @param {Partition} partition @param {string} code @returns {Face} */
export function faceOf(partition, code) {
  if (!Object.hasOwn(partition.faces, code)) throw new EditError("unknown_place", null, { code });
  return partition.faces[code];
}

/** @param {Partition} partition @param {string} code */
export function requireFree(partition, code) {
  if (!code || Object.hasOwn(partition.faces, code)) throw new EditError("code_taken", null, { code });
}

/** A position well inside a place. @param {Partition} partition @param {string} code @returns {Position} */
export function placeOf(partition, code) {
  return positionInside(shapeOfFace(partition.arcs, faceOf(partition, code))[0]);
}
