import assert from "node:assert/strict";
import { test } from "node:test";
import { isSameRing, isSameShape, mergeRings, mergeShapes } from "../../maps/static/maps/js/workbench/merging.js";

const square = [[0, 0], [1, 0], [2, 0], [2, 1], [2, 2], [1, 2], [0, 2], [0, 1], [0, 0]];
/** The square with a vertex moved: first of those at a position. */
const moved = (ring, from, to) => ring.map((at) => (at[0] === from[0] && at[1] === from[1] ? to : at));

test("changes on different stretches are both kept", () => {
  const mine = moved(square, [1, 0], [1, -0.5]);
  const theirs = moved(square, [1, 2], [1, 2.5]);
  const merged = mergeRings(square, mine, theirs);
  assert.ok(isSameRing(merged, moved(mine, [1, 2], [1, 2.5])));
});

test("rings may start elsewhere and turn the other way", () => {
  const turned = [...square.slice(3), ...square.slice(1, 4)].reverse();
  const mine = moved(turned, [1, 0], [1, -0.5]);
  const theirs = moved(square, [2, 2], [2.5, 2.5]);
  const merged = mergeRings(square, mine, theirs);
  assert.ok(isSameRing(merged, moved(moved(square, [1, 0], [1, -0.5]), [2, 2], [2.5, 2.5])));
});

test("vertices added and removed are merged too", () => {
  const mine = square.filter(([x, y]) => !(x === 1 && y === 0));
  const theirs = [...square.slice(0, 5), [1.5, 2.2], ...square.slice(5)];
  const merged = mergeRings(square, mine, theirs);
  assert.deepEqual(merged.length, square.length);
  assert.ok(merged.some(([x, y]) => x === 1.5 && y === 2.2));
  assert.ok(!merged.some(([x, y]) => x === 1 && y === 0));
});

test("two changes of the same vertex, or of neighbouring ones, are a conflict", () => {
  assert.equal(mergeRings(square, moved(square, [1, 0], [1, -0.5]), moved(square, [1, 0], [1, 0.5])), null);
  assert.equal(mergeRings(square, moved(square, [1, 0], [1, -0.5]), moved(square, [2, 0], [2.5, 0])), null);
});

test("the same change on both sides is no conflict", () => {
  const both = moved(square, [1, 0], [1, -0.5]);
  assert.ok(isSameRing(mergeRings(square, both, both), both));
});

test("a side that changed nothing leaves the other's shape, whatever its parts", () => {
  const part = [[[5, 5], [6, 5], [6, 6], [5, 5]]];
  const theirs = [[square], part];
  assert.ok(isSameShape(mergeShapes([[square]], [[square]], theirs), theirs));
  assert.equal(mergeShapes([[square]], [[moved(square, [1, 0], [1, -1])]], theirs), null);
});

test("rings that have nothing in common cannot be merged", () => {
  const away = square.map(([x, y]) => [x + 10, y]);
  assert.equal(mergeRings(square, away, moved(square, [1, 0], [1, -1])), null);
});
