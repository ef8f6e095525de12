// @ts-check
/**
 * Editing a multipolygon: pure functions from one shape to the next. A shape is the `coordinates` of a GeoJSON multipolygon:
 * polygons of closed rings of [longitude, latitude]. Rings stay closed; nothing given is changed in place.
 *
 * @import { Feature, FeatureCollection, Point } from "geojson"
 *
 * @typedef {[number, number]} Position
 * @typedef {Position[]} Ring
 * @typedef {Ring[][]} Shape
 * @typedef {{polygon: number, ring: number, vertex: number}} Where  A vertex by its place in the shape.
 */

const DECIMALS = 1e7; // about a centimetre

/**
 * Read the shape of GeoJSON text: a geometry, a feature, or a collection of one feature.
 * @param {string} text
 * @returns {Shape | null} null if it is no polygon or multipolygon
 */
export function read(text) {
  const found = geometryIn(text);
  const polygons = found?.type === "Polygon" ? [found.coordinates] : found?.type === "MultiPolygon" ? found.coordinates : null;
  if (!Array.isArray(polygons) || !polygons.every(isPolygon)) return null;
  return /** @type {Shape} */ (polygons).map((rings) => rings.map((ring) => ring.map(([x, y]) => [x, y])));
}

/**
 * Return the geometry that GeoJSON text holds, alone or wrapped; null if there is none.
 * @param {string} text
 * @returns {any}
 */
export function geometryIn(text) {
  try {
    const found = JSON.parse(text);
    if (found?.type === "FeatureCollection") return found.features?.length === 1 ? found.features[0]?.geometry : null;
    return found?.type === "Feature" ? found.geometry : found;
  } catch {
    return null;
  }
}

/**
 * @param {Shape} shape
 * @returns {string} GeoJSON
 */
export function write(shape) {
  return JSON.stringify({ type: "MultiPolygon", coordinates: shape });
}

/**
 * Move a vertex.
 * @param {Shape} shape
 * @param {Where} where
 * @param {Position} to
 * @returns {Shape}
 */
export function moved(shape, where, to) {
  return changed(shape, where, (ring) => {
    const open = ring.slice(0, -1);
    open[where.vertex] = rounded(to);
    return closed(open);
  });
}

/**
 * Add a vertex after another one.
 * @param {Shape} shape
 * @param {Where} where the vertex it comes after
 * @param {Position} at
 * @returns {Shape}
 */
export function inserted(shape, where, at) {
  return changed(shape, where, (ring) => {
    const open = ring.slice(0, -1);
    open.splice(where.vertex + 1, 0, rounded(at));
    return closed(open);
  });
}

/**
 * Remove a vertex. A ring of three vertices goes as a whole, and a polygon with its outer ring.
 * @param {Shape} shape
 * @param {Where} where
 * @returns {Shape}
 */
export function removed(shape, where) {
  const ring = shape[where.polygon][where.ring];
  if (ring.length > 4) {
    return changed(shape, where, (old) => closed(old.slice(0, -1).filter((_, i) => i !== where.vertex)));
  }
  if (where.ring === 0) return shape.filter((_, i) => i !== where.polygon);
  return shape.map((rings, i) => (i === where.polygon ? rings.filter((_, j) => j !== where.ring) : rings));
}

/**
 * Add a part with an outer ring drawn by hand.
 * @param {Shape} shape
 * @param {Position[]} vertices three or more, not closed
 * @returns {Shape}
 */
export function extended(shape, vertices) {
  return vertices.length < 3 ? shape : [...shape, [closed(vertices.map(rounded))]];
}

/**
 * Return the vertices and the middles of the edges, as points that say where they belong.
 * @param {Shape} shape
 * @param {Where | null} chosen the vertex to be marked
 * @returns {FeatureCollection<Point>}
 */
export function handles(shape, chosen = null) {
  /** @type {Feature<Point>[]} */
  const features = [];
  shape.forEach((rings, polygon) => {
    rings.forEach((positions, ring) => {
      for (let vertex = 0; vertex < positions.length - 1; vertex += 1) {
        const [x, y] = positions[vertex];
        const [nextX, nextY] = positions[vertex + 1];
        const isChosen = chosen !== null && chosen.polygon === polygon && chosen.ring === ring && chosen.vertex === vertex;
        features.push(point([x, y], { kind: "vertex", polygon, ring, vertex, chosen: isChosen }));
        features.push(point([(x + nextX) / 2, (y + nextY) / 2], { kind: "middle", polygon, ring, vertex }));
      }
    });
  });
  return { type: "FeatureCollection", features };
}

/**
 * @param {Shape} shape
 * @returns {{vertices: number, parts: number}}
 */
export function counted(shape) {
  return { vertices: shape.flat().reduce((sum, ring) => sum + ring.length - 1, 0), parts: shape.length };
}

/**
 * Return west, south, east, north of any GeoJSON geometry; null if it has no finite coordinates.
 * @param {any} geometry
 * @returns {[number, number, number, number] | null}
 */
export function boundsOf(geometry) {
  /** @type {[number, number, number, number]} */
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  /** @param {any} part */
  const widen = (part) => {
    if (!Array.isArray(part)) return;
    if (!isPosition(part)) return part.forEach(widen);
    const [x, y] = part;
    [box[0], box[1], box[2], box[3]] = [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)];
  };
  widen(geometry?.coordinates);
  return box.every(Number.isFinite) ? box : null;
}

/** @param {unknown} rings */
function isPolygon(rings) {
  return Array.isArray(rings) && rings.length > 0 && rings.every((ring) => Array.isArray(ring) && ring.length > 3 && ring.every(isPosition));
}

/** @param {unknown} position */
function isPosition(position) {
  return Array.isArray(position) && Number.isFinite(position[0]) && Number.isFinite(position[1]);
}

/**
 * @param {Shape} shape
 * @param {Where} where
 * @param {(ring: Ring) => Ring} change
 * @returns {Shape}
 */
function changed(shape, where, change) {
  return shape.map((rings, i) => (i === where.polygon ? rings.map((ring, j) => (j === where.ring ? change(ring) : ring)) : rings));
}

/**
 * @param {Ring} open
 * @returns {Ring}
 */
function closed(open) {
  return [...open, open[0]];
}

/**
 * @param {Position} position
 * @returns {Position}
 */
function rounded([x, y]) {
  return [Math.round(x * DECIMALS) / DECIMALS, Math.round(y * DECIMALS) / DECIMALS];
}

/**
 * @param {Position} coordinates
 * @param {Record<string, unknown>} properties
 * @returns {Feature<Point>}
 */
function point(coordinates, properties) {
  return { type: "Feature", geometry: { type: "Point", coordinates }, properties };
}
