// @ts-check
/**
 * The document as it travels: read from the server, sent as edits. Pure.
 *
 * @import { Doc, Facts } from "./document.js"
 * @import { Shape } from "./geometry.js"
 * @import { Said } from "./changes.js"
 */

import { changesOf, disputedLines, disputesOf, isThere, shapeOf } from "./document.js";
import { drawingOf } from "./edits.js";
import { geometryOf } from "./geometry.js";
import { fromJson } from "./partition.js";

/**
 * Read a geometry's polygons, whatever kind of polygon it is.
 * @param {any} geometry
 * @returns {Shape}
 */
export function shapeFrom(geometry) {
  if (!geometry) return [];
  if (geometry.type === "Polygon") return [geometry.coordinates];
  if (geometry.type === "MultiPolygon") return geometry.coordinates;
  if (geometry.type === "GeometryCollection") return geometry.geometries.flatMap(shapeFrom);
  if (geometry.type === "Feature") return shapeFrom(geometry.geometry);
  return [];
}

/**
 * Read a city as the server tells it.
 * @param {any} body
 * @returns {Doc}
 */
export function readCity(body) {
  const partition = fromJson(body.partition);
  const settlements = /** @type {any[]} */ (body.settlements ?? []);
  /** @type {Record<string, Facts>} */
  const facts = {};
  for (const [code, info] of [...Object.entries(/** @type {Record<string, any>} */ (body.places ?? {})), ...settlements.map((one) => [one.code, { kind: "settlement", ...one, ...(body.places?.[one.code] ?? {}) }])]) {
    const lines = info.disputed?.coordinates ?? [];
    facts[code] = {
      name_fa: info.name_fa ?? "",
      name_en: info.name_en ?? "",
      kind: info.kind ?? "neighbourhood",
      source: info.source ?? "",
      certainty: info.certainty ?? "",
      edition: info.edition ?? null,
      is_editable: info.is_editable !== false,
      population: info.population ?? null,
      from: info.from ?? [],
      disputed: disputesOf(partition, code, info.disputed?.type === "LineString" ? [lines] : lines),
    };
  }
  return { ...drawingOf(partition, settlements, facts), taken: body.codes_taken ?? [] };
}

/**
 * Return what is changed as the server takes it.
 * @param {Doc} base
 * @param {Doc} doc
 * @param {Said} said
 */
export function editsOf(base, doc, said) {
  return changesOf(base, doc).map(({ code, what, from }) => {
    const info = doc.facts[code] ?? base.facts[code];
    const lines = what === "ended" ? [] : disputedLines(doc, code);
    return {
      code,
      base_edition_id: base.facts[code]?.edition ?? info.edition ?? null,
      geometry: what === "ended" ? null : geometryOf(shapeOf(doc, code)),
      name_fa: info.name_fa,
      name_en: info.name_en,
      kind: info.kind,
      source: said.source.trim() || info.source,
      certainty: said.certainty || info.certainty,
      disputed: lines.length ? { type: "MultiLineString", coordinates: lines } : null,
      from: [...from],
      is_revival: Boolean(info.is_revival),
    };
  });
}

/**
 * Return what to measure: all that is changed, and the chosen place in any case.
 * @param {Doc} base
 * @param {Doc} doc
 * @param {string | null} chosen
 */
export function measuredEdits(base, doc, chosen) {
  const changes = changesOf(base, doc);
  const edits = changes.map(({ code, what, from }) => ({ code, geometry: what === "ended" ? null : geometryOf(shapeOf(doc, code)), from: [...from], kind: (doc.facts[code] ?? base.facts[code]).kind }));
  if (chosen && isThere(doc, chosen) && !changes.some(({ code }) => code === chosen)) edits.push({ code: chosen, geometry: geometryOf(shapeOf(doc, chosen)), from: [], kind: doc.facts[chosen].kind });
  return edits;
}

/** Editions that the document is based on, by place. @param {Doc} base @param {Doc} doc @returns {Record<string, number | null>} */
export function basedOn(base, doc) {
  return Object.fromEntries(changesOf(base, doc).map(({ code }) => [code, base.facts[code]?.edition ?? null]));
}
