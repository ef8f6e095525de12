// @ts-check
/**
 * The document as features for the map. Features are kept as long as what they show is the same, so that a change costs what it changes.
 *
 * @import { Feature } from "geojson"
 * @import { Doc } from "./document.js"
 * @import { Position, Shape } from "./geometry.js"
 */

import { changesOf, codesOf, isDisputed, isFace, shapeOf } from "./document.js";
import { boxAround, boxOf, positionInside, turning } from "./geometry.js";
import { facesOf } from "./partition.js";

/** @type {WeakMap<object, Position>} */
const namePoints = new WeakMap();

/** @param {Shape} shape @returns {Position} a position well inside its largest part */
export function namePoint(shape) {
  const known = namePoints.get(shape);
  if (known) return known;
  const largest = shape.reduce((best, rings) => (Math.abs(turning(rings[0])) > Math.abs(turning(best[0])) ? rings : best), shape[0]);
  const found = positionInside(largest);
  namePoints.set(shape, found);
  return found;
}

/** @param {Shape} shape @returns {[number, number, number, number]} */
export function boundsOf(shape) {
  const [west, south, east, north] = shape.map((rings) => boxOf(rings[0])).reduce(boxAround);
  return [west, south, east, north];
}

/** @param {any} coordinates @returns {any} */
const multi = (coordinates) => ({ type: "MultiPolygon", coordinates });

/**
 * @param {Doc} base
 * @param {Doc} doc
 * @returns {Feature[]}
 */
export function faceFeatures(base, doc) {
  const changed = new Set(changesOf(base, doc).map(({ code }) => code));
  return Object.keys(doc.partition.faces).map((code) => ({
    type: "Feature",
    properties: { id: code, changed: changed.has(code) ? 1 : 0, editable: doc.facts[code]?.is_editable === false ? 0 : 1 },
    geometry: multi(shapeOf(doc, code)),
  }));
}

/**
 * @param {Doc} doc
 * @returns {Feature[]}
 */
export function settlementFeatures(doc) {
  return Object.entries(doc.settlements).map(([code, shape]) => ({ type: "Feature", properties: { id: code, kind: "settlement" }, geometry: multi(shape) }));
}

/** @type {WeakMap<object, {lines: Set<object>, edges: Set<string>}>} */
const edgesOf = new WeakMap();

/** @param {Doc} doc */
function knownEdges({ partition: { arcs } }) {
  const known = edgesOf.get(arcs) ?? { lines: new Set(arcs), edges: new Set(arcs.flatMap((line) => line.slice(1).flatMap((at, i) => [`${line[i]} ${at}`, `${at} ${line[i]}`]))) };
  edgesOf.set(arcs, known);
  return known;
}

/**
 * @param {Doc} base
 * @param {Doc} doc
 * @returns {Feature[]}
 */
export function arcFeatures(base, doc) {
  const { lines, edges } = knownEdges(base);
  return doc.partition.arcs.flatMap((line, arc) => {
    if (!line.length) return [];
    const outer = facesOf(doc.partition, arc).length < 2 ? 1 : 0;
    return [/** @type {Feature} */ ({ type: "Feature", properties: { id: arc, outer, changed: lines.has(line) || line.every((at, i) => i === 0 || edges.has(`${line[i - 1]} ${at}`)) ? 0 : 1, disputed: isDisputed(doc, arc) ? 1 : 0 }, geometry: { type: "LineString", coordinates: /** @type {any} */ (line) } })];
  });
}

/**
 * @param {Doc} doc
 * @param {(code: string) => string} nameOf
 * @returns {Feature[]}
 */
export function nameFeatures(doc, nameOf) {
  return codesOf(doc).map((code) => ({
    type: "Feature",
    properties: { name: nameOf(code), kind: isFace(doc, code) ? "neighbourhood" : "settlement", rank: isFace(doc, code) ? 2 : 1 },
    geometry: { type: "Point", coordinates: [...namePoint(shapeOf(doc, code))] },
  }));
}

/**
 * @param {Doc} doc
 * @param {string | null} code
 * @returns {Feature[]}
 */
export function chosenFeatures(doc, code) {
  if (!code) return [];
  const kind = isFace(doc, code) ? "neighbourhood" : "settlement";
  return shapeOf(doc, code).flatMap((rings) => rings.map((line) => /** @type {Feature} */ ({ type: "Feature", properties: { kind }, geometry: { type: "LineString", coordinates: /** @type {any} */ (line) } })));
}

/**
 * Tell whether features show the same. Lines are compared by identity, as the document keeps those that do not change; points by value.
 * @param {readonly Feature[]} before
 * @param {readonly Feature[]} after
 */
export function isSameFeatures(before, after) {
  return before.length === after.length && before.every((one, i) => isSameFeature(one, after[i]));
}

/** @param {any} one @param {any} other */
function isSameFeature(one, other) {
  if (one === other) return true;
  const [a, b] = [one.geometry, other.geometry];
  if (a.type !== b.type) return false;
  if (a.coordinates !== b.coordinates && !(a.type === "Point" && a.coordinates[0] === b.coordinates[0] && a.coordinates[1] === b.coordinates[1])) return false;
  const names = Object.keys(one.properties);
  return names.length === Object.keys(other.properties).length && names.every((name) => one.properties[name] === other.properties[name]);
}
