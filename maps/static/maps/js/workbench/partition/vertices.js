// @ts-check
/**
 * Edits of vertices: move, add, remove, or redraw a whole line; both sides follow.
 *
 * @import { Line, Position } from "../geometry.js"
 * @import { Partition } from "./types.js"
 * @import { Met, Span } from "./validity.js"
 */

import { EditError, NEAR_DEG, isClosed, isSame, rounded, segmentsNear, turning } from "../geometry.js";
import { facesOf, isNode } from "./asking.js";
import { Draft } from "./drafting.js";
import { around, isOnEdge, keptOrRounded, withLine, withoutRepeats } from "./lines.js";
import { endsAt, lineOf, vertexOf } from "./topology.js";
import { checked, metAt } from "./validity.js";

/**
 * @typedef {object} EditOptions
 * @property {boolean} [isChecked]  false lets a boundary cross others for the moment, as while a vertex is dragged across; true by default
 */

/**
 * Move a vertex; where several arcs meet, it moves for all of them. Moved onto another place's boundary, it becomes a vertex of both.
 * @param {Partition} partition
 * @param {number} arc
 * @param {number} index of the vertex along the arc
 * @param {readonly number[]} position
 * @param {EditOptions} [options]
 * @returns {Partition}
 */
export function vertexMove(partition, arc, index, position, options) {
  const old = vertexOf(partition, arc, index);
  if (isSame(old, rounded(position))) return partition;
  const own = new Set(endsAt(partition, arc, index).map((end) => (end < 0 ? ~end : end)));
  const met = metAt(partition, rounded(position), (line, i) => isSame(line[i], old) || isSame(line[i + 1], old));
  const arcs = [...partition.arcs];
  const spans = moveVertex(partition, arcs, arc, index, met.at);
  return accepted(partition, arcs, spans, spans, own, [met], options);
}

/**
 * Move a vertex in the arcs given, which are changed.
 * @param {Partition} partition
 * @param {Line[]} arcs
 * @param {number} arc
 * @param {number} index
 * @param {Position} at
 * @returns {Span[]} the segments that change
 */
function moveVertex(partition, arcs, arc, index, at) {
  const isInner = index > 0 && index < partition.arcs[arc].length - 1;
  return endsAt(partition, arc, index).map((end) => {
    const number = end < 0 ? ~end : end;
    const line = [...arcs[number]];
    const place = isInner ? index : end < 0 ? line.length - 1 : 0;
    line[place] = at;
    arcs[number] = line;
    return [number, place - 1, place + 1];
  });
}

/**
 * Add a vertex to an arc: it becomes the vertex of the given index, between the present index − 1 and index.
 * @param {Partition} partition
 * @param {number} arc
 * @param {number} index
 * @param {readonly number[]} position
 * @param {EditOptions} [options]
 * @returns {Partition}
 */
export function vertexAdd(partition, arc, index, position, options) {
  const line = lineOf(partition, arc);
  if (!(Number.isInteger(index) && index > 0 && index < line.length)) throw new EditError("unknown_vertex", line[0]);
  const edge = line[index - 1];
  const met = metAt(partition, rounded(position), (other, i) => other === line && other[i] === edge);
  const arcs = withLine(partition.arcs, arc, [...line.slice(0, index), met.at, ...line.slice(index)]);
  return accepted(partition, arcs, [[arc, index - 1, index]], [[arc, index - 1, index + 1]], new Set([arc]), [met], options);
}

/**
 * Remove a vertex of an arc. A vertex where several arcs meet stays.
 * @param {Partition} partition
 * @param {number} arc
 * @param {number} index
 * @param {EditOptions} [options]
 * @returns {Partition}
 */
export function vertexRemove(partition, arc, index, options) {
  const line = lineOf(partition, arc);
  const at = vertexOf(partition, arc, index);
  const isEnd = index === 0 || index === line.length - 1;
  const isFree = isClosed(line) && !isNode(partition, arc, 0);
  if (isEnd && !isFree) throw new EditError("node", at);
  if (isClosed(line) && line.length <= 4) throw new EditError("degenerate_ring", at);
  if (isEnd) {
    const rest = [...line.slice(1, -1), line[1]];
    return checked(partition, withLine(partition.arcs, arc, rest), [[arc, -1, 1]], [[arc, rest.length - 2, rest.length - 1]], options);
  }
  const arcs = withLine(partition.arcs, arc, [...line.slice(0, index), ...line.slice(index + 1)]);
  return checked(partition, arcs, [[arc, index - 1, index + 1]], [[arc, index - 1, index]], options);
}

/**
 * Give an arc another course. Where its ends differ, their nodes move in all arcs. Vertices it has already keep all their decimals.
 * @param {Partition} partition
 * @param {number} arc
 * @param {readonly (readonly number[])[]} coordinates
 * @param {EditOptions} [options]
 * @returns {Partition}
 */
export function arcReplace(partition, arc, coordinates, options) {
  const old = lineOf(partition, arc);
  let line = withoutRepeats(coordinates.map((position) => keptOrRounded(old, position)));
  if (line.length < 2) throw new EditError("degenerate_ring", old[0]);
  const isRing = isClosed(old);
  if (isRing && !isClosed(line)) throw new EditError("open_ring", line[line.length - 1]);
  if (isRing && line.length < 4) throw new EditError("degenerate_ring", old[0]);
  if (isRing && turning(line) > 0 !== turning(old) > 0) line = line.reverse(); // what lies inside stays inside
  const kept = new Set(old);
  const beside = [...endsAt(partition, arc, 0), ...endsAt(partition, arc, old.length - 1)].map((end) => partition.arcs[end < 0 ? ~end : end]);
  /** @type {Met[]} */
  const mets = [];
  line = line.map((position, i) => {
    if (kept.has(position)) return position;
    const isEnd = i === 0 || i === line.length - 1;
    const met = metAt(partition, position, (other, k) => other === old || (isEnd && beside.includes(other) && (k === 0 || k === other.length - 2)));
    mets.push(met);
    return met.at;
  });
  line = withoutRepeats(line);
  const arcs = [...partition.arcs];
  /** @type {Span[]} */
  const spans = [];
  for (const [index, at] of /** @type {[number, Position][]} */ ([[0, line[0]], [old.length - 1, line[line.length - 1]]])) {
    if (!isSame(old[index], at)) spans.push(...moveVertex(partition, arcs, arc, index, at));
  }
  arcs[arc] = line;
  const others = spans.filter(([number]) => number !== arc);
  const own = new Set([arc, ...others.map(([number]) => number)]);
  return accepted(partition, arcs, [...others, [arc, 0, old.length - 1]], [...others, [arc, 0, line.length - 1]], own, mets, options);
}

/**
 * Check an edit of vertices, and where new ones lie on other arcs make them nodes of both.
 * @param {Partition} partition
 * @param {Line[]} arcs
 * @param {readonly Span[]} were
 * @param {readonly Span[]} are
 * @param {ReadonlySet<number>} own  arcs that are edited
 * @param {readonly Met[]} mets
 * @param {EditOptions} [options]
 */
function accepted(partition, arcs, were, are, own, mets, options) {
  const touched = mets.filter(({ isVertex, edges }) => isVertex || edges.length);
  if (options?.isChecked === false || !touched.length) return checked(partition, arcs, were, are, options);
  const [old_spans, new_spans] = [[...were], [...are]];
  for (const { at, edges } of touched) {
    for (const [arc] of edges) {
      if (own.has(arc)) throw new EditError("crossing", at, { code: facesOf(partition, arc)[0] ?? "" });
      // Found anew: several vertices may go into one edge.
      const i = segmentsNear(arcs[arc], around(at, at, NEAR_DEG)).find((k) => isOnEdge(at, arcs[arc][k], arcs[arc][k + 1]));
      if (i === undefined) continue;
      arcs[arc] = [...arcs[arc].slice(0, i + 1), at, ...arcs[arc].slice(i + 1)];
      old_spans.push([arc, 0, partition.arcs[arc].length - 1]);
      new_spans.push([arc, 0, arcs[arc].length - 1]);
    }
  }
  const next = checked(partition, arcs, old_spans, new_spans);
  const draft = new Draft(next);
  for (const { at } of touched) draft.weld(at);
  return draft.finish({});
}
