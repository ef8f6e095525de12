// @ts-check
/**
 * What a person draws on, and what it changed: the edits that the server is told, the arcs to show as changed, and how all of it is kept. Pure.
 *
 * @import { MultiPolygon } from "geojson"
 * @import { Line, Shape } from "./geometry.js"
 * @import { Partition } from "./partition.js"
 * @import { Codec } from "./history.js"
 *
 * @typedef {object} PlaceFacts  what is known of a place beside its boundary
 * @property {string} name_fa
 * @property {string} name_en
 * @property {string} kind  neighbourhood or settlement
 * @property {string} source
 * @property {string} certainty
 * @property {number | null} [edition]  the edition loaded; null for a new place
 * @property {readonly string[]} [from]  of a settlement: the loaded places whose land it has, beside itself
 *
 * @typedef {object} Drawing
 * @property {Partition} partition
 * @property {Readonly<Record<string, Shape>>} settlements  by code
 * @property {Readonly<Record<string, Readonly<PlaceFacts>>>} facts  by code; of every place loaded or made
 * @property {readonly string[]} [taken]  of what was loaded: every code that cannot be given, also of ended places and others' drafts
 *
 * @typedef {object} PlaceEdit  one place as the server is told
 * @property {string} code
 * @property {number | null} base_edition  the edition this was drawn on; null for a new place
 * @property {MultiPolygon | null} geometry  null: the place ends
 * @property {string[]} from_codes  the loaded places whose land it has, by split or merge; itself if only its boundary moved
 * @property {string} name_fa
 * @property {string} name_en
 * @property {string} kind
 * @property {string} source
 * @property {string} certainty
 */

import { EditError, geometryOf, shapeOf } from "./geometry.js";
import * as partitions from "./partition.js";

const MOST_OF_CODE = 80;

/**
 * Begin with what was loaded.
 * @param {Partition} partition
 * @param {readonly {code: string, geometry: {type: string, coordinates: any}}[]} settlements
 * @param {Readonly<Record<string, PlaceFacts>>} facts
 * @returns {Drawing}
 */
export function drawingOf(partition, settlements, facts) {
  return { partition, settlements: Object.fromEntries(settlements.map(({ code, geometry }) => [code, shapeOf(geometry)])), facts };
}

/**
 * Return the drawing with another partition.
 * @param {Drawing} drawing
 * @param {Partition} partition
 * @returns {Drawing}
 */
export function withPartition(drawing, partition) {
  return partition === drawing.partition ? drawing : { ...drawing, partition };
}

/**
 * Return the drawing with another shape of a settlement, or without it.
 * @param {Drawing} drawing
 * @param {string} code
 * @param {Shape | null} shape
 * @returns {Drawing}
 */
export function withSettlement(drawing, code, shape) {
  if (shape === (drawing.settlements[code] ?? null)) return drawing;
  const { [code]: _, ...others } = drawing.settlements;
  return { ...drawing, settlements: shape ? { ...drawing.settlements, [code]: shape } : others };
}

/**
 * Return the drawing with other facts of a place, such as the name of a new one.
 * @param {Drawing} drawing
 * @param {string} code
 * @param {Partial<PlaceFacts>} facts
 * @returns {Drawing}
 */
export function withFacts(drawing, code, facts) {
  const old = drawing.facts[code] ?? { name_fa: "", name_en: "", kind: "neighbourhood", source: "", certainty: "imagery", edition: null };
  return { ...drawing, facts: { ...drawing.facts, [code]: { ...old, ...facts } } };
}

/**
 * Propose a code that no place has or had: the number after the highest of codes like the given one, or the given one with a number.
 * The server's twin is geo/core/codes.py; both are tested with tests/cases/codes.json.
 * @param {string} like
 * @param {Iterable<string>} taken
 */
export function freeCode(like, taken) {
  const used = new Set(taken);
  const [, stem, digits] = /^([a-z-]*?)(\d{1,9})$/.exec(like) ?? [];
  if (digits) {
    const numbers = [like, ...used].map((code) => (code.startsWith(stem) && /^\d{1,9}$/.test(code.slice(stem.length)) ? Number(code.slice(stem.length)) : 0));
    return `${stem}${String(numbers.reduce((a, b) => Math.max(a, b)) + 1).padStart(digits.length, "0")}`;
  }
  const start = like.slice(0, MOST_OF_CODE - 5).replace(/-+$/, "");
  let number = 2;
  while (used.has(`${start}-${number}`)) number++;
  return `${start}-${number}`;
}

/**
 * From which loaded places does a settlement have its land?
 * @param {Drawing} loaded
 * @param {Drawing} now
 * @param {string} code
 * @returns {string[]}
 */
export function settlementOrigins(loaded, now, code) {
  const own = Object.hasOwn(loaded.settlements, code) ? [code] : [];
  return [...new Set([...own, ...(now.facts[code]?.from ?? [])])];
}

/**
 * Join two settlements under the code of the first, wherever they lie.
 * @param {Drawing} loaded
 * @param {Drawing} now
 * @param {string} keep
 * @param {string} gone
 * @returns {Drawing}
 */
export function settlementsMerged(loaded, now, keep, gone) {
  for (const code of [keep, gone]) if (!Object.hasOwn(now.settlements, code)) throw new EditError("unknown_place", null, { code });
  if (keep === gone) throw new EditError("same_place");
  const { shape } = partitions.united(now.settlements[keep], now.settlements[gone]);
  const origins = new Set([...settlementOrigins(loaded, now, keep), ...settlementOrigins(loaded, now, gone)]);
  origins.delete(keep);
  return withFacts(withSettlement(withSettlement(now, keep, shape), gone, null), keep, { from: [...origins] });
}

/**
 * Return what the server is to be told: one edit for each place whose boundary or facts differ from what was loaded.
 * @param {Drawing} loaded
 * @param {Drawing} now
 * @returns {PlaceEdit[]}
 */
export function editsBetween(loaded, now) {
  const codes = new Set([...changedCodes(loaded, now), ...changedFacts(loaded, now)]);
  return [...codes].sort().map((code) => {
    const facts = now.facts[code] ?? loaded.facts[code];
    if (!facts) throw new EditError("unknown_place", null, { code });
    const isFace = Object.hasOwn(now.partition.faces, code);
    const shape = now.settlements[code];
    const isNew = !Object.hasOwn(loaded.partition.faces, code) && !Object.hasOwn(loaded.settlements, code);
    const { name_fa, name_en, kind, source, certainty } = facts;
    return {
      code,
      base_edition: isNew ? null : (loaded.facts[code]?.edition ?? null),
      geometry: isFace ? partitions.polygonOf(now.partition, code) : shape ? geometryOf(shape) : null,
      from_codes: isFace ? [...partitions.originsOf(now.partition, code)] : shape ? settlementOrigins(loaded, now, code) : [code],
      name_fa,
      name_en,
      kind,
      source,
      certainty,
    };
  });
}

/**
 * Return the codes of the places whose boundary differs, those that are new and those that are gone.
 * @param {Drawing} before
 * @param {Drawing} after
 * @returns {string[]}
 */
export function changedCodes(before, after) {
  const settlements = [...new Set([...Object.keys(before.settlements), ...Object.keys(after.settlements)])];
  return [
    ...changedFaces(before.partition, after.partition),
    ...settlements.filter((code) => !isSameShape(before.settlements[code], after.settlements[code])),
  ];
}

/**
 * Return the codes of the faces whose boundary differs.
 * @param {Partition} before
 * @param {Partition} after
 * @returns {string[]}
 */
export function changedFaces(before, after) {
  if (before.arcs === after.arcs && before.faces === after.faces) return [];
  const codes = new Set([...Object.keys(before.faces), ...Object.keys(after.faces)]);
  return [...codes].filter((code) => {
    const [one, other] = [before.faces[code], after.faces[code]];
    if (!one || !other) return true;
    // The same rings of arcs: they differ where an arc does.
    if (one === other) return [...new Set(one.flat(2).map((ref) => (ref < 0 ? ~ref : ref)))].some((arc) => !isSameLine(before.arcs[arc], after.arcs[arc]));
    return !isSameShape(partitions.polygonOf(before, code).coordinates, partitions.polygonOf(after, code).coordinates);
  });
}

/**
 * Return the numbers of the arcs in the later partition whose course the earlier one does not have.
 * @param {Partition} before
 * @param {Partition} after
 * @returns {number[]}
 */
export function changedArcs(before, after) {
  /** @type {number[]} */
  const found = [];
  for (const [arc, line] of after.arcs.entries()) {
    if (line.length && !(before.arcs[arc] && isSameLine(line, before.arcs[arc]))) found.push(arc);
  }
  return found;
}

/** @param {Drawing} loaded @param {Drawing} now */
function changedFacts(loaded, now) {
  if (loaded.facts === now.facts) return [];
  const is_there = (/** @type {string} */ code) => Object.hasOwn(now.partition.faces, code) || Object.hasOwn(now.settlements, code);
  return Object.keys(now.facts).filter((code) => {
    const [one, other] = [loaded.facts[code], now.facts[code]];
    return is_there(code) && one !== other && JSON.stringify(one) !== JSON.stringify(other);
  });
}

// ---- Keeping a drawing and its history ----

/**
 * How drawings are written and read; a step is written as what it changed, and reading it shares the rest again.
 * @type {Codec<Drawing>}
 */
export const DRAWINGS = Object.freeze({
  write: ({ partition, settlements, facts }) => ({ partition: whole(partition), settlements, facts }),
  read: ({ partition, settlements, facts }) => ({ partition: { ...partition, arcs: partition.arcs.map(asLine) }, settlements, facts }),
  difference: (before, after) => ({
    arcs: differences(before.partition.arcs, after.partition.arcs),
    count: after.partition.arcs.length,
    faces: differences(before.partition.faces, after.partition.faces),
    origins: differences(before.partition.origins, after.partition.origins),
    settlements: differences(before.settlements, after.settlements),
    facts: differences(before.facts, after.facts),
  }),
  changed: (before, change) => {
    const old = before.partition;
    const arcs = old.arcs.slice(0, change.count);
    for (const [arc, line] of Object.entries(change.arcs)) if (Number(arc) < change.count) arcs[Number(arc)] = asLine(line);
    const faces = patched(old.faces, change.faces);
    const partition = { ...old, arcs, faces, origins: patched(old.origins, change.origins) };
    return {
      partition: isEmpty(change.arcs) && faces === old.faces && change.count === old.arcs.length ? old : partition,
      settlements: patched(before.settlements, change.settlements),
      facts: patched(before.facts, change.facts),
    };
  },
});

/** Written with the arcs that are gone, so that numbers stay. @param {Partition} partition */
function whole({ tolerance_m, arcs, faces, origins }) {
  return { tolerance_m, arcs, faces, origins };
}

/** @param {any} line @returns {Line} */
function asLine(line) {
  return line ?? [];
}

/**
 * What differs between two records, by identity: null stands for what is gone.
 * @param {any} before
 * @param {any} after
 */
function differences(before, after) {
  /** @type {Record<string, any>} */
  const found = {};
  if (before === after) return found;
  for (const key of Object.keys(after)) if (before[key] !== after[key]) found[key] = after[key];
  for (const key of Object.keys(before)) if (!(key in after)) found[key] = null;
  return found;
}

/**
 * @template T
 * @param {Readonly<Record<string, T>>} before
 * @param {Record<string, T | null>} change
 * @returns {Readonly<Record<string, T>>}
 */
function patched(before, change) {
  if (isEmpty(change)) return before;
  const next = { ...before };
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete next[key];
    else next[key] = value;
  }
  return next;
}

/** @param {object} record */
function isEmpty(record) {
  return Object.keys(record).length === 0;
}

/** @param {readonly (readonly number[])[]} one @param {readonly (readonly number[])[]} other */
function isSameLine(one, other) {
  return one === other || (one.length === other.length && one.every(([x, y], i) => x === other[i][0] && y === other[i][1]));
}

/**
 * Have two shapes the same rings, wherever these begin and whichever way they turn?
 * @param {readonly (readonly (readonly (readonly number[])[])[])[] | undefined} one
 * @param {readonly (readonly (readonly (readonly number[])[])[])[] | undefined} other
 */
function isSameShape(one, other) {
  if (one === other) return true;
  if (!one || !other) return false;
  const [rings, others] = [one.flat(), other.flat()];
  if (rings.length !== others.length) return false;
  const texts = new Set(others.map(ringKey));
  return rings.every((ring) => texts.has(ringKey(ring)));
}

/** Write a ring the same way wherever it begins. @param {readonly (readonly number[])[]} ring */
function ringKey(ring) {
  const open = ring.slice(0, -1).map(([x, y]) => `${x} ${y}`);
  let first = 0;
  for (let i = 1; i < open.length; i++) if (open[i] < open[first]) first = i;
  const turned = [...open.slice(first), ...open.slice(0, first)];
  const back = [turned[0], ...turned.slice(1).reverse()];
  return turned.length > 1 && turned[1] > back[1] ? back.join() : turned.join();
}
