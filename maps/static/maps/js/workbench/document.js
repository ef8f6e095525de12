// @ts-check
/**
 * What is edited, as the page asks of it: rings with vertices to hold, who shares them, what differs from what is in force. Pure.
 * It stands on the drawing of edits.js and adds what is known here of each place: rights, people, edges in dispute.
 *
 * @import { Drawing, PlaceFacts } from "./edits.js"
 * @import { Line, Position, Shape } from "./geometry.js"
 * @import { Partition } from "./partition.js"
 *
 * @typedef {object} OwnFacts
 * @property {boolean} [is_editable]
 * @property {number | null} [population] of the edition in force
 * @property {boolean} [is_revival] the place has ended since it was loaded, and is to come back
 * @property {readonly string[]} [disputed] neighbours with whom the common edge is in dispute; "" is the edge outwards
 *
 * @typedef {PlaceFacts & OwnFacts} Facts
 * @typedef {Omit<Drawing, "facts"> & {facts: Readonly<Record<string, Facts>>}} Doc
 *
 * @typedef {object} Handle a vertex that can be held
 * @property {Position} at
 * @property {boolean} isNode several edges meet there
 * @property {number} arc −1 in a settlement
 * @property {number} index along the arc, or along a settlement's ring
 * @property {boolean} isBackwards the ring walks this arc backwards
 *
 * @typedef {object} Ring
 * @property {number} polygon
 * @property {number} ring
 * @property {Handle[]} handles without the closing one
 *
 * @typedef {{code: string, what: "new" | "ended" | "reshaped" | "described", from: readonly string[]}} Change
 */

import { changedCodes, editsBetween, freeCode, withFacts, withPartition, withSettlement } from "./edits.js";
import { EditError, shapeVertexAdd, shapeVertexMove, shapeVertexRemove } from "./geometry.js";
import { arcsOf, facesAt, facesOf, isNode, neighboursOf, polygonOf, vertexAdd, vertexMove, vertexRemove } from "./partition.js";

/** @param {Doc} doc @param {string} code */
export const isFace = (doc, code) => Object.hasOwn(doc.partition.faces, code);

/** @param {Doc} doc @param {string} code */
export const isThere = (doc, code) => isFace(doc, code) || Object.hasOwn(doc.settlements, code);

/** @param {Doc} doc */
export const codesOf = (doc) => [...Object.keys(doc.partition.faces), ...Object.keys(doc.settlements)];

/** @type {WeakMap<object, {lines: Line[], shape: Shape}>} the last shape of each face, as long as its lines are the same */
const shapes = new WeakMap();

/**
 * Return a place's polygons; the same value as long as nothing of it changes.
 * @param {Doc} doc
 * @param {string} code
 * @returns {Shape}
 */
export function shapeOf(doc, code) {
  if (Object.hasOwn(doc.settlements, code)) return doc.settlements[code];
  const face = doc.partition.faces[code];
  if (!face) return [];
  const lines = face.flat(2).map((ref) => doc.partition.arcs[ref < 0 ? ~ref : ref]);
  const known = shapes.get(face);
  if (known?.lines.every((line, i) => line === lines[i])) return known.shape;
  const shape = /** @type {Shape} */ (/** @type {unknown} */ (polygonOf(doc.partition, code).coordinates));
  shapes.set(face, { lines, shape });
  return shape;
}

/**
 * Return the rings of a place with their vertices.
 * @param {Doc} doc
 * @param {string} code
 * @returns {Ring[]}
 */
export function ringsOf(doc, code) {
  if (!isFace(doc, code)) {
    return (doc.settlements[code] ?? []).flatMap((rings, polygon) => rings.map((line, ring) => ({ polygon, ring, handles: line.slice(0, -1).map((at, index) => ({ at, isNode: false, arc: -1, index, isBackwards: false })) })));
  }
  const { arcs, faces } = doc.partition;
  return faces[code].flatMap((rings, polygon) =>
    rings.map((refs, ring) => {
      const handles = refs.flatMap((ref) => {
        const arc = ref < 0 ? ~ref : ref;
        const last = arcs[arc].length - 1;
        const along = arcs[arc].map((at, index) => ({ at, isNode: (index === 0 || index === last) && isNode(doc.partition, arc, index), arc, index, isBackwards: ref < 0 }));
        return (ref < 0 ? along.reverse() : along).slice(0, -1);
      });
      return { polygon, ring, handles };
    }),
  );
}

/**
 * Return the places that change when a vertex moves.
 * @param {Doc} doc
 * @param {string} code
 * @param {Handle} handle
 */
export const sharers = (doc, code, handle) => (handle.arc < 0 ? [code] : facesAt(doc.partition, handle.arc, handle.index));

/**
 * Return the places that change when a vertex is put after another.
 * @param {Doc} doc
 * @param {string} code
 * @param {Handle} before
 */
export const edgeSharers = (doc, code, before) => (before.arc < 0 ? [code] : facesOf(doc.partition, before.arc));

/**
 * Move a vertex of a place.
 * @param {Doc} doc
 * @param {string} code
 * @param {Ring} ring
 * @param {Handle} handle
 * @param {Position} at
 * @param {{isChecked?: boolean}} [options]
 * @returns {Doc}
 */
export function moved(doc, code, { polygon, ring }, handle, at, options) {
  if (handle.arc < 0) return withSettlement(doc, code, shapeVertexMove(doc.settlements[code], { polygon, ring, vertex: handle.index }, at, options));
  return withPartition(doc, vertexMove(doc.partition, handle.arc, handle.index, at, options));
}

/**
 * Put a vertex after the one at a position of the ring.
 * @param {Doc} doc
 * @param {string} code
 * @param {Ring} ring
 * @param {number} position
 * @param {Position} at
 * @param {{isChecked?: boolean}} [options]
 * @returns {Doc}
 */
export function inserted(doc, code, ring, position, at, options) {
  const before = ring.handles[position];
  if (before.arc < 0) return withSettlement(doc, code, shapeVertexAdd(doc.settlements[code], { polygon: ring.polygon, ring: ring.ring, vertex: before.index + 1 }, at, options));
  return withPartition(doc, vertexAdd(doc.partition, before.arc, before.isBackwards ? before.index : before.index + 1, at, options));
}

/**
 * Take a vertex away.
 * @param {Doc} doc
 * @param {string} code
 * @param {Ring} ring
 * @param {Handle} handle
 * @returns {Doc}
 */
export function removed(doc, code, { polygon, ring }, handle) {
  if (handle.arc < 0) return withSettlement(doc, code, shapeVertexRemove(doc.settlements[code], { polygon, ring, vertex: handle.index }));
  return withPartition(doc, vertexRemove(doc.partition, handle.arc, handle.index));
}

/**
 * Return the next free code: of none that is here, has ended, or is drawn by somebody else.
 * @param {Doc} base
 * @param {Doc} doc
 * @param {string} like
 */
export function nextCode(base, doc, like) {
  return freeCode(like, [...(base.taken ?? []), ...Object.keys(base.facts), ...Object.keys(doc.facts)]);
}

/**
 * Give a new place another code, as where somebody else uses it already.
 * @param {Doc} doc
 * @param {string} code
 * @param {string} next
 * @returns {Doc}
 */
export function recoded(doc, code, next) {
  /** @template T @param {Readonly<Record<string, T>>} record @returns {Record<string, T>} */
  const swapped = (record) => Object.fromEntries(Object.entries(record).map(([key, value]) => [key === code ? next : key, value]));
  /** @param {readonly string[] | undefined} list */
  const renamed = (list) => list?.map((one) => (one === code ? next : one));
  const facts = Object.fromEntries(Object.entries(swapped(doc.facts)).map(([key, told]) => [key, told.from?.includes(code) || told.disputed?.includes(code) ? { ...told, from: renamed(told.from), disputed: renamed(told.disputed) } : told]));
  const partition = isFace(doc, code) ? { ...doc.partition, faces: swapped(doc.partition.faces), origins: swapped(doc.partition.origins) } : doc.partition;
  return { partition, settlements: swapped(doc.settlements), facts };
}

/** @type {WeakMap<Doc, WeakMap<Doc, Change[]>>} */
const compared = new WeakMap();

/**
 * Return what differs from what is in force, place by place; asked once for each pair of documents.
 * @param {Doc} base
 * @param {Doc} doc
 * @returns {Change[]}
 */
export function changesOf(base, doc) {
  const known = compared.get(base) ?? new WeakMap();
  compared.set(base, known);
  const before = known.get(doc);
  if (before) return before;
  const reshaped = new Set(changedCodes(base, doc));
  const found = editsBetween(base, doc).map(({ code, geometry, from_codes }) => {
    const what = geometry === null ? "ended" : !isThere(base, code) ? "new" : reshaped.has(code) ? "reshaped" : "described";
    const from = isFace(doc, code) ? from_codes : (doc.facts[code]?.from ?? []);
    return /** @type {Change} */ ({ code, what, from: from.filter((one) => one !== code) });
  });
  known.set(doc, found);
  return found;
}

/**
 * Whether the common edge of an arc's places is in dispute.
 * @param {Doc} doc
 * @param {number} arc
 */
export function isDisputed(doc, arc) {
  const [one, other = ""] = facesOf(doc.partition, arc);
  return one !== undefined && Boolean(doc.facts[one]?.disputed?.includes(other) || doc.facts[other]?.disputed?.includes(one));
}

/**
 * Return the lines of a place's edges that are in dispute.
 * @param {Doc} doc
 * @param {string} code
 * @returns {Line[]}
 */
export function disputedLines(doc, code) {
  if (!isFace(doc, code)) return doc.facts[code]?.disputed?.length ? (doc.settlements[code] ?? []).flat() : [];
  return arcsOf(doc.partition, code)
    .filter((arc) => isDisputed(doc, arc))
    .map((arc) => doc.partition.arcs[arc]);
}

/**
 * Say of a common edge that it is in dispute, or no longer: for both places.
 * @param {Doc} doc
 * @param {string} code
 * @param {string} other a neighbour, or "" for the edge outwards
 * @param {boolean} isIt
 * @returns {Doc}
 */
export function disputed(doc, code, other, isIt) {
  /** @param {Doc} before @param {string} one @param {string} neighbour */
  const said = (before, one, neighbour) => {
    const rest = (before.facts[one].disputed ?? []).filter((known) => known !== neighbour);
    return /** @type {Doc} */ (withFacts(before, one, /** @type {any} */ ({ disputed: isIt ? [...rest, neighbour] : rest })));
  };
  const next = said(doc, code, other);
  return other ? said(next, other, code) : next;
}

/**
 * Return the places beside a place: in the partition those with a common edge.
 * @param {Doc} doc
 * @param {string} code
 */
export const neighbours = (doc, code) => (isFace(doc, code) ? neighboursOf(doc.partition, code) : []);

/** @param {Doc} doc @param {string} code */
export const isAtEdge = (doc, code) => isFace(doc, code) && arcsOf(doc.partition, code).some((arc) => facesOf(doc.partition, arc).length < 2);

/**
 * Find with which neighbours a place's edges are in dispute, from lines as they are stored.
 * @param {Partition} partition
 * @param {string} code
 * @param {readonly Line[]} lines
 * @returns {string[]}
 */
export function disputesOf(partition, code, lines) {
  if (!Object.hasOwn(partition.faces, code)) return lines.length ? [""] : [];
  const edges = new Set(lines.flatMap((line) => line.slice(1).flatMap((at, i) => [`${line[i]} ${at}`, `${at} ${line[i]}`])));
  if (!edges.size) return [];
  const found = arcsOf(partition, code).filter((arc) => edges.has(`${partition.arcs[arc][0]} ${partition.arcs[arc][1]}`));
  return [...new Set(found.map((arc) => facesOf(partition, arc).find((one) => one !== code) ?? ""))];
}

export { EditError };
