/**
 * Editing a multipolygon: pure functions from one shape to the next. A shape is the `coordinates` of a GeoJSON multipolygon:
 * polygons of closed rings of [longitude, latitude]. Rings stay closed; nothing given is changed in place.
 *
 * @typedef {[number, number]} Position
 * @typedef {Position[][][]} Shape
 * @typedef {{ polygon: number, ring: number, vertex: number }} Where  A vertex by its place in the shape.
 */

const DECIMALS = 1e7; // about a centimetre

/**
 * Read the shape of GeoJSON text: a geometry, a feature, or a collection of one feature.
 *
 * @param {string} text
 * @returns {Shape | null} Null if it is no polygon or multipolygon.
 */
export function read(text) {
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (found?.type === 'FeatureCollection' && found.features?.length === 1) found = found.features[0];
  if (found?.type === 'Feature') found = found.geometry;
  const polygons = found?.type === 'Polygon' ? [found.coordinates] : found?.type === 'MultiPolygon' ? found.coordinates : null;
  return Array.isArray(polygons) && polygons.every(isPolygon) ? polygons.map((rings) => rings.map((ring) => ring.map(([x, y]) => [x, y]))) : null;
}

/** @param {Shape} shape @returns {string} */
export function write(shape) {
  return JSON.stringify({ type: 'MultiPolygon', coordinates: shape });
}

/**
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
 *
 * @param {Shape} shape
 * @param {Where} where  The vertex it comes after.
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
 *
 * @param {Shape} shape
 * @param {Where} where
 * @returns {Shape}
 */
export function removed(shape, where) {
  const ring = shape[where.polygon][where.ring];
  if (ring.length > 4) {
    return changed(shape, where, (old) => closed(old.slice(0, -1).filter((_, i) => i !== where.vertex)));
  }
  return where.ring === 0
    ? shape.filter((_, i) => i !== where.polygon)
    : shape.map((rings, i) => (i === where.polygon ? rings.filter((_, j) => j !== where.ring) : rings));
}

/**
 * Add a part with an outer ring drawn by hand.
 *
 * @param {Shape} shape
 * @param {Position[]} vertices  Three or more, not closed.
 * @returns {Shape}
 */
export function extended(shape, vertices) {
  return vertices.length < 3 ? shape : [...shape, [closed(vertices.map(rounded))]];
}

/**
 * The vertices and the middles of the edges, as features that say where they belong.
 *
 * @param {Shape} shape
 * @returns {GeoJSON.FeatureCollection<GeoJSON.Point>}
 */
export function handles(shape) {
  const features = [];
  shape.forEach((rings, polygon) =>
    rings.forEach((ring, index) => {
      for (let vertex = 0; vertex < ring.length - 1; vertex += 1) {
        const [x, y] = ring[vertex];
        const [nextX, nextY] = ring[vertex + 1];
        const properties = { polygon, ring: index, vertex };
        features.push(point([x, y], { ...properties, kind: 'vertex' }));
        features.push(point([(x + nextX) / 2, (y + nextY) / 2], { ...properties, kind: 'middle' }));
      }
    }),
  );
  return { type: 'FeatureCollection', features };
}

/** @param {Shape} shape @returns {{ vertices: number, parts: number }} */
export function counted(shape) {
  return { vertices: shape.flat().reduce((sum, ring) => sum + ring.length - 1, 0), parts: shape.length };
}

/** @param {any} geometry @returns {[number, number, number, number] | null} West, south, east, north of any GeoJSON geometry. */
export function boundsOf(geometry) {
  const flat = geometry?.coordinates?.flat(Infinity) ?? [];
  const xs = flat.filter((_, i) => i % 2 === 0);
  const ys = flat.filter((_, i) => i % 2 === 1);
  if (!xs.length || !flat.every(Number.isFinite)) return null;
  const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
  return [least(xs), least(ys), most(xs), most(ys)];
}

function isPolygon(rings) {
  return Array.isArray(rings) && rings.length > 0 && rings.every((ring) => Array.isArray(ring) && ring.length > 3 && ring.every(isPosition));
}

function isPosition(position) {
  return Array.isArray(position) && Number.isFinite(position[0]) && Number.isFinite(position[1]);
}

function changed(shape, where, change) {
  return shape.map((rings, i) => (i === where.polygon ? rings.map((ring, j) => (j === where.ring ? change(ring) : ring)) : rings));
}

function closed(open) {
  return [...open, open[0]];
}

function rounded([x, y]) {
  return [Math.round(x * DECIMALS) / DECIMALS, Math.round(y * DECIMALS) / DECIMALS];
}

function point(coordinates, properties) {
  return { type: 'Feature', geometry: { type: 'Point', coordinates }, properties };
}
