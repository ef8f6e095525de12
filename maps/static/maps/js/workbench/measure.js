// @ts-check
/**
 * Areas in m² and lengths in metres of what is drawn, on the WGS 84 ellipsoid, fast enough for every movement of the pointer. Pure.
 *
 * Area: vertices go to the sphere of the ellipsoid's own area by their authalic latitudes, which keeps areas, and edges are great circles there
 * instead of geodesics. Length: the arc of the ellipsoid's own curvatures at the edge's middle latitude. The server's numbers (geo/core/measuring.py, Karney's
 * geodesics) are the ones that are kept; within a city these differ from them by less than two parts in ten million, as the tests show.
 *
 * @import { Line, Position } from "./geometry.js"
 */

const RADIUS_M = 6378137;
const FLATTENING = 1 / 298.257223563;
const E2 = FLATTENING * (2 - FLATTENING);
const E = Math.sqrt(E2);
const RADIAN = Math.PI / 180;

/** Northing of the cylinder of equal area, by the sine of the latitude; the pole has the most. @param {number} sine */
function northing(sine) {
  return (1 - E2) * (sine / (1 - E2 * sine * sine) + Math.atanh(E * sine) / E);
}

const NORTHING_OF_POLE = northing(1);
const AUTHALIC_RADIUS2 = (RADIUS_M * RADIUS_M * NORTHING_OF_POLE) / 2;

/** Return the tangent of half the authalic latitude. @param {number} lat in degrees */
function halfTangent(lat) {
  const sine = northing(Math.sin(lat * RADIAN)) / NORTHING_OF_POLE;
  return sine / (1 + Math.sqrt(Math.max(0, 1 - sine * sine)));
}

/**
 * Return the area of a closed ring: positive if it turns counter-clockwise.
 * @param {Line} ring
 */
export function ringArea_m2(ring) {
  let excess = 0;
  let before = halfTangent(ring[0][1]);
  for (let i = 1; i < ring.length; i++) {
    const here = halfTangent(ring[i][1]);
    const step = Math.tan(((ring[i][0] - ring[i - 1][0]) * RADIAN) / 2);
    excess -= Math.atan2(step * (before + here), 1 + before * here);
    before = here;
  }
  return 2 * excess * AUTHALIC_RADIUS2;
}

/**
 * Return the area of a shape: holes are taken off.
 * @param {readonly (readonly Line[])[]} shape polygons of rings, the outer first
 */
export function area_m2(shape) {
  let area = 0;
  for (const rings of shape) {
    for (const [i, ring] of rings.entries()) area += (i === 0 ? 1 : -1) * Math.abs(ringArea_m2(ring));
  }
  return area;
}

/**
 * Return how long a degree of longitude and one of latitude are.
 * @param {number} lat in degrees
 * @returns {[number, number]}
 */
export function metresPerDegree(lat) {
  const sine = Math.sin(lat * RADIAN);
  const w2 = 1 - E2 * sine * sine;
  const across = RADIUS_M / Math.sqrt(w2);
  return [across * Math.cos(lat * RADIAN) * RADIAN, ((across * (1 - E2)) / w2) * RADIAN];
}

/**
 * Return the distance between two positions of one region: within two millionths up to 100 km.
 * @param {Position} a
 * @param {Position} b
 */
export function distance_m(a, b) {
  const [x_m, y_m] = metresPerDegree((a[1] + b[1]) / 2);
  return Math.hypot((b[0] - a[0]) * x_m, (b[1] - a[1]) * y_m);
}

/**
 * Return the length of a line.
 * @param {Line} line
 */
export function length_m(line) {
  let length = 0;
  for (let i = 1; i < line.length; i++) length += distance_m(line[i - 1], line[i]);
  return length;
}

/**
 * Return the length of all rings of a shape, holes included.
 * @param {readonly (readonly Line[])[]} shape polygons of rings
 */
export function perimeter_m(shape) {
  let length = 0;
  for (const rings of shape) for (const ring of rings) length += length_m(ring);
  return length;
}
