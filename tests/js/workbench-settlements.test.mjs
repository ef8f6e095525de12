import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { nextCode } from "../../maps/static/maps/js/workbench/document.js";
import { drawingOf, editsBetween, freeCode, withFacts, withSettlement } from "../../maps/static/maps/js/workbench/edits.js";
import { EditError, isInShape, selfMeeting, turning } from "../../maps/static/maps/js/workbench/geometry.js";
import * as P from "../../maps/static/maps/js/workbench/partition.js";
import { withPlaces } from "../../maps/static/maps/js/workbench/recovering.js";
import { cutFrom, mergeable, merged, splitBy } from "../../maps/static/maps/js/workbench/tools.js";
import { editsOf } from "../../maps/static/maps/js/workbench/wire.js";
import { random } from "./workbench-city.test.mjs";

const CODES = JSON.parse(readFileSync(new URL("../cases/codes.json", import.meta.url), "utf8"));
const [X, Y, STEP] = [48.5, 33.4, 1e-3];
const FACT = { name_fa: "سکونتگاه", name_en: "Settlement", kind: "settlement", source: "walk", certainty: "walked", is_editable: true };
const NAMES = { fa: "بخشی از {name}", en: "Part of {name}" };
const SAID = { title: "", comment: "", valid_from: "", source: "", certainty: "" };

/** A rectangle in steps of about a hundred metres. */
const box = (west, south, east, north) => [[west, south], [east, south], [east, north], [west, north], [west, south]].map(([x, y]) => [X + x * STEP, Y + y * STEP]);
const ring = (...corners) => [...corners, corners[0]].map(([x, y]) => [X + x * STEP, Y + y * STEP]);

function loaded(shapes, taken = []) {
  const partition = P.fromJson({ tolerance_m: 0.5, arcs: [box(-9, -9, -8, -8)], faces: { n001: [[[0]]] } });
  const settlements = Object.entries(shapes).map(([code, coordinates]) => ({ code, geometry: { type: "MultiPolygon", coordinates } }));
  const facts = Object.fromEntries(["n001", ...Object.keys(shapes)].map((code, i) => [code, { ...FACT, kind: code === "n001" ? "neighbourhood" : "settlement", edition: 100 + i }]));
  return { ...drawingOf(partition, settlements, facts), taken };
}

const fails = (code) => (error) => error instanceof EditError && (assert.equal(error.code, code), true);
const near = (a, b, share = 1e-6) => assert.ok(Math.abs(a - b) <= share * Math.max(Math.abs(a), Math.abs(b), 1e-9), `${a} is not ${b}`);
/** In squares of the lattice, in the plane: on the ground those further north are smaller. */
const hectares = (shape) => shape.reduce((sum, rings) => sum + rings.reduce((left, line, i) => left + (i ? -1 : 1) * Math.abs(turning(line)) / 2, 0), 0) / STEP ** 2;

// ---- uniting

test("two that touch become one without the line between", () => {
  const { shape, lie } = P.united([[box(0, 0, 1, 1)]], [[box(1, 0, 2, 1)]]);
  assert.equal(lie, "touching");
  assert.equal(shape.length, 1);
  assert.equal(shape[0].length, 1);
  near(hectares(shape), 2);
});

test("a sliver within the tolerance is closed, a wider one stays", () => {
  const closed = P.united([[box(0, 0, 1, 1)]], [[box(1.003, 0, 2, 1)]]);
  assert.deepEqual([closed.lie, closed.shape.length], ["touching", 1]);
  const open = P.united([[box(0, 0, 1, 1)]], [[box(1.02, 0, 2, 1)]]);
  assert.deepEqual([open.lie, open.shape.length], ["apart", 2]);
});

test("what both cover is covered once", () => {
  const { shape, lie } = P.united([[box(0, 0, 2, 2)]], [[box(1, 1, 3, 3)]]);
  assert.deepEqual([lie, shape.length], ["overlapping", 1]);
  near(hectares(shape), 7);
});

test("one inside the other, and one around it", () => {
  const [large, small] = [[[box(0, 0, 3, 3)]], [[box(1, 1, 2, 2)]]];
  assert.deepEqual(P.united(large, small), { shape: large, lie: "overlapping" });
  const around = P.united(small, large);
  assert.equal(around.lie, "overlapping");
  assert.deepEqual([around.shape.length, around.shape[0].length], [1, 1]);
  near(hectares(around.shape), 9);
});

test("those that lie apart, or meet in a corner alone, stand side by side", () => {
  for (const other of [box(5, 5, 6, 6), box(1, 1, 2, 2)]) {
    const { shape, lie } = P.united([[box(0, 0, 1, 1)]], [[other]]);
    assert.deepEqual([lie, shape.length], ["apart", 2]);
    near(hectares(shape), 2);
  }
});

test("holes: one is filled by the other, and one is left between two", () => {
  const yard = [[box(0, 0, 3, 3), [...box(1, 1, 2, 2)].reverse()]];
  const filled = P.united(yard, [[box(1, 1, 2, 2)]]);
  assert.deepEqual([filled.shape.length, filled.shape[0].length], [1, 1]);
  near(hectares(filled.shape), 9);
  const clasps = [ring([0, 0], [3, 0], [3, 1], [1, 1], [1, 2], [3, 2], [3, 3], [0, 3])];
  const { shape } = P.united([clasps], [[box(2, 0.5, 4, 2.5)]]);
  assert.deepEqual([shape.length, shape[0].length], [1, 2]);
  near(hectares(shape), 7 + 4 - 2 * 0.5);
});

test("of several parts those that meet are joined and the others kept", () => {
  const { shape, lie } = P.united([[box(0, 0, 1, 1)], [box(8, 0, 9, 1)]], [[box(1, 0, 2, 1)], [box(5, 5, 6, 6)]]);
  assert.deepEqual([lie, shape.length], ["touching", 3]);
  near(hectares(shape), 4);
});

test("whatever is united covers what either covered, and nothing else", () => {
  const r = random(41);
  let joined = 0;
  for (let n = 0; n < 150; n++) {
    const star = () => {
      const [cx, cy, size] = [r() * 3, r() * 3, 0.5 + r() * 1.5];
      const corners = 4 + Math.floor(r() * 9);
      const turns = Array.from({ length: corners }, (_, i) => ((i + 0.8 * r()) / corners) * 2 * Math.PI);
      return [[ring(...turns.map((turn) => [cx + Math.cos(turn) * size * (0.6 + 0.4 * r()), cy + Math.sin(turn) * size * (0.6 + 0.4 * r())]))]];
    };
    const [one, other] = [star(), star()];
    const { shape } = P.united(one, other);
    if (shape.length === 1) joined++;
    for (const line of shape.flat()) assert.equal(selfMeeting(line), null);
    let wrong = 0;
    for (let k = 0; k < 200; k++) {
      const at = [X + (r() * 7 - 2) * STEP, Y + (r() * 7 - 2) * STEP];
      if (isInShape(at, shape) !== (isInShape(at, one) || isInShape(at, other))) wrong++;
    }
    // Vertices may have been laid onto the other's edge within half a metre.
    assert.ok(wrong <= 4, `${wrong} of 200 points are elsewhere in case ${n}`);
  }
  assert.ok(joined > 40);
});

// ---- the tools

test("a merge of settlements ends the one and says where the other's land comes from", () => {
  const base = loaded({ s01: [[box(0, 0, 1, 1)]], s02: [[box(1, 0, 2, 1)]], s03: [[box(6, 6, 7, 7)]] });
  assert.deepEqual(mergeable(base, "s01"), [{ code: "s02", lie: "touching" }, { code: "s03", lie: "apart" }]);
  const { doc, chosen } = merged(base, base, "s01", "s02");
  assert.equal(chosen, "s01");
  const edits = Object.fromEntries(editsOf(base, doc, SAID).map((edit) => [edit.code, edit]));
  assert.deepEqual(Object.keys(edits), ["s01", "s02"]);
  assert.deepEqual(edits.s01.from, ["s02"]);
  assert.deepEqual([edits.s02.geometry, edits.s02.base_edition_id], [null, base.facts.s02.edition]);
  const more = merged(base, doc, "s01", "s03").doc;
  assert.equal(more.settlements.s01.length, 2, "two parts, since they lie apart");
  assert.deepEqual(Object.fromEntries(editsBetween(base, more).map((edit) => [edit.code, edit.from_codes])), { s01: ["s01", "s02", "s03"], s02: ["s02"], s03: ["s03"] });
  assert.equal(Object.keys(base.settlements).length, 3, "the earlier value stays as it was");
});

test("land keeps its origin through places that live during the edit alone", () => {
  const base = loaded({ s01: [[box(0, 0, 4, 1)]], s02: [[box(6, 0, 7, 1)]] });
  const split = splitBy(base, base, "s01", ring([3, -1], [3, 2]).slice(0, 2), NAMES);
  assert.deepEqual(split.doc.facts[split.chosen].from, ["s01"]);
  const cut = cutFrom(base, split.doc, split.chosen, [box(3, 0, 3.5, 0.5)], NAMES);
  assert.deepEqual(cut.doc.facts[cut.chosen].from, ["s01"], "not the part that was never saved");
  const joined = merged(base, cut.doc, "s02", cut.chosen).doc;
  assert.deepEqual(joined.facts.s02.from, ["s01"]);
  const codes = new Set(Object.keys(base.facts));
  for (const edit of editsOf(base, joined, SAID)) assert.ok(edit.from.every((code) => codes.has(code)), edit.code);
  assert.ok(!editsOf(base, joined, SAID).some(({ code }) => code === cut.chosen));
});

test("a new settlement takes in a loaded one", () => {
  const base = loaded({ s01: [[box(0, 0, 1, 1)]] });
  const drawn = withFacts(withSettlement(base, "s02", [[box(0.5, 0, 2, 1)]]), "s02", { ...FACT, edition: null });
  const { doc } = merged(base, drawn, "s02", "s01");
  const edits = Object.fromEntries(editsBetween(base, doc).map((edit) => [edit.code, edit]));
  assert.deepEqual([edits.s02.base_edition, edits.s02.from_codes, edits.s01.geometry], [null, ["s01"], null]);
});

test("what cannot be merged is said", () => {
  const base = loaded({ s01: [[box(0, 0, 1, 1)]], s02: [[box(1, 0, 2, 1)]] });
  assert.throws(() => merged(base, base, "s01", "n001"), fails("not_same_kind"));
  assert.throws(() => merged(base, base, "s01", "s01"), fails("same_place"));
  assert.throws(() => merged(base, base, "s01", "s09"), fails("unknown_place"));
});

// ---- codes

for (const { name, like, taken, free } of CODES) {
  test(`a free code as on the server: ${name}`, () => assert.equal(freeCode(like, taken), free));
}

test("a new place never gets the code of an ended place or of another's draft", () => {
  const base = loaded({ s01: [[box(0, 0, 1, 1)]] }, ["n001", "n002", "s01", "s02", "s07"]);
  assert.equal(nextCode(base, base, "s01"), "s08");
  const { chosen, doc } = splitBy(base, base, "s01", ring([0.5, -1], [0.5, 2]).slice(0, 2), NAMES);
  assert.equal(chosen, "s08");
  assert.equal(nextCode(base, doc, "s01"), "s09");
  assert.equal(nextCode(loaded({ s01: [[box(0, 0, 1, 1)]] }), doc, "s01"), "s09");
});

test("who keeps a place that has ended meanwhile brings it back, and nobody else does", () => {
  const base = loaded({ s01: [[box(0, 0, 1, 1)]], s02: [[box(3, 0, 4, 1)]] });
  const fresh = loaded({ s02: [[box(3, 0, 4, 1)]] }, ["n001", "s01", "s02"]);
  const mine = withPlaces(fresh, [{ code: "s01", shape: [[box(0, 0, 1, 2)]], facts: base.facts.s01 }]);
  const edits = editsOf(fresh, mine, SAID);
  assert.deepEqual(edits.map(({ code, base_edition_id, is_revival }) => [code, base_edition_id, is_revival]), [["s01", null, true]]);
  const split = splitBy(fresh, fresh, "s02", ring([3.5, -1], [3.5, 2]).slice(0, 2), NAMES).doc;
  assert.ok(editsOf(fresh, split, SAID).every(({ is_revival }) => is_revival === false));
});
