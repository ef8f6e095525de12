// @ts-check
/**
 * Edits of places: split, merge, cut out, fill a gap, add beside, give land back to nobody.
 *
 * @import { MultiPolygon, Polygon } from "geojson"
 * @import { Position } from "../geometry.js"
 * @import { Partition } from "./types.js"
 */

import { EditError, isClosed, isInShape, rounded, selfMeeting } from "../geometry.js";
import { ringArea_m2 } from "../measure.js";
import { arcsOf, neighboursOf, polygonOf } from "./asking.js";
import { Draft } from "./drafting.js";
import { cornerOf, faceOf, lineOfRing, middleOf, placeOf, requireFree, withoutRepeats } from "./lines.js";

/**
 * Cut a place in two along a line drawn across it. The larger side keeps the code, the other gets the new one.
 * @param {Partition} partition
 * @param {string} code
 * @param {readonly (readonly number[])[]} line may begin and end outside the place
 * @param {string} newCode
 * @returns {Partition}
 */
export function split(partition, code, line, newCode) {
  faceOf(partition, code);
  requireFree(partition, newCode);
  const drawn = withoutRepeats(line.map(rounded));
  if (drawn.length < 2) throw new EditError("no_split", drawn[0] ?? null, { code });
  const crossing = selfMeeting(drawn);
  if (crossing && !(isClosed(drawn) && crossing.kind === "touches")) throw new EditError("no_split", crossing.at, { code });

  const draft = new Draft(partition);
  const before = polygonOf(partition, code).coordinates;
  const pieces = draft
    .node(drawn, new Set([code]))
    .filter(({ isFree, isLoose, line: piece }) => isFree && !isLoose && isInShape(middleOf(piece), /** @type {any} */ (before)));
  const added = pieces.map((piece) => draft.addArc(piece.line, code, code));
  const cells = draft.cells(code);

  // Crossing the line changes the side: each cell is on the one or the other, told from its neighbour's.
  /** @type {Map<number, number>} */
  const cellOfHalf = new Map();
  for (const [cell, rings] of cells.entries()) for (const half of rings.flat()) cellOfHalf.set(half, cell);
  /** @type {(0 | 1 | undefined)[]} */
  const sides = [];
  for (const start of added) {
    const waiting = [cellOfHalf.get(start) ?? -1];
    if (sides[waiting[0]] === undefined) sides[waiting[0]] = 0;
    for (let cell = waiting.pop(); cell !== undefined; cell = waiting.pop()) {
      for (const arc of added) {
        const [one, other] = [cellOfHalf.get(arc) ?? -1, cellOfHalf.get(~arc) ?? -1];
        /** @type {number} */
        const next = one === cell ? other : other === cell ? one : cell;
        if (next === cell) continue;
        if (sides[next] === sides[cell]) throw new EditError("no_split", draft.arcs[arc][0], { code });
        if (sides[next] !== undefined) continue;
        sides[next] = sides[cell] === 0 ? 1 : 0;
        waiting.push(next);
      }
    }
  }
  const areas = [0, 0];
  for (const [cell, rings] of cells.entries()) {
    const which = sides[cell];
    if (which !== undefined) areas[which] += rings.reduce((sum, ring) => sum + ringArea_m2(lineOfRing(draft.arcs, ring)), 0);
  }
  if (!areas[0] || !areas[1]) throw new EditError("no_split", drawn[Math.floor(drawn.length / 2)], { code });
  const smaller = areas[1] > areas[0] ? 0 : 1;
  for (const [cell, rings] of cells.entries()) if (sides[cell] === smaller) for (const half of rings.flat()) draft.paintSide(half, newCode);
  return draft.finish({ [newCode]: originsOf(partition, code) });
}

/**
 * Join two neighbouring places under the code of the first.
 * @param {Partition} partition
 * @param {string} keep
 * @param {string} gone
 * @returns {Partition}
 */
export function merge(partition, keep, gone) {
  faceOf(partition, keep);
  faceOf(partition, gone);
  if (keep === gone) throw new EditError("same_place");
  if (!neighboursOf(partition, keep).includes(gone)) throw new EditError("not_neighbours", placeOf(partition, gone), { code: keep, other: gone });
  const draft = new Draft(partition);
  for (const arc of arcsOf(partition, gone)) {
    if (draft.left[arc] === gone) draft.paintSide(arc, keep);
    if (draft.right[arc] === gone) draft.paintSide(~arc, keep);
  }
  return draft.finish({ [keep]: [...new Set([...originsOf(partition, keep), ...originsOf(partition, gone)])] });
}

/**
 * Make a new place of what a drawn polygon and a place have in common.
 * @param {Partition} partition
 * @param {string} code
 * @param {Polygon | MultiPolygon} polygon as drawn
 * @param {string} newCode
 * @returns {Partition}
 */
export function cutOut(partition, code, polygon, newCode) {
  const where = placeOf(partition, code);
  requireFree(partition, newCode);
  const draft = new Draft(partition);
  if (!draft.paint(polygon, code, newCode)) throw new EditError("nothing_covered", where);
  const next = draft.finish({ [newCode]: originsOf(partition, code) });
  if (!next.faces[code]) throw new EditError("nothing_left", where, { code });
  return next;
}

/**
 * Give what belongs to nobody inside a polygon to a place beside it.
 * @param {Partition} partition
 * @param {Polygon | MultiPolygon} gap
 * @param {string} into
 * @returns {Partition}
 */
export function fillGap(partition, gap, into) {
  faceOf(partition, into);
  const draft = new Draft(partition);
  if (!draft.paint(gap, null, into)) throw new EditError("nothing_covered", cornerOf(gap));
  const next = draft.finish({});
  if (next.faces[into].length > partition.faces[into].length) throw new EditError("not_neighbours", cornerOf(gap), { code: into, other: "" });
  return next;
}

/**
 * Add a place drawn beside others. What it would take from them stays theirs.
 * @param {Partition} partition
 * @param {string} code
 * @param {Polygon | MultiPolygon} polygon as drawn
 * @returns {Partition}
 */
export function add(partition, code, polygon) {
  requireFree(partition, code);
  const draft = new Draft(partition);
  if (!draft.paint(polygon, null, code)) throw new EditError("nothing_covered", cornerOf(polygon));
  return draft.finish({ [code]: [] });
}

/**
 * Give the land of a place to nobody: the place ends, and a gap or the outside takes its room.
 * @param {Partition} partition
 * @param {string} code
 * @returns {Partition}
 */
export function release(partition, code) {
  const draft = new Draft(partition);
  for (const arc of arcsOf(partition, code)) {
    if (draft.left[arc] === code) draft.paintSide(arc, null);
    if (draft.right[arc] === code) draft.paintSide(~arc, null);
  }
  return draft.finish({});
}

/**
 * From which loaded places does this one come? Itself alone, unless it was split off, merged or added.
 * @param {Partition} partition
 * @param {string} code
 * @returns {readonly string[]}
 */
export function originsOf(partition, code) {
  return partition.origins[code] ?? [code];
}

/**
 * Return the gaps wholly enclosed by places, as polygons.
 * @param {Partition} partition
 * @returns {Position[][][]}
 */
export function gapsOf(partition) {
  const draft = new Draft(partition);
  return draft.trace(null).map((rings) => rings.map((ring) => lineOfRing(partition.arcs, ring)));
}
