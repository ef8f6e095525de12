// @ts-check
/**
 * What each tool does to the document. Pure: a document and what the hand drew in, a new document and the place to choose out.
 *
 * @import { Doc, Facts } from "./document.js"
 * @import { Position, Shape } from "./geometry.js"
 * @import { Partition } from "./partition.js"
 *
 * @typedef {{doc: Doc, chosen: string}} Made
 * @typedef {{fa: string, en: string}} Names
 * @typedef {{rings: Position[][], beside: string[]}} Gap
 */

import { isFace, neighbours, nextCode, shapeOf } from "./document.js";
import { withFacts, withPartition, withSettlement } from "./edits.js";
import { EditError, isInShape, ringOf, shapeHoleAdd, shapePartAdd } from "./geometry.js";
import { add, cutOut, fillGap, gapsOf, merge, polygonOf, split } from "./partition.js";

/** A code no place can have, for what lives only during an edit. */
const PASSING = "~";

/** @param {readonly (readonly Position[])[]} rings @returns {any} */
const polygon = (rings) => ({ type: "Polygon", coordinates: rings });

/**
 * @param {Doc} doc
 * @param {string} code
 * @param {Partial<Facts>} facts
 * @returns {Doc}
 */
export const described = (doc, code, facts) => withFacts(doc, code, /** @type {any} */ (facts));

/**
 * Draw a new settlement.
 * @param {Doc} base
 * @param {Doc} doc
 * @param {Shape} shape
 * @param {Names} names
 * @returns {Made}
 */
export function settlementDrawn(base, doc, shape, names) {
  const code = nextCode(base, doc, Object.keys(base.settlements).at(-1) ?? "s00");
  const rings = shape.map((lines) => lines.map(ringOf));
  return { doc: described(withSettlement(doc, code, rings), code, { name_fa: names.fa, name_en: names.en, kind: "settlement", is_editable: true }), chosen: code };
}

/**
 * Return a settlement as a partition of its own, so that it can be split as neighbourhoods are.
 * @param {Shape} shape
 * @param {string} code
 * @returns {Partition}
 */
function alone(shape, code) {
  /** @type {any[]} */
  const arcs = [];
  const face = shape.map((rings) => rings.map((line) => [arcs.push(line) - 1]));
  return { tolerance_m: 0.5, arcs, faces: { [code]: face }, origins: {} };
}

/** @param {Partition} partition @param {string} code @returns {Shape} */
const shaped = (partition, code) => /** @type {Shape} */ (/** @type {unknown} */ (polygonOf(partition, code).coordinates));

/**
 * Apply an edit that takes ground from a place for a new one.
 * @param {Doc} base
 * @param {Doc} doc
 * @param {string} code
 * @param {(partition: Partition, newCode: string) => Partition} edit
 * @param {Names} names of the new place; "{name}" is the old one's
 * @returns {Made}
 */
function divided(base, doc, code, edit, names) {
  const newCode = nextCode(base, doc, code);
  const old = doc.facts[code];
  const facts = { name_fa: names.fa.replace("{name}", old.name_fa), name_en: names.en.replace("{name}", old.name_en), kind: old.kind, source: old.source, certainty: old.certainty, is_editable: true };
  if (isFace(doc, code)) return { doc: described(withPartition(doc, edit(doc.partition, newCode)), newCode, facts), chosen: newCode };
  const parts = edit(alone(shapeOf(doc, code), code), newCode);
  const next = withSettlement(withSettlement(doc, code, shaped(parts, code)), newCode, shaped(parts, newCode));
  return { doc: described(next, newCode, { ...facts, from: [code] }), chosen: newCode };
}

/**
 * @param {Doc} base
 * @param {Doc} doc
 * @param {string} code
 * @param {readonly Position[]} line
 * @param {Names} names
 */
export const splitBy = (base, doc, code, line, names) => divided(base, doc, code, (partition, newCode) => split(partition, code, line, newCode), names);

/**
 * @param {Doc} base
 * @param {Doc} doc
 * @param {string} code
 * @param {readonly (readonly Position[])[]} rings
 * @param {Names} names
 */
export const cutFrom = (base, doc, code, rings, names) => divided(base, doc, code, (partition, newCode) => cutOut(partition, code, polygon(rings), newCode), names);

/**
 * Merge a neighbour into a place.
 * @param {Doc} doc
 * @param {string} keep
 * @param {string} gone
 * @returns {Made}
 */
export function merged(doc, keep, gone) {
  if (!isFace(doc, keep) || !isFace(doc, gone)) throw new EditError("only_neighbourhoods");
  return { doc: withPartition(doc, merge(doc.partition, keep, gone)), chosen: keep };
}

/**
 * @param {Partition} partition
 * @param {Record<string, any>} faces
 * @param {Partition["origins"]} origins
 * @returns {Partition}
 */
const withFaces = (partition, faces, origins) => ({ ...partition, faces, origins });

/**
 * Take ground out of a place for nobody: in a neighbourhood that is a gap, told as such.
 * @param {Doc} doc
 * @param {string} code
 * @param {readonly Position[]} ring
 * @returns {Made}
 */
export function holed(doc, code, ring) {
  if (!isFace(doc, code)) return { doc: withSettlement(doc, code, shapeHoleAdd(doc.settlements[code], ring)), chosen: code };
  const cut = cutOut(doc.partition, code, polygon([ring]), PASSING);
  const { [PASSING]: _hole, ...faces } = cut.faces;
  return { doc: withPartition(doc, withFaces(cut, faces, doc.partition.origins)), chosen: code };
}

/**
 * Add a part to a place; what other places have already stays theirs.
 * @param {Doc} doc
 * @param {string} code
 * @param {readonly Position[]} ring
 * @returns {Made}
 */
export function parted(doc, code, ring) {
  if (!isFace(doc, code)) return { doc: withSettlement(doc, code, shapePartAdd(doc.settlements[code], ring)), chosen: code };
  const added = add(doc.partition, PASSING, polygon([ring]));
  if (neighbours(withPartition(doc, added), PASSING).includes(code)) {
    const joined = merge(added, code, PASSING);
    return { doc: withPartition(doc, withFaces(joined, joined.faces, doc.partition.origins)), chosen: code };
  }
  const { [PASSING]: part, ...faces } = added.faces;
  return { doc: withPartition(doc, withFaces(added, { ...faces, [code]: [...faces[code], ...part] }, doc.partition.origins)), chosen: code };
}

/**
 * Return the gaps between neighbourhoods with the places beside each.
 * @param {Doc} doc
 * @returns {Gap[]}
 */
export function gaps(doc) {
  return /** @type {Position[][][]} */ (gapsOf(doc.partition)).map((rings) => {
    const edges = new Set(rings.flatMap((line) => line.slice(1).flatMap((at, i) => [`${line[i]} ${at}`, `${at} ${line[i]}`])));
    const beside = Object.keys(doc.partition.faces).filter((code) => shapeOf(doc, code).some((lines) => lines.some((line) => line.some((at, i) => i > 0 && edges.has(`${line[i - 1]} ${at}`)))));
    return { rings, beside };
  });
}

/**
 * Return the gap at a position.
 * @param {Doc} doc
 * @param {Position} at
 */
export const gapAt = (doc, at) => gaps(doc).find(({ rings }) => isInShape(at, [rings])) ?? null;

/**
 * Give a gap to a place beside it.
 * @param {Doc} doc
 * @param {Gap} gap
 * @param {string} into
 * @returns {Made}
 */
export const filled = (doc, gap, into) => ({ doc: withPartition(doc, fillGap(doc.partition, polygon(gap.rings), into)), chosen: into });
