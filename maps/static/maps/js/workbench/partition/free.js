// @ts-check
/**
 * Free polygons such as settlements, worked on with the same edits as places that tile: each as a partition of its own.
 *
 * @import { Shape } from "../geometry.js"
 * @import { Partition } from "./types.js"
 *
 * @typedef {"apart" | "touching" | "overlapping"} Lie  how two shapes lie to each other; those that meet in a point alone are apart
 * @typedef {{shape: Shape, lie: Lie}} United
 */

import { EditError, geometryOf } from "../geometry.js";
import { area_m2 } from "../measure.js";
import { neighboursOf, polygonOf } from "./asking.js";
import { add, merge } from "./places.js";

/** Codes no place can have, for what lives only during an edit. */
const [ONE, OTHER] = ["~one", "~other"];

/** Less of a shape is lost by rounding when it is laid onto another's boundary. */
const SAME_SHARE = 1e-4;

const TOLERANCE_M = 0.5;

/**
 * Return a shape as a partition of its own.
 * @param {Shape} shape
 * @param {string} code
 * @returns {Partition}
 */
export function alone(shape, code) {
  /** @type {any[]} */
  const arcs = [];
  const face = shape.map((rings) => rings.map((line) => [arcs.push(line) - 1]));
  return { tolerance_m: TOLERANCE_M, arcs, faces: { [code]: face }, origins: {} };
}

/**
 * Return a face as a shape.
 * @param {Partition} partition
 * @param {string} code
 * @returns {Shape}
 */
export function shaped(partition, code) {
  return /** @type {Shape} */ (/** @type {unknown} */ (polygonOf(partition, code).coordinates));
}

/**
 * Unite two shapes: what both cover is covered once, and where they do not meet the parts of both stand side by side. Vertices of the
 * second within the tolerance of the first are laid onto it, so that no sliver is left between.
 * @param {Shape} one
 * @param {Shape} other
 * @returns {United}
 */
export function united(one, other) {
  if (!isBoxShared(one, other)) return { shape: [...one, ...other], lie: "apart" };
  let both;
  try {
    both = add(alone(one, ONE), OTHER, geometryOf(other));
  } catch (error) {
    if (error instanceof EditError && error.code === "nothing_covered") return { shape: one, lie: "overlapping" };
    throw error;
  }
  if (!neighboursOf(both, ONE).includes(OTHER)) return { shape: [...shaped(both, ONE), ...shaped(both, OTHER)], lie: "apart" };
  const isOverlapping = area_m2(shaped(both, OTHER)) < area_m2(other) * (1 - SAME_SHARE);
  return { shape: shaped(merge(both, ONE, OTHER), ONE), lie: isOverlapping ? "overlapping" : "touching" };
}

/** Do the boxes of two shapes come within the tolerance of each other? @param {Shape} one @param {Shape} other */
function isBoxShared(one, other) {
  const far = (TOLERANCE_M / 111_320) * 6;
  return [0, 1].every((axis) => {
    const [a, b] = [one, other].map((shape) => shape.flat(2).map((at) => at[axis])).map((all) => [all.reduce((x, y) => Math.min(x, y)), all.reduce((x, y) => Math.max(x, y))]);
    return a[0] <= b[1] + far && b[0] <= a[1] + far;
  });
}
