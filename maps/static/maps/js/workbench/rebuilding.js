// @ts-check
/**
 * A partition made anew from shapes, as where another's shape is taken over. Pure. What is exactly shared becomes shared again; lines that
 * were there before stay the same values, so that comparing with them stays cheap.
 *
 * @import { Line, Position, Shape } from "./geometry.js"
 * @import { Partition } from "./partition.js"
 */

import { isSame } from "./geometry.js";

/** @param {Position} a @param {Position} b */
const edgeOf = (a, b) => `${a[0]} ${a[1]} ${b[0]} ${b[1]}`;
/** @param {Position} at */
const vertexOf = (at) => `${at[0]} ${at[1]}`;

/**
 * Make the partition of the given shapes.
 * @param {Readonly<Record<string, Shape>>} shapes by code
 * @param {Partition} before gives the tolerance, the origins, and the lines to keep
 * @returns {Partition}
 */
export function partitionFrom(shapes, before) {
  const lines = Object.fromEntries(Object.entries(shapes).map(([code, shape]) => [code, shape.map((rings) => rings.map(withoutRepeats))]));
  const nodes = nodesOf(lines);
  const known = new Map(before.arcs.filter((line) => line.length > 1).flatMap((line) => [[edgeOf(line[0], line[1]), line], [edgeOf(line[line.length - 1], line[line.length - 2]), line]]));
  /** @type {Line[]} */
  const arcs = [];
  /** @type {Map<string, number>} the arc that holds an edge, walked that way */
  const holders = new Map();

  /** @param {Position[]} chain */
  const refOf = (chain) => {
    const held = holders.get(edgeOf(chain[0], chain[1]));
    if (held !== undefined) return held;
    const old = known.get(edgeOf(chain[0], chain[1]));
    const isKept = old?.length === chain.length && (chain.every((at, i) => isSame(at, old[i])) || chain.every((at, i) => isSame(at, old[old.length - 1 - i])));
    const line = isKept ? old : chain;
    const arc = arcs.push(line) - 1;
    for (let i = 1; i < line.length; i++) {
      holders.set(edgeOf(line[i - 1], line[i]), arc);
      holders.set(edgeOf(line[i], line[i - 1]), ~arc);
    }
    return /** @type {number} */ (holders.get(edgeOf(chain[0], chain[1])));
  };

  const faces = Object.fromEntries(
    Object.entries(lines).map(([code, shape]) => [
      code,
      shape.map((rings) =>
        rings.map((ring) => {
          const start = ring.findIndex((at) => nodes.has(vertexOf(at)));
          const turned = start > 0 ? [...ring.slice(start, -1), ...ring.slice(0, start + 1)] : ring;
          /** @type {number[]} */
          const refs = [];
          let from = 0;
          for (let i = 1; i < turned.length; i++) {
            if (i < turned.length - 1 && !nodes.has(vertexOf(turned[i]))) continue;
            refs.push(refOf(turned.slice(from, i + 1)));
            from = i;
          }
          return refs;
        }),
      ),
    ]),
  );
  return { tolerance_m: before.tolerance_m, arcs, faces, origins: Object.fromEntries(Object.entries(before.origins).filter(([code]) => code in faces)) };
}

/** @param {Line} ring */
const withoutRepeats = (ring) => ring.filter((at, i) => i === 0 || !isSame(at, ring[i - 1]));

/**
 * Return the vertices where arcs end: where other than two edges meet, or edges between other places follow.
 * @param {Record<string, Line[][]>} lines
 */
function nodesOf(lines) {
  /** @type {Map<string, string>} places of an edge, by the edge from its lower end */
  const users = new Map();
  /** @type {Map<string, Set<string>>} edges of a vertex */
  const edges = new Map();
  for (const [code, shape] of Object.entries(lines)) {
    for (const ring of shape.flat()) {
      for (let i = 1; i < ring.length; i++) {
        const [a, b] = [vertexOf(ring[i - 1]), vertexOf(ring[i])];
        const edge = a < b ? `${a}|${b}` : `${b}|${a}`;
        const before = users.get(edge);
        users.set(edge, before === undefined ? code : [before, code].sort().join("|"));
        for (const end of [a, b]) {
          const own = edges.get(end) ?? new Set();
          edges.set(end, own.add(edge));
        }
      }
    }
  }
  const nodes = new Set();
  for (const [vertex, own] of edges) {
    if (own.size !== 2 || new Set([...own].map((edge) => users.get(edge))).size > 1) nodes.add(vertex);
  }
  return nodes;
}
