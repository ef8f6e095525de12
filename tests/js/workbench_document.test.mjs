import assert from "node:assert/strict";
import { test } from "node:test";
import { changesOf, inserted, moved, nextCode, recoded, removed, ringsOf, shapeOf } from "../../maps/static/maps/js/workbench/document.js";
import { DRAWINGS } from "../../maps/static/maps/js/workbench/edits.js";
import { begin, fromJson, record, toJson } from "../../maps/static/maps/js/workbench/history.js";
import { isSameShape } from "../../maps/static/maps/js/workbench/merging.js";
import { neighboursOf, polygonsOf } from "../../maps/static/maps/js/workbench/partition.js";
import { partitionFrom } from "../../maps/static/maps/js/workbench/rebuilding.js";
import { cutFrom, filled, gaps, holed, merged, parted, settlementDrawn, splitBy } from "../../maps/static/maps/js/workbench/tools.js";
import { editsOf, readCity } from "../../maps/static/maps/js/workbench/wire.js";

const at = (x, y) => [48 + x / 100, 33 + y / 100];
const box = (x, y, size = 1) => [[[at(x, y), at(x + size, y), at(x + size, y + size), at(x, y + size), at(x, y)]]];
const none = { tolerance_m: 0.5, arcs: [], faces: {}, origins: {} };
const said = { title: "", comment: "", valid_from: "", source: "", certainty: "" };

/** Two by two neighbourhoods and one settlement. */
function city() {
  const shapes = { n001: box(0, 0), n002: box(1, 0), n003: box(0, 1), n004: box(1, 1) };
  const { tolerance_m, arcs, faces } = partitionFrom(shapes, none);
  const places = Object.fromEntries(Object.keys(shapes).map((code, i) => [code, { name_fa: code, name_en: code, kind: "neighbourhood", edition: i + 1, is_editable: true }]));
  return readCity({ partition: { tolerance_m, arcs, faces }, places, settlements: [{ code: "s01", geometry: { type: "MultiPolygon", coordinates: box(0.2, 0.2, 0.3) }, name_fa: "s", name_en: "s", edition: 9 }] });
}
const names = { fa: "{name} ۲", en: "{name} 2" };

test("shapes become a partition and come back", () => {
  const shapes = { a: box(0, 0), b: box(1, 0), island: box(0.4, 0.4, 0.2) };
  shapes.a[0].push([...box(0.4, 0.4, 0.2)[0][0]].reverse());
  const partition = partitionFrom(shapes, none);
  assert.equal(partition.arcs.length, 4, "one between a and b, one around each, and the island's");
  assert.deepEqual(neighboursOf(partition, "a").sort(), ["b", "island"]);
  for (const [code, geometry] of Object.entries(polygonsOf(partition))) assert.ok(isSameShape(geometry.coordinates, shapes[code]), code);
  const again = partitionFrom(shapes, partition);
  assert.ok(again.arcs.every((line) => partition.arcs.includes(line)), "lines that were there are kept as values");
});

test("a vertex between two places moves for both, a node for all four", () => {
  const base = city();
  const ring = ringsOf(base, "n001")[0];
  const node = ring.handles.findIndex((handle) => handle.at[0] === at(1, 1)[0] && handle.at[1] === at(1, 1)[1]);
  assert.ok(ring.handles[node].isNode);
  const doc = moved(base, "n001", ring, ring.handles[node], at(1.1, 1.1));
  assert.deepEqual(changesOf(base, doc).map(({ code }) => code).sort(), ["n001", "n002", "n003", "n004"]);
});

test("a vertex goes in where the hand put it, whichever way the arc is walked", () => {
  const base = city();
  for (const code of ["n001", "n002", "n003", "n004", "s01"]) {
    const ring = ringsOf(base, code)[0];
    for (const [i, handle] of ring.handles.entries()) {
      const next = ring.handles[(i + 1) % ring.handles.length];
      const middle = [(handle.at[0] + next.at[0]) / 2, (handle.at[1] + next.at[1]) / 2];
      const doc = inserted(base, code, ring, i, middle);
      const after = ringsOf(doc, code)[0].handles;
      const found = after.findIndex((one) => Math.hypot(one.at[0] - middle[0], one.at[1] - middle[1]) < 1e-7);
      assert.deepEqual(after[(found + after.length - 1) % after.length].at, handle.at);
      assert.deepEqual(after[(found + 1) % after.length].at, next.at);
      const back = removed(doc, code, ringsOf(doc, code)[0], after[found]);
      assert.deepEqual(changesOf(base, back), []);
    }
  }
});

test("split, then merge: the first place is as it was, its part has come and gone", () => {
  const base = city();
  const cut = splitBy(base, base, "n001", [at(0.3, -0.2), at(0.3, 1.2)], names);
  assert.equal(cut.chosen, "n005");
  assert.deepEqual(changesOf(base, cut.doc).map(({ code, what }) => `${code} ${what}`).sort(), ["n001 reshaped", "n003 reshaped", "n005 new"]);
  assert.equal(cut.doc.facts.n005.name_en, "n001 2");
  const joined = merged(base, cut.doc, "n001", "n005");
  assert.ok(!("n005" in joined.doc.partition.faces));
});

test("a settlement is split as a neighbourhood is", () => {
  const base = city();
  const { doc, chosen } = splitBy(base, base, "s01", [at(0.35, 0), at(0.35, 1)], names);
  assert.equal(chosen, "s02");
  assert.equal(shapeOf(doc, "s01").length + shapeOf(doc, "s02").length, 2);
  assert.equal(editsOf(base, doc, said).find(({ code }) => code === "s02").kind, "settlement");
});

test("cut out, hole, fill: the hole is a gap, filled it is gone", () => {
  const base = city();
  const square = box(0.4, 0.4, 0.2)[0];
  const cut = cutFrom(base, base, "n001", square, names);
  assert.deepEqual(changesOf(base, cut.doc).map(({ code, what }) => `${code} ${what}`).sort(), ["n001 reshaped", "n005 new"]);
  const { doc } = holed(base, "n001", square[0]);
  const [gap] = gaps(doc);
  assert.deepEqual(gap.beside, ["n001"]);
  assert.deepEqual(changesOf(base, filled(doc, gap, "n001").doc), []);
});

test("a part beside a place is merged into it, one apart is a second polygon", () => {
  const base = city();
  const beside = parted(base, "n001", box(-0.5, 0.2, 0.5)[0][0]);
  assert.equal(shapeOf(beside.doc, "n001").length, 1);
  const apart = parted(base, "n001", box(-2, 0, 0.5)[0][0]);
  assert.equal(shapeOf(apart.doc, "n001").length, 2);
  assert.deepEqual(changesOf(base, apart.doc).map(({ code }) => code), ["n001"]);
});

test("a drawn settlement gets the next code and the words it is given", () => {
  const base = city();
  const { doc, chosen } = settlementDrawn(base, base, box(0.5, 0.5, 0.3), { fa: "تازه", en: "New" });
  assert.equal(chosen, "s02");
  assert.equal(doc.facts.s02.name_fa, "تازه");
  assert.equal(nextCode(base, doc, "s01"), "s03");
});

test("what is kept makes the same document again, and its history", () => {
  const base = city();
  const one = splitBy(base, base, "n001", [at(0.3, -0.2), at(0.3, 1.2)], names).doc;
  const two = cutFrom(base, one, "n002", box(1.4, 0.4, 0.2)[0], names).doc;
  const kept = JSON.parse(JSON.stringify(toJson(record(record(begin(base), one, "split"), two, "cut"), { ...DRAWINGS, write: () => null })));
  const again = fromJson(kept, { ...DRAWINGS, read: () => base });
  assert.equal(again.at, 2);
  assert.deepEqual(again.steps.map(({ value }) => editsOf(base, value, said)), [base, one, two].map((doc) => editsOf(base, doc, said)));
});

test("a new place takes another code wherever it is named", () => {
  const base = city();
  const { doc } = splitBy(base, base, "n001", [at(0.3, -0.2), at(0.3, 1.2)], names);
  const renamed = recoded(doc, "n005", "n009");
  assert.deepEqual(changesOf(base, renamed).map(({ code, what, from }) => `${code} ${what} ${from}`.trim()).sort(), ["n001 reshaped", "n003 reshaped", "n009 new n001"]);
  const { doc: parts } = splitBy(base, base, "s01", [at(0.35, 0), at(0.35, 1)], names);
  assert.deepEqual(Object.keys(recoded(parts, "s02", "s07").settlements), ["s01", "s07"]);
});
