import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as partition from "../../maps/static/maps/js/workbench/partition.js";

// The same cases hold the server's model (geo/core/partition) to the same answers.
const CASES = JSON.parse(readFileSync(new URL("../cases/partition.json", import.meta.url), "utf8"));

/** How each operation is called here. */
const OPERATIONS = {
  vertex_move: (p, { arc, index, xy }) => partition.vertexMove(p, arc, index, xy),
  vertex_add: (p, { arc, index, xy }) => partition.vertexAdd(p, arc, index, xy),
  vertex_remove: (p, { arc, index }) => partition.vertexRemove(p, arc, index),
  arc_replace: (p, { arc, coordinates }) => partition.arcReplace(p, arc, coordinates),
  split: (p, { code, line, new_code }) => partition.split(p, code, line, new_code),
  merge: (p, { keep, gone }) => partition.merge(p, keep, gone),
  cut_out: (p, { code, polygon, new_code }) => partition.cutOut(p, code, shape(polygon), new_code),
  fill_gap: (p, { polygon, into_code }) => partition.fillGap(p, shape(polygon), into_code),
  add: (p, { code, polygon }) => partition.add(p, code, shape(polygon)),
};

const shape = (coordinates) => ({ type: "MultiPolygon", coordinates });

/** Write a shape the same way wherever its rings begin, whichever way they turn and in whatever order its parts come. */
function canonical(coordinates) {
  const ringText = (ring) => {
    const open = ring.slice(0, -1).map(([x, y]) => `${x} ${y}`);
    const turns = [open, [...open].reverse()].map((one) => {
      const first = one.indexOf([...one].sort()[0]);
      return [...one.slice(first), ...one.slice(0, first)].join(",");
    });
    return turns.sort()[0];
  };
  return coordinates.map(([outer, ...holes]) => [ringText(outer), ...holes.map(ringText).sort()].join(" | ")).sort();
}

for (const { name, before, operation, arguments: given, after, error } of CASES) {
  test(`as on the server: ${name}`, () => {
    const p = partition.fromJson(before);
    const edit = () => OPERATIONS[operation](p, given);
    if (error) {
      assert.throws(edit, (found) => found instanceof partition.EditError && (assert.equal(found.code, error), true));
      return;
    }
    const polygons = partition.polygonsOf(edit());
    assert.deepEqual(Object.keys(polygons).sort(), Object.keys(after).sort());
    for (const code of Object.keys(after)) assert.deepEqual(canonical(polygons[code].coordinates), canonical(after[code]), code);
    assert.deepEqual(partition.toJson(p), before, "the earlier value stays as it was");
  });
}
