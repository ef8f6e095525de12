import assert from "node:assert/strict";
import { test } from "node:test";
import { DRAWINGS, changedArcs, changedCodes, drawingOf, editsBetween, freeCode, withFacts, withPartition, withSettlement } from "../../maps/static/maps/js/workbench/edits.js";
import { MESSAGES, EditError, shapeHoleAdd, shapeHoleRemove, shapePartAdd, shapePartRemove, shapeRingReplace, shapeVertexAdd, shapeVertexMove, shapeVertexRemove } from "../../maps/static/maps/js/workbench/geometry.js";
import { MAX_STEPS, begin, canRedo, canUndo, fromJson as historyFrom, present, record, redo, redoLabel, toJson as historyTo, undo, undoLabel } from "../../maps/static/maps/js/workbench/history.js";
import * as P from "../../maps/static/maps/js/workbench/partition.js";
import { city, random } from "./workbench-city.test.mjs";

const SQUARE = [[48.5, 33.4], [48.51, 33.4], [48.51, 33.41], [48.5, 33.41], [48.5, 33.4]];
const FACT = { name_fa: "محله", name_en: "Quarter", kind: "neighbourhood", source: "survey", certainty: "surveyed" };

function loaded() {
  const partition = P.fromJson(city(4, 3, 4, random(2)));
  const facts = Object.fromEntries([...Object.keys(partition.faces), "s01"].map((code, i) => [code, { ...FACT, edition: 100 + i }]));
  return drawingOf(partition, [{ code: "s01", geometry: { type: "Polygon", coordinates: [SQUARE] } }], facts);
}

const fails = (code) => (error) => error instanceof EditError && (assert.equal(error.code, code), true);

// ---- What changed ----

test("nothing changed is no edit, also when every value is another", () => {
  const now = loaded();
  const copy = DRAWINGS.read(JSON.parse(JSON.stringify(DRAWINGS.write(now))));
  assert.deepEqual(editsBetween(now, copy), []);
  assert.deepEqual(changedArcs(now.partition, copy.partition), []);
});

test("a vertex moved and moved back is no edit", () => {
  const now = loaded();
  const at = now.partition.arcs[5][2];
  const there = P.vertexMove(now.partition, 5, 2, [at[0] + 1e-5, at[1]]);
  assert.deepEqual(changedArcs(now.partition, there), [5]);
  const back = withPartition(now, P.vertexMove(there, 5, 2, at));
  assert.deepEqual(changedCodes(now, back), []);
});

test("a shared edge that moved is an edit of both places, on the editions that were loaded", () => {
  const now = loaded();
  const arc = P.arcsOf(now.partition, "n001").find((one) => P.facesOf(now.partition, one).length === 2);
  const at = now.partition.arcs[arc][2];
  const next = withPartition(now, P.vertexMove(now.partition, arc, 2, [at[0] + 1e-5, at[1] + 1e-5]));
  const edits = editsBetween(now, next);
  assert.deepEqual(edits.map(({ code }) => code), P.facesOf(now.partition, arc).sort());
  for (const { code, base_edition, from_codes, geometry } of edits) {
    assert.equal(base_edition, now.facts[code].edition);
    assert.deepEqual(from_codes, [code]);
    assert.deepEqual(geometry, P.polygonOf(next.partition, code));
  }
});

test("split, merged, ended, new and named places are told with where their land comes from", () => {
  let now = loaded();
  const first = now;
  const [x, y] = P.placeOf(now.partition, "n006");
  const code = freeCode("n006", Object.keys(now.facts));
  now = withFacts(withPartition(now, P.split(now.partition, "n006", [[x - 0.02, y], [x + 0.02, y]], code)), code, { ...FACT, name_en: "New", edition: null });
  now = withPartition(now, P.merge(now.partition, "n001", "n002"));
  now = withSettlement(now, "s01", null);
  now = withFacts(withSettlement(now, "s02", shapePartAdd(null, SQUARE)), "s02", { ...FACT, kind: "settlement", edition: null });
  const edits = Object.fromEntries(editsBetween(first, now).map((edit) => [edit.code, edit]));
  assert.equal(edits[code].base_edition, null);
  assert.deepEqual(edits[code].from_codes, ["n006"]);
  assert.equal(edits[code].name_en, "New");
  assert.deepEqual(edits.n006.from_codes, ["n006"]);
  assert.deepEqual([...edits.n001.from_codes].sort(), ["n001", "n002"]);
  assert.equal(edits.n002.geometry, null);
  assert.equal(edits.n002.base_edition, first.facts.n002.edition);
  assert.equal(edits.s01.geometry, null);
  assert.deepEqual([edits.s02.base_edition, edits.s02.from_codes, edits.s02.kind], [null, [], "settlement"]);
  // The split put a vertex on the neighbours' boundaries, so these are told too; the rest is not.
  const near = [code, "n006", "n001", "n002", "s01", "s02", ...P.neighboursOf(now.partition, code), ...P.neighboursOf(now.partition, "n006"), ...P.neighboursOf(now.partition, "n001")];
  assert.ok(Object.keys(edits).every((one) => near.includes(one)));
  assert.notEqual(freeCode("n006", Object.keys(now.facts)), code);
});

test("another name alone is an edit of that place", () => {
  const now = loaded();
  const edits = editsBetween(now, withFacts(now, "n003", { name_en: "Other" }));
  assert.deepEqual(edits.map(({ code, name_en }) => [code, name_en]), [["n003", "Other"]]);
});

// ---- Boundaries that come together ----

test("a vertex dragged onto another place's boundary becomes a vertex of both, and the gap between closes", () => {
  const two = P.fromJson({
    tolerance_m: 0.5,
    arcs: [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], [[2, 0], [3, 0], [3, 1], [2, 1], [2, 0]]],
    faces: { west: [[[0]]], east: [[[1]]] },
  });
  const one = P.vertexMove(two, 1, 0, [1, 0]);
  assert.deepEqual(P.neighboursOf(one, "west"), [], "they touch in a point");
  const arc = P.arcsOf(one, "east").find((number) => one.arcs[number].some(([x, y]) => x === 2 && y === 1));
  const index = one.arcs[arc].findIndex(([x, y]) => x === 2 && y === 1);
  const closed = P.vertexMove(one, arc, index, [1, 1]);
  assert.deepEqual(P.neighboursOf(closed, "west"), ["east"]);
  assert.deepEqual(P.conflictsOf(closed), []);
  const shared = P.arcsOf(closed, "west").find((number) => P.facesOf(closed, number).length === 2);
  assert.equal(closed.arcs[shared].length, 2);
  const half = P.vertexMove(one, arc, index, [1, 0.5]);
  assert.deepEqual(P.neighboursOf(half, "west"), ["east"], "an edge that is met gets the vertex");
  assert.equal(P.polygonOf(half, "west").coordinates[0][0].length, 6);
});

test("a vertex that would pass over the edge opposite, or over an island, is refused", () => {
  const triangle = P.fromJson({
    tolerance_m: 0.5,
    arcs: [[[0, 0], [2, 0]], [[2, 0], [1, 1], [0, 0]], [[0, 0], [0, -2], [2, -2], [2, 0]]],
    faces: { top: [[[0, 1]]], bottom: [[[2, ~0]]] },
  });
  assert.throws(() => P.vertexMove(triangle, 1, 1, [1, -1]), fails("overlap"));
  const island = P.cutOut(triangle, "bottom", { type: "Polygon", coordinates: [[[0.2, -1.8], [0.3, -1.8], [0.3, -1.7], [0.2, -1.8]]] }, "isle");
  assert.throws(() => P.vertexMove(island, 2, 1, [1, -1.5]), fails("overlap"));
});

test("while a vertex is dragged it may be let cross", () => {
  const { partition } = loaded();
  const at = P.placeOf(partition, "n012");
  const crossed = P.vertexMove(partition, 0, 1, at, { isChecked: false });
  assert.ok(P.conflictsOf(crossed, [[0, 0, 2]]).length > 0);
  assert.throws(() => P.vertexMove(partition, 0, 1, at), (error) => error instanceof EditError && error.where?.length === 2 && error.code in MESSAGES);
});

test("a document that is no partition is refused with a reason", () => {
  const square = [[0, 0], [1, 0], [1, 1], [0, 0]];
  for (const json of [null, 7, [], {}, { arcs: [], faces: null }, { arcs: [[[0, 0]]], faces: {} }, { arcs: [[[0, 0], [400, 0]]], faces: {} }, { arcs: [[[0, 0], null]], faces: {} },
    { arcs: [square], faces: { a: [[[1]]] } }, { arcs: [[[0, 0], [1, 1]]], faces: { a: [[[0]]] } }, { arcs: [square], faces: { a: 7 } }, { arcs: [square], faces: { a: [[[]]] } }, { arcs: [square], faces: { a: [[["0"]]] } }]) {
    assert.throws(() => P.fromJson(json), fails("bad_partition"), JSON.stringify(json));
  }
});

// ---- Free polygons ----

const at = (vertex, ring = 0, polygon = 0) => ({ polygon, ring, vertex });

test("vertices of a settlement move, come and go, and rings stay closed", () => {
  const shape = shapePartAdd(null, SQUARE.slice(0, -1));
  const moved = shapeVertexMove(shape, at(0), [48.499, 33.399]);
  assert.deepEqual(moved[0][0][0], moved[0][0].at(-1));
  assert.deepEqual(shapeVertexMove(shape, at(4), [48.499, 33.399]), moved);
  assert.equal(shapeVertexAdd(shape, at(1), [48.505, 33.399])[0][0].length, 6);
  assert.deepEqual(shapeVertexRemove(shapeVertexAdd(shape, at(1), [48.505, 33.399]), at(1)), shape);
  assert.deepEqual(shapeVertexRemove(shape, at(0))[0][0], [SQUARE[1], SQUARE[2], SQUARE[3], SQUARE[1]]);
  assert.throws(() => shapeVertexMove(shape, at(0), [48.52, 33.405]), fails("crossing"));
  assert.throws(() => shapeVertexRemove(shapeVertexRemove(shape, at(0)), at(0)), fails("degenerate_ring"));
  assert.throws(() => shapeVertexMove(shape, at(9), [48.5, 33.4]), fails("unknown_vertex"));
  assert.throws(() => shapeVertexMove(shape, at(0), [1e9, 33.4]), fails("out_of_range"));
});

test("holes and parts come and go, but not where they cross", () => {
  const shape = shapePartAdd(null, SQUARE);
  const hole = [[48.502, 33.402], [48.504, 33.402], [48.503, 33.405]];
  const holed = shapeHoleAdd(shape, hole);
  assert.equal(holed[0].length, 2);
  assert.equal(holed[0][0], shape[0][0], "the outer ring is shared");
  assert.deepEqual(shapeHoleRemove(holed, at(0, 1)), shape);
  assert.deepEqual(shapeVertexRemove(holed, at(0, 1)), shape, "the last three corners of a hole go together");
  assert.throws(() => shapeHoleAdd(shape, [[48.502, 33.402], [48.514, 33.402], [48.503, 33.405]]), fails("not_in_shape"));
  assert.throws(() => shapeHoleAdd(holed, hole), fails("not_in_shape"));
  assert.throws(() => shapeVertexMove(holed, at(0, 1), [48.52, 33.402]), fails("crossing"));
  assert.throws(() => shapeRingReplace(holed, at(0), [[48.506, 33.406], [48.509, 33.406], [48.509, 33.409]]), fails("crossing"), "the hole would be outside");
  const parts = shapePartAdd(shape, [[48.52, 33.4], [48.53, 33.4], [48.53, 33.41]]);
  assert.equal(parts.length, 2);
  assert.deepEqual(shapePartRemove(parts, { polygon: 1 }), shape);
  assert.throws(() => shapePartRemove(shape, { polygon: 0 }), fails("degenerate_ring"));
  assert.throws(() => shapePartAdd(shape, hole), fails("invalid"));
  assert.throws(() => shapePartAdd(null, [[0, 0], [1, 1], [1, 0], [0, 1]]), fails("invalid"));
});

// ---- History ----

test("undo and redo give the identical values and say what they do", () => {
  let history = begin("loaded");
  assert.equal(record(history, "loaded", "nothing"), history);
  for (const value of ["one", "two", "three"]) history = record(history, value, `made ${value}`);
  history = undo(undo(history));
  assert.deepEqual([present(history), undoLabel(history), redoLabel(history)], ["one", "made one", "made two"]);
  assert.equal(present(redo(history)), "two");
  const other = record(history, "other", "made other");
  assert.equal(canRedo(other), false);
  assert.equal(present(undo(other)), "one");
  assert.equal(present(undo(undo(undo(other)))), "loaded");
  assert.equal(canUndo(undo(undo(other))), false);
});

test("steps of one gesture are undone as one; old steps are let go, what was loaded stays", () => {
  let history = begin(0);
  for (let i = 1; i <= 5; i++) history = record(history, i, "nudge", "key");
  history = record(history, 6, "move");
  assert.deepEqual(history.steps.map(({ value }) => value), [0, 5, 6]);
  for (let i = 7; i < 2 * MAX_STEPS; i++) history = record(history, i, "move");
  assert.equal(history.steps.length, MAX_STEPS);
  assert.equal(history.steps[0].value, 0);
  assert.equal(present(history), 2 * MAX_STEPS - 1);
});

test("a history that was saved comes back with all its steps, sharing what is the same, and is small", () => {
  const draw = random(4);
  const first = loaded();
  let history = begin(first, "loaded");
  for (let turn = 0; turn < 40; turn++) {
    const now = present(history);
    const arc = Math.floor(draw() * 20);
    const [x, y] = now.partition.arcs[arc][2];
    history = record(history, withPartition(now, P.vertexMove(now.partition, arc, 2, [x + (draw() - 0.5) * 1e-4, y])), `move ${turn}`);
  }
  const [x, y] = P.placeOf(first.partition, "n006");
  const cut = P.split(present(history).partition, "n006", [[x - 0.02, y], [x + 0.02, y]], "new");
  history = record(history, withPartition(present(history), cut), "split");
  history = record(history, withPartition(present(history), P.merge(cut, "n006", "new")), "merge");
  history = record(history, withSettlement(present(history), "s01", null), "end");
  history = undo(undo(history));

  const text = JSON.stringify(historyTo(history, DRAWINGS));
  assert.ok(text.length < 4 * JSON.stringify(DRAWINGS.write(first)).length, `${text.length} characters`);
  const back = historyFrom(JSON.parse(text), DRAWINGS);
  assert.equal(back.at, history.at);
  for (const [i, { value, label }] of back.steps.entries()) {
    assert.equal(label, history.steps[i].label);
    assert.deepEqual(JSON.parse(JSON.stringify(value)), JSON.parse(JSON.stringify(history.steps[i].value)), label);
  }
  assert.equal(back.steps[1].value.settlements, back.steps[0].value.settlements);
  assert.equal(back.steps[2].value.partition.faces, back.steps[1].value.partition.faces);
  assert.deepEqual(present(redo(redo(back))).settlements, {});

  const short = historyFrom(JSON.parse(JSON.stringify(historyTo(history, DRAWINGS, 5))), DRAWINGS);
  assert.ok(short.steps.length < 12);
  assert.deepEqual(present(short), JSON.parse(JSON.stringify(present(history))));
  assert.deepEqual(short.steps[0].value, JSON.parse(JSON.stringify(first)));
});
