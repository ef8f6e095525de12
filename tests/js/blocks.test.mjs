import assert from "node:assert/strict";
import { test } from "node:test";
import { begun, difference, nearest, redone, replaced, toggled, undone } from "../../maps/static/maps/js/blocks/editing.js";

const names = (edit) => [...edit.chosen].sort();

test("a piece is added and taken away again, and every step can be undone and redone", () => {
  let edit = begun(["1-2"]);
  edit = toggled(edit, "1-3");
  edit = toggled(edit, "1-2");
  assert.deepEqual(names(edit), ["1-3"]);
  edit = undone(edit);
  assert.deepEqual(names(edit), ["1-2", "1-3"]);
  edit = undone(edit);
  assert.deepEqual(names(edit), ["1-2"]);
  assert.equal(undone(edit), edit, "there is nothing before the beginning");
  edit = redone(redone(edit));
  assert.deepEqual(names(edit), ["1-3"]);
  assert.equal(redone(edit), edit);
});

test("what was undone is forgotten where something else is done", () => {
  let edit = undone(toggled(begun([]), "1-1"));
  edit = toggled(edit, "2-2");
  assert.equal(edit.future.length, 0);
  assert.deepEqual(names(edit), ["2-2"]);
});

test("another plan is one step, and the same plan none", () => {
  const edit = begun(["1-1", "2-2"]);
  assert.equal(replaced(edit, ["2-2", "1-1"]), edit);
  const other = replaced(edit, ["3-3"]);
  assert.equal(other.past.length, 1);
  assert.deepEqual(names(undone(other)), ["1-1", "2-2"]);
});

test("only what differs is drawn anew", () => {
  assert.deepEqual(difference(new Set(["a", "b"]), new Set(["b", "c"])), { added: ["c"], gone: ["a"] });
});

test("the nearest points come first, by metres and not by degrees", () => {
  const points = [{ id: "east", lon: 48.0011, lat: 33 }, { id: "north", lon: 48, lat: 33.001 }, { id: "far", lon: 49, lat: 33 }];
  assert.deepEqual(nearest(points, [48, 33], 2).map(({ id }) => id), ["east", "north"]);
});
