// @ts-check
/**
 * What an edit may not do: let lines cross, turn a place inside out, or lay one over another.
 *
 * @import { Line, Position } from "../geometry.js"
 * @import { Partition } from "./types.js"
 * @import { EditOptions } from "./vertices.js"
 */

import {
  EditError,
  NEAR_DEG,
  boxAround,
  boxOf,
  isClosed,
  isInShape,
  isSame,
  linesNear,
  meeting,
  segmentBox,
  segmentsNear,
  turning,
} from "../geometry.js";
import { facesOf, sidesOf } from "./asking.js";
import { around, isNear, isOnEdge, lineOfRing, shapeOfFace } from "./lines.js";
import { topologyOf } from "./topology.js";

/**
 * @typedef {readonly [arc: number, from: number, to: number]} Span  segments from, from + 1 … to − 1 of an arc; −1 is a closed arc's last
 *
 * @typedef {object} Conflict
 * @property {"crosses" | "touches" | "folds" | "coincides" | "repeats"} kind
 * @property {Position} at
 * @property {number} arc  the changed arc
 * @property {number} other  the arc it meets
 */

/**
 * Where do some segments meet others, or the wrong way? Without spans, everywhere.
 * @param {Partition} partition
 * @param {readonly Span[]} [spans]
 * @returns {Conflict[]}
 */
export function conflictsOf(partition, spans) {
  const { arcs } = partition;
  const asked = spans ?? arcs.map((line, arc) => /** @type {Span} */ ([arc, 0, line.length - 1]));
  /** @type {Conflict[]} */
  const found = [];
  for (const [arc, from, to] of asked) {
    const line = arcs[arc];
    const count = line.length - 1;
    for (let k = from; k < to; k++) {
      const i = k < 0 || k >= count ? (isClosed(line) ? (k + count) % count : -1) : k;
      if (i < 0) continue;
      const [a, b] = [line[i], line[i + 1]];
      if (isSame(a, b)) {
        found.push({ kind: "repeats", at: a, arc, other: arc });
        continue;
      }
      const box = segmentBox(a, b);
      for (const other of linesNear(arcs, box)) {
        for (const j of segmentsNear(arcs[other], box)) {
          if (other === arc && j === i) continue;
          const met = meeting(a, b, arcs[other][j], arcs[other][j + 1]) ?? touching(partition, arc, i, other, j);
          if (met && !isAllowed(partition, met, arc, other, isSame(a, arcs[other][j]))) found.push({ ...met, arc, other });
        }
      }
    }
  }
  return found;
}

/**
 * Two segments with a common end belong together only if they follow each other or end in one node.
 * @param {Partition} partition
 * @param {number} arc
 * @param {number} i
 * @param {number} other
 * @param {number} j
 * @returns {{kind: "touches", at: Position} | null}
 */
function touching(partition, arc, i, other, j) {
  const [line, second] = [partition.arcs[arc], partition.arcs[other]];
  const m = isSame(line[i], second[j]) || isSame(line[i], second[j + 1]) ? i : i + 1;
  const n = isSame(line[m], second[j]) ? j : j + 1;
  if (!isSame(line[m], second[n])) return null;
  if (arc === other && m === n) return null;
  const isEnd = (m === 0 || m === line.length - 1) && (n === 0 || n === second.length - 1);
  const { start, end } = topologyOf(partition);
  if (isEnd && (m === 0 ? start[arc] : end[arc]) === (n === 0 ? start[other] : end[other])) return null;
  return { kind: "touches", at: line[m] };
}

/**
 * Places may touch each other in a point, only a ring may not touch itself; and two edges may be the same where places from either side
 * have come together.
 * @param {Partition} partition
 * @param {{kind: string}} met
 * @param {number} arc
 * @param {number} other
 * @param {boolean} isAlong  the edges that are the same run the same way
 */
function isAllowed(partition, { kind }, arc, other, isAlong) {
  if (kind === "touches") return !isInOneRing(partition, arc, other);
  if (kind !== "coincides" || arc === other) return false;
  const [own, met] = [sidesOf(partition, arc), sidesOf(partition, other)];
  const [left, right] = isAlong ? [met.left, met.right] : [met.right, met.left];
  return (own.left === null || left === null) && (own.right === null || right === null);
}

/** @param {Partition} partition @param {number} arc @param {number} other */
function isInOneRing(partition, arc, other) {
  const has = (/** @type {readonly number[]} */ ring, /** @type {number} */ one) => ring.includes(one) || ring.includes(~one);
  return facesOf(partition, arc).some((code) => partition.faces[code].some((rings) => rings.some((ring) => has(ring, arc) && has(ring, other))));
}

/**
 * Say what is wrong where two arcs meet: a place's boundary meets itself, or one place comes over another.
 * @param {Partition} partition
 * @param {Conflict} conflict
 */
export function errorOf(partition, { kind, at, arc, other }) {
  if (kind === "repeats") return new EditError("repeated_vertex", at);
  const [code = ""] = facesOf(partition, arc);
  const isOwn = facesOf(partition, other).some((one) => facesOf(partition, arc).includes(one));
  return new EditError(isOwn ? "crossing" : "overlap", at, { code });
}

/**
 * Return the new value if its changed segments meet nothing that the old ones did not.
 * @param {Partition} before
 * @param {readonly Line[]} arcs
 * @param {readonly Span[]} were
 * @param {readonly Span[]} are
 * @param {EditOptions} [options]
 * @returns {Partition}
 */
export function checked(before, arcs, were, are, { isChecked = true } = {}) {
  const after = { ...before, arcs };
  if (!isChecked) return after;
  const found = conflictsOf(after, are);
  if (found.length && found.length > conflictsOf(before, were).length) throw errorOf(after, found[0]);
  requireSameSides(before, after, were);
  requireSameIslands(before, after, were);
  return after;
}

/**
 * A vertex may pass over the edge opposite, which has its ends in common with the edges that move, without crossing it: refuse what turns
 * a place inside out, and what comes into another order around a node.
 * @param {Partition} before
 * @param {Partition} after
 * @param {readonly Span[]} spans
 */
function requireSameSides(before, after, spans) {
  const { start, end, ends } = topologyOf(before);
  const changed = new Set(spans.map(([arc]) => arc));
  for (const code of new Set([...changed].flatMap((arc) => facesOf(before, arc)))) {
    for (const ring of before.faces[code].flat()) {
      if (!ring.some((ref) => changed.has(ref < 0 ? ~ref : ref))) continue;
      const now = lineOfRing(after.arcs, ring);
      if (turning(lineOfRing(before.arcs, ring)) > 0 !== turning(now) > 0) throw new EditError("overlap", now[0], { code });
    }
  }
  for (const node of new Set([...changed].flatMap((arc) => [start[arc], end[arc]]))) {
    if (ends[node].length < 3) continue;
    const was = orderAround(before.arcs, ends[node]);
    // Edges that have come to lie on one another may be taken in either order: one of the turns keeps the order if any does.
    const isSameOrder = was.some((_, turn) => {
      const turned = [...was.slice(turn), ...was.slice(0, turn)];
      const is = orderAround(after.arcs, turned);
      const first = is.indexOf(turned[0]);
      return turned.every((one, i) => one === is[(first + i) % is.length]);
    });
    if (!isSameOrder) {
      const arc = [...changed].find((number) => start[number] === node || end[number] === node) ?? 0;
      const line = after.arcs[arc];
      throw new EditError("overlap", line[start[arc] === node ? 0 : line.length - 1], { code: facesOf(before, arc)[0] ?? "" });
    }
  }
}

/**
 * Sort the ends of arcs in a node as they lie around it; those in one direction stay in the order given.
 * @param {readonly Line[]} arcs
 * @param {readonly number[]} ends
 */
function orderAround(arcs, ends) {
  const angle = (/** @type {number} */ half) => {
    const line = arcs[half < 0 ? ~half : half];
    const [from, to] = half < 0 ? [line[line.length - 1], line[line.length - 2]] : [line[0], line[1]];
    return Math.atan2(to[1] - from[1], to[0] - from[0]);
  };
  return [...ends].sort((a, b) => angle(a) - angle(b));
}

/**
 * What a new vertex lies on: a vertex of an arc, which it then is, or edges, which get it.
 *
 * @typedef {object} Met
 * @property {Position} at
 * @property {boolean} isVertex
 * @property {[arc: number, segment: number][]} edges
 */

/**
 * @param {Partition} partition
 * @param {Position} at
 * @param {(line: Line, segment: number) => boolean} isOwn  true of segments that end in the vertex
 * @returns {Met}
 */
export function metAt({ arcs }, at, isOwn) {
  const box = around(at, at, NEAR_DEG);
  /** @type {[number, number][]} */
  const edges = [];
  for (const arc of linesNear(arcs, box)) {
    for (const i of segmentsNear(arcs[arc], box)) {
      if (isOwn(arcs[arc], i)) continue;
      const [a, b] = [arcs[arc][i], arcs[arc][i + 1]];
      const end = isNear(a, at) ? a : isNear(b, at) ? b : null;
      if (end) return { at: end, isVertex: true, edges: [] };
      if (isOnEdge(at, a, b)) edges.push([arc, i]);
    }
  }
  return { at, isVertex: false, edges };
}


/**
 * A line may pass over a whole place that touches no other without crossing it: refuse that.
 * @param {Partition} before
 * @param {Partition} after
 * @param {readonly Span[]} spans
 */
function requireSameIslands(before, after, spans) {
  const { island, islands } = topologyOf(before);
  if (islands < 2) return;
  const arcs = [...new Set(spans.map(([arc]) => arc))];
  const own = island[arcs[0]];
  const box = arcs.map((arc) => boxAround(boxOf(before.arcs[arc]), boxOf(after.arcs[arc]))).reduce(boxAround);
  const codes = [...new Set(arcs.flatMap((arc) => facesOf(before, arc)))];
  /** @type {Set<number>} */
  const seen = new Set();
  for (const arc of linesNear(before.arcs, box)) {
    if (island[arc] === own || seen.has(island[arc])) continue;
    seen.add(island[arc]);
    const at = before.arcs[arc][0];
    for (const code of codes) {
      const was = isInShape(at, shapeOfFace(before.arcs, before.faces[code]));
      if (was !== isInShape(at, shapeOfFace(after.arcs, after.faces[code]))) throw new EditError("overlap", at, { code });
    }
  }
}
