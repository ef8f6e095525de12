import assert from "node:assert/strict";
import { test } from "node:test";
import { metresPerDegree } from "../../maps/static/maps/js/workbench/measure.js";
import { fromJson, vertexMove } from "../../maps/static/maps/js/workbench/partition.js";
import { arcSource, metresPerPixel, nearest, shapeSource, without } from "../../maps/static/maps/js/workbench/snapping.js";
import { city, random } from "./workbench-city.test.mjs";

const P = fromJson(city(6, 5, 7, random(3)));
const [X_M, Y_M] = metresPerDegree(33.42);
const SETTLEMENT = { s01: [[[[48.5, 33.4], [48.51, 33.4], [48.51, 33.41], [48.5, 33.41], [48.5, 33.4]]]] };
const STREETS = { name: "streets", lines: [[[48.5, 33.4001], [48.52, 33.4001]]] };

/** The nearest vertex or edge by looking at every one. */
function slowest(position, lines, radius_m) {
  const far = (to) => Math.hypot((to[0] - position[0]) * metresPerDegree(position[1])[0], (to[1] - position[1]) * metresPerDegree(position[1])[1]);
  let [vertex_m, edge_m] = [Infinity, Infinity];
  for (const line of lines) {
    for (const [i, a] of line.entries()) {
      vertex_m = Math.min(vertex_m, far(a));
      if (!line[i + 1]) continue;
      const b = line[i + 1];
      // Ternary search needs no formula in common with what it checks.
      let [low, high] = [0, 1];
      for (let turn = 0; turn < 80; turn++) {
        const [one, two] = [low + (high - low) / 3, high - (high - low) / 3];
        const at = (share) => far([a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share]);
        if (at(one) < at(two)) high = two;
        else low = one;
      }
      edge_m = Math.min(edge_m, far([a[0] + (b[0] - a[0]) * low, a[1] + (b[1] - a[1]) * low]));
    }
  }
  return vertex_m <= radius_m ? { kind: "vertex", distance_m: vertex_m } : edge_m <= radius_m ? { kind: "edge", distance_m: edge_m } : null;
}

test("the nearest vertex or edge is the one that looking at all of them finds", () => {
  const draw = random(8);
  const kinds = { vertex: 0, edge: 0, none: 0 };
  for (let turn = 0; turn < 300; turn++) {
    const position = [48.3 + draw() * 0.06, 33.4 + draw() * 0.05];
    const [found, slow] = [nearest(position, [arcSource(P)], 60), slowest(position, P.arcs, 60)];
    assert.equal(found?.kind, slow?.kind);
    kinds[found?.kind ?? "none"]++;
    if (found) assert.ok(Math.abs(found.distance_m - slow.distance_m) < 1e-6);
  }
  assert.ok(Object.values(kinds).every((count) => count > 10), JSON.stringify(kinds));
});

test("a vertex wins over a nearer edge, and says which it is", () => {
  const vertex = P.arcs[9][3];
  const found = nearest([vertex[0] + 3 / X_M, vertex[1] + 2 / Y_M], [arcSource(P)], 10);
  assert.deepEqual([found.kind, found.source, found.line, found.index], ["vertex", "arc", 9, 3]);
  assert.equal(found.at, vertex);
  assert.equal(nearest([vertex[0] + 3 / X_M, vertex[1]], [arcSource(P)], 2.9, { isLeftOut: without(vertex) }), null);
});

test("a position on an edge is rounded as every new vertex is", () => {
  const found = nearest([48.505, 33.40003], [shapeSource(SETTLEMENT), STREETS], 10);
  assert.deepEqual([found.kind, found.source, found.code, found.index], ["edge", "settlement", "s01", 0]);
  assert.deepEqual(found.at, [48.505, 33.4]);
  assert.equal(nearest([48.505, 33.40003], [shapeSource(SETTLEMENT)], 10, { hasEdges: false }), null);
  assert.equal(nearest([48.505, 33.40009], [shapeSource(SETTLEMENT), STREETS], 10).source, "streets");
});

test("what an edit moved is found where it is now", () => {
  const at = [P.arcs[9][3][0] + 20 / X_M, P.arcs[9][3][1] + 20 / Y_M];
  const moved = vertexMove(P, 9, 3, at);
  assert.ok(nearest(at, [arcSource(P)], 1) === null);
  assert.deepEqual(nearest(at, [arcSource(moved)], 1)?.at, moved.arcs[9][3]);
});

test("a pixel is as many metres as the map shows", () => {
  assert.equal(metresPerPixel(0, 0).toFixed(1), "78271.5");
  assert.equal((metresPerPixel(15, 60) / metresPerPixel(15, 0)).toFixed(6), "0.500000");
  assert.equal((metresPerPixel(14, 33) / metresPerPixel(15, 33)).toFixed(6), "2.000000");
});
