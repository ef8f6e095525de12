import assert from "node:assert/strict";
import { test } from "node:test";
import { makeConsequences } from "../../maps/static/maps/js/workbench/consequences.js";
import { withSettlement } from "../../maps/static/maps/js/workbench/edits.js";
import { isSameFeatures } from "../../maps/static/maps/js/workbench/features.js";
import { partitionFrom } from "../../maps/static/maps/js/workbench/rebuilding.js";
import { readCity } from "../../maps/static/maps/js/workbench/wire.js";

const box = (x, size) => [[[[x, 33], [x + size, 33], [x + size, 33 + size], [x, 33 + size], [x, 33]]]];
const none = { tolerance_m: 0.5, arcs: [], faces: {}, origins: {} };
const base = readCity({
  partition: partitionFrom({ n001: box(48, 0.01) }, none),
  places: { n001: { name_fa: "n", name_en: "n", kind: "neighbourhood", edition: 1 } },
  settlements: [{ code: "s01", geometry: { type: "MultiPolygon", coordinates: box(48.1, 0.001) }, name_fa: "s", name_en: "s", edition: 2 }],
});
/** The settlement drawn larger, step by step. */
const drawn = [1, 2, 3, 4, 5].map((step) => withSettlement(base, "s01", box(48.1, 0.001 * (step + 1))));
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A server that answers when it is told to, and what was asked of it. */
function bench() {
  const found = { asked: [], waiting: [], taken: [], told: [], doc: base };
  const api = (_method, _path, { body }) =>
    new Promise((resolve, reject) => {
      found.asked.push(Number(body.edits[0].geometry.coordinates[0][0][1][0].toFixed(6)));
      found.waiting.push({ answer: () => resolve({ body: { places: { s01: { people: found.asked.length } }, touched: {}, findings: [] }, etag: "" }), fail: () => reject(new Error("lost")) });
    });
  const { ask } = makeConsequences({
    api, city: "c", nameOf: (code) => code,
    what: () => ({ base, doc: found.doc, chosen: "s01" }),
    take: (answer) => found.taken.push(answer),
    tell: (isBusy, problem) => found.told.push([isBusy, problem]),
  });
  return { ...found, found, draw: (doc) => ((found.doc = doc), ask()) };
}

test("the first question goes out at once; while it is under way the newest alone waits", async () => {
  const { draw, asked, waiting, taken, told } = bench();
  draw(drawn[0]);
  assert.deepEqual(asked, [48.102], "in the same turn");
  for (const doc of drawn.slice(1)) draw(doc);
  await turn();
  assert.equal(asked.length, 1, "no second question while one is under way");
  waiting[0].answer();
  await turn();
  assert.equal(taken.length, 1);
  assert.equal(taken[0].doc, drawn[0], "the answer says which drawing it is of");
  assert.deepEqual(asked, [48.102, 48.106], "of four drawings that waited, the newest");
  assert.equal(told.at(-1)[0], true, "still counting");
  waiting[1].answer();
  await turn();
  assert.equal(taken.at(-1).doc, drawn[4]);
  assert.deepEqual(told.at(-1), [false, ""]);
  assert.equal(asked.length, 2);
});

test("a question that fails keeps none waiting, and is said only if nothing follows", async () => {
  const { draw, asked, waiting, taken, told } = bench();
  draw(drawn[0]);
  draw(drawn[1]);
  waiting[0].fail();
  await turn();
  assert.equal(asked.length, 2);
  assert.ok(told.every(([, problem]) => problem === ""));
  waiting[1].fail();
  await turn();
  assert.deepEqual(told.at(-1), [false, "lost"]);
  draw(drawn[2]);
  assert.equal(asked.length, 3);
  waiting[2].answer();
  await turn();
  assert.equal(taken.length, 1);
});

test("features are the same as long as what they show is", () => {
  const line = [[48, 33], [48.1, 33]];
  const one = (properties, coordinates = line) => ({ type: "Feature", properties, geometry: { type: "LineString", coordinates } });
  const point = (x) => ({ type: "Feature", properties: { name: "a" }, geometry: { type: "Point", coordinates: [x, 33] } });
  assert.ok(isSameFeatures([], []));
  assert.ok(isSameFeatures([one({ id: 1 })], [one({ id: 1 })]));
  assert.ok(isSameFeatures([point(48)], [point(48)]));
  assert.ok(!isSameFeatures([point(48)], [point(48.1)]));
  assert.ok(!isSameFeatures([one({ id: 1 })], [one({ id: 1 }, [...line])]), "another line");
  assert.ok(!isSameFeatures([one({ id: 1, changed: 0 })], [one({ id: 1, changed: 1 })]));
  assert.ok(!isSameFeatures([one({ id: 1 })], [one({ id: 1 }), one({ id: 2 })]));
});
