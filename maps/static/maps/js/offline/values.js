// @ts-check
/** What is read of a form before it is sent, whatever it reports. Pure. */

import { parse } from "../numbers.js";

/** @typedef {Record<string, string>} Values of a form, by field */

/**
 * Read a whole number in digits of any script, with or without separators; null where nothing is typed or it is none.
 * @param {string | undefined} text
 */
export function whole(text) {
  const value = text?.trim() ? parse(text) : null;
  return value !== null && Number.isInteger(value) && value >= 0 ? value : null;
}

/** @param {Values} values @param {string} name whether something is typed */
export const isTyped = (values, name) => Boolean((values[name] ?? "").trim());

/**
 * Return what was marked, or the point whose degrees were typed; null where nothing was.
 * @param {Values} values
 * @returns {any} GeoJSON
 */
export function geometryTyped(values) {
  if (values.geometry) return JSON.parse(values.geometry);
  const [lon, lat] = degrees(values);
  return typeof lon === "number" && typeof lat === "number" ? { type: "Point", coordinates: [lon, lat] } : null;
}

/** Tell whether degrees were typed that are no point. @param {Values} values */
export function isPointAtFault(values) {
  const typed = degrees(values);
  if (values.geometry || typed.every((value) => value === undefined)) return false;
  const [lon, lat] = typed.map((value) => (typeof value === "number" && Number.isFinite(value) ? Math.abs(value) : Infinity));
  return lon > 180 || lat > 90;
}

/** @param {Values} values */
const degrees = (values) => [values.lon, values.lat].map((text) => (text?.trim() ? parse(text) : undefined));
