// @ts-check
/**
 * What each tool does to the document. Pure: a document and what the hand drew in, a new document and the place to choose out.
 *
 * @import { Doc, Facts } from "./document.js"
 * @import { Position, Shape } from "./geometry.js"
 * @import { Partition } from "./partition.js"
 * @import { Lie } from "./partition/free.js"
 *
 * @typedef {{doc: Doc, chosen: string}} Made
 * @typedef {{fa: string, en: string}} Names
 * @typedef {{rings: Position[][], beside: string[]}} Gap
 */

import { isFace, neighbours, nextCode, shapeOf } from "./document.js";
import { settlementOrigins, settlementsMerged, withFacts, withPartition, withSettlement } from "./edits.js";
import { EditError, isInShape, ringOf, shapeHoleAdd, shapePartAdd } from "./geometry.js";
import { add, alone, cutOut, fillGap, gapsOf, merge, shaped, split, united } from "./partition.js";

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
  return { doc: described(next, newCode, { ...facts, from: settlementOrigins(base, doc, code) }), chosen: newCode };
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
 * Return the places that one can be merged with: neighbours that share its edge; of a settlement, which lies freely, all others, the nearest kind first.
 * @param {Doc} doc
 * @param {string} code
 * @returns {{code: string, lie: Lie}[]}
 */
export function mergeable(doc, code) {
  if (isFace(doc, code)) return neighbours(doc, code).map((other) => ({ code: other, lie: "touching" }));
  /** @type {readonly Lie[]} */
  const order = ["overlapping", "touching", "apart"];
  const others = Object.keys(doc.settlements).filter((other) => other !== code);
  return others.map((other) => ({ code: other, lie: lieOf(doc.settlements[code], doc.settlements[other]) })).sort((a, b) => order.indexOf(a.lie) - order.indexOf(b.lie));
}

/** Shapes that cannot be united at all are named when it is tried. @param {Shape} one @param {Shape} other @returns {Lie} */
function lieOf(one, other) {
  try {
    return united(one, other).lie;
  } catch (error) {
    if (error instanceof EditError) return "overlapping";
    throw error;
  }
}

/**
 * Merge a place into another of its kind: neighbours, or any two settlements.
 * @param {Doc} base
 * @param {Doc} doc
 * @param {string} keep
 * @param {string} gone
 * @returns {Made}
 */
export function merged(base, doc, keep, gone) {
  if (isFace(doc, keep) !== isFace(doc, gone)) throw new EditError("not_same_kind");
  if (!isFace(doc, keep)) return { doc: /** @type {Doc} */ (settlementsMerged(base, doc, keep, gone)), chosen: keep };
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
