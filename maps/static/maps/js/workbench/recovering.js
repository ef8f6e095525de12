// @ts-check
/**
 * Taking work up again: after a crash from what was kept, after a conflict on what is in force now, or back to what it was. Pure.
 *
 * @import { Change, Doc, Facts } from "./document.js"
 * @import { History } from "./history.js"
 * @import { Said } from "./changes.js"
 * @import { ChangeSetRef, Session } from "./session.js"
 * @import { Shape } from "./geometry.js"
 *
 * @typedef {{code: string, shape: Shape | null, facts: Facts}} KeptPlace shape null: the place ends
 *
 * @typedef {object} Found
 * @property {Doc} doc
 * @property {History<Doc> | undefined} history
 * @property {Change[]} changes
 * @property {Said} said
 * @property {ChangeSetRef} changeSet
 * @property {boolean} isWhole false where what is in force has changed since: then the shapes are there, but not the steps to them
 */

import { changesOf, isFace, isThere, neighbours, shapeOf } from "./document.js";
import { DRAWINGS } from "./edits.js";
import { fromJson, present, toJson } from "./history.js";
import { partitionFrom } from "./rebuilding.js";

const FORMAT = 1;
const MOST_STEPS = 25;

/**
 * Write the work for keeping.
 * @param {{session: Session, said: Said, version: string}} parts
 */
export function keptOf({ session, said, version }) {
  const { base, settled, history, changeSet } = session;
  const first = history.steps[0].value;
  return {
    format: FORMAT,
    kept_at: new Date().toISOString(),
    version,
    changeSet,
    said,
    isFromBase: first === base,
    history: toJson(history, { ...DRAWINGS, write: () => null }, MOST_STEPS),
    places: placesOf(base, settled),
  };
}

/** @param {Doc} base @param {Doc} doc @returns {KeptPlace[]} */
export const placesOf = (base, doc) => changesOf(base, doc).map(({ code, what }) => ({ code, shape: what === "ended" ? null : shapeOf(doc, code), facts: doc.facts[code] ?? base.facts[code] }));

/**
 * Read kept work; null where there is nothing in it, or it is of another kind.
 * @param {any} kept
 * @param {{base: Doc, version: string}} now
 * @returns {Found | null}
 */
export function readKept(kept, { base, version }) {
  if (kept?.format !== FORMAT || !Array.isArray(kept.places) || !kept.places.length) return null;
  const rest = { said: kept.said, changeSet: kept.changeSet ?? null };
  if (kept.isFromBase && kept.version === version) {
    try {
      const history = fromJson(kept.history, { ...DRAWINGS, read: () => base });
      const doc = /** @type {Doc} */ (present(history));
      return { ...rest, doc, history: /** @type {History<Doc>} */ (history), changes: changesOf(base, doc), isWhole: true };
    } catch {
      // The steps cannot be read; the shapes can.
    }
  }
  const doc = withPlaces(base, kept.places);
  return { ...rest, doc, history: undefined, changes: changesOf(base, doc), isWhole: false };
}

/**
 * Give places other shapes; what then overlaps or gapes is left for the checks to tell.
 * @param {Doc} doc
 * @param {readonly KeptPlace[]} places
 * @param {Doc["partition"]["origins"]} [origins]
 * @returns {Doc}
 */
export function withPlaces(doc, places, origins = doc.partition.origins) {
  const shapes = Object.fromEntries(Object.keys(doc.partition.faces).map((code) => [code, shapeOf(doc, code)]));
  const settlements = { ...doc.settlements };
  const facts = { ...doc.facts };
  for (const { code, shape, facts: told } of places) {
    const into = told.kind === "settlement" ? settlements : shapes;
    if (shape?.length) into[code] = shape;
    else delete into[code];
    // A place that had an edition and has none any more has ended meanwhile: whoever keeps it brings it back.
    const is_revival = !doc.facts[code] && (told.is_revival || (told.edition ?? null) !== null);
    facts[code] = { ...told, edition: doc.facts[code]?.edition ?? null, is_editable: doc.facts[code]?.is_editable ?? true, ...(is_revival ? { is_revival } : {}) };
  }
  return { partition: partitionFrom(shapes, { ...doc.partition, origins }), settlements, facts };
}

/**
 * Return the document with a place as it was in force, and with it those that were changed together with it.
 * @param {Doc} base
 * @param {Doc} doc
 * @param {string} code
 * @returns {Doc}
 */
export function reverted(base, doc, code) {
  const changed = new Set(changesOf(base, doc).map((change) => change.code));
  const cluster = new Set([code]);
  for (const one of cluster) {
    const beside = [...(isFace(doc, one) ? neighbours(doc, one) : []), ...(isFace(base, one) ? neighbours(base, one) : [])];
    for (const other of beside) if (changed.has(other)) cluster.add(other);
    for (const { code: other, from } of changesOf(base, doc)) if (from.includes(one) || (other === one && from.length)) for (const near of [other, ...from]) if (changed.has(near)) cluster.add(near);
  }
  const places = [...cluster].map((one) => ({ code: one, shape: isThere(base, one) ? shapeOf(base, one) : null, facts: base.facts[one] ?? doc.facts[one] }));
  const next = withPlaces(doc, places);
  const facts = Object.fromEntries(Object.entries(next.facts).flatMap(([one, told]) => (cluster.has(one) ? (base.facts[one] ? [[one, base.facts[one]]] : []) : [[one, told]])));
  const isAll = changesOf(base, { ...next, facts }).length === 0;
  return isAll ? base : { ...next, facts };
}
