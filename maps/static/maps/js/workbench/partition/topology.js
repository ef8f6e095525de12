// @ts-check
/**
 * What lies beside and beyond an arc, found once for all values with the same faces.
 *
 * @import { Line, Position } from "../geometry.js"
 * @import { Partition, Side } from "./types.js"
 */

import { EditError, turning } from "../geometry.js";
import { lineOfRing } from "./lines.js";

/**
 * @typedef {object} Topology
 * @property {Side[]} left
 * @property {Side[]} right
 * @property {number[]} start  number of the node an arc begins in
 * @property {number[]} end
 * @property {number[][]} ends  by node: i where arc i begins, ~i where it ends
 * @property {number[]} island  by arc: arcs that hang together have the same number
 * @property {number} islands
 * @property {ReadonlySet<number>} contested  arcs with two places on one side
 */

/** @type {WeakMap<Partition["faces"], Topology>} */
export const topologies = new WeakMap();

/** @param {Partition} partition @returns {Topology} */
export function topologyOf({ arcs, faces }) {
  const known = topologies.get(faces);
  if (known) return known;
  const { start, end, ends } = nodesOf(arcs);
  /** @type {Side[]} */
  const left = arcs.map(() => null);
  /** @type {Side[]} */
  const right = arcs.map(() => null);
  const contested = new Set();
  for (const [code, face] of Object.entries(faces)) {
    for (const rings of face) {
      for (const [number, ring] of rings.entries()) {
        const isLeft = turning(lineOfRing(arcs, ring)) > 0 === (number === 0);
        for (const ref of ring) {
          const arc = ref < 0 ? ~ref : ref;
          const beside = isLeft === ref >= 0 ? left : right;
          if (beside[arc] !== null && beside[arc] !== code) contested.add(arc);
          beside[arc] = code;
        }
      }
    }
  }
  const found = { left, right, start, end, ends, ...islandsOf(arcs, start, end, ends), contested };
  topologies.set(faces, found);
  return found;
}

/**
 * Number the arcs that hang together.
 * @param {readonly Line[]} arcs
 * @param {readonly number[]} start
 * @param {readonly number[]} end
 * @param {readonly number[][]} ends
 */
export function islandsOf(arcs, start, end, ends) {
  const island = arcs.map(() => -1);
  let islands = 0;
  for (let first = 0; first < arcs.length; first++) {
    if (island[first] >= 0 || !arcs[first].length) continue;
    const waiting = [first];
    island[first] = islands;
    for (let arc = waiting.pop(); arc !== undefined; arc = waiting.pop()) {
      for (const half of [...ends[start[arc]], ...ends[end[arc]]]) {
        const next = half < 0 ? ~half : half;
        if (island[next] >= 0) continue;
        island[next] = islands;
        waiting.push(next);
      }
    }
    islands++;
  }
  return { island, islands };
}

/** @param {readonly Line[]} arcs */
export function nodesOf(arcs) {
  /** @type {Map<number, Map<number, number>>} */
  const byPosition = new Map();
  /** @type {number[][]} */
  const ends = [];
  /** @param {Position} position @param {number} ref */
  const nodeAt = ([x, y], ref) => {
    let column = byPosition.get(x);
    if (!column) byPosition.set(x, (column = new Map()));
    let node = column.get(y);
    if (node === undefined) column.set(y, (node = ends.push([]) - 1));
    ends[node].push(ref);
    return node;
  };
  const start = arcs.map((line, arc) => (line.length ? nodeAt(line[0], arc) : -1));
  const end = arcs.map((line, arc) => (line.length ? nodeAt(line[line.length - 1], ~arc) : -1));
  return { start, end, ends };
}

/**
 * Return the ends of arcs in a vertex: of all that meet there, or of this arc alone if it is none's end.
 * @param {Partition} partition
 * @param {number} arc
 * @param {number} index
 */
export function endsAt(partition, arc, index) {
  const last = lineOf(partition, arc).length - 1;
  if (index > 0 && index < last) return [arc];
  const { start, end, ends } = topologyOf(partition);
  return ends[index === 0 ? start[arc] : end[arc]];
}

/** @param {Partition} partition @param {number} arc @returns {Line} */
export function lineOf(partition, arc) {
  const line = partition.arcs[arc];
  if (!line?.length) throw new EditError("unknown_arc");
  topologyOf(partition); // found before the edit: what comes of it may be turned inside out, and is then refused
  return line;
}

/** @param {Partition} partition @param {number} arc @param {number} index @returns {Position} */
export function vertexOf(partition, arc, index) {
  const line = lineOf(partition, arc);
  if (!line[index]) throw new EditError("unknown_vertex", line[0]);
  return line[index];
}
