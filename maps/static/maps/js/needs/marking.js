// @ts-check
/**
 * What a finger marks on a map: a point, or the corners of a line or a surface. Pure.
 *
 * @import { Geometry } from "geojson"
 *
 * @typedef {"Point" | "LineString" | "Polygon"} Kind
 * @typedef {{kind: Kind, positions: [number, number][]}} Mark
 */

/** How many positions each kind has at least. */
export const FEWEST = /** @type {const} */ ({ Point: 1, LineString: 2, Polygon: 3 });

/** About a decimetre: phones know no better. @param {number} degrees */
const rounded = (degrees) => Math.round(degrees * 1e6) / 1e6;

/**
 * Return a mark with one position more; a point moves there.
 * @param {Mark} mark
 * @param {[number, number]} position
 * @returns {Mark}
 */
export function added(mark, position) {
  const next = /** @type {[number, number]} */ ([rounded(position[0]), rounded(position[1])]);
  return { ...mark, positions: mark.kind === "Point" ? [next] : [...mark.positions, next] };
}

/** @param {Mark} mark @returns {Mark} without the last position */
export const takenBack = (mark) => ({ ...mark, positions: mark.positions.slice(0, -1) });

/**
 * Return what is marked as GeoJSON; null where it has too few positions.
 * @param {Mark} mark
 * @returns {Geometry | null}
 */
export function geometryOf({ kind, positions }) {
  if (positions.length < FEWEST[kind]) return null;
  if (kind === "Point") return { type: "Point", coordinates: positions[0] };
  if (kind === "LineString") return { type: "LineString", coordinates: positions };
  return { type: "Polygon", coordinates: [[...positions, positions[0]]] };
}

/**
 * Return the mark of a geometry; nothing is marked where it is of another kind.
 * @param {any} geometry
 * @returns {Mark}
 */
export function markOf(geometry) {
  if (geometry?.type === "Point") return { kind: "Point", positions: [geometry.coordinates] };
  if (geometry?.type === "LineString") return { kind: "LineString", positions: geometry.coordinates };
  if (geometry?.type === "Polygon" && geometry.coordinates.length === 1) return { kind: "Polygon", positions: geometry.coordinates[0].slice(0, -1) };
  return { kind: "Point", positions: [] };
}

/** @param {any} geometry @returns {number[][]} all positions of a geometry */
export function positionsOf(geometry) {
  if (geometry?.type === "GeometryCollection") return geometry.geometries.flatMap(positionsOf);
  const deep = (/** @type {any} */ part) => (typeof part[0] === "number" ? [part] : part.flatMap(deep));
  return geometry ? deep(geometry.coordinates) : [];
}
