import assert from "node:assert/strict";
import { test } from "node:test";
import { changedCodes, drawingOf, withPartition } from "../../maps/static/maps/js/workbench/edits.js";
import { area_m2 } from "../../maps/static/maps/js/workbench/measure.js";
import * as P from "../../maps/static/maps/js/workbench/partition.js";
import { arcSource, nearest } from "../../maps/static/maps/js/workbench/snapping.js";
import { city, random } from "./workbench-city.test.mjs";

/** Print how long something takes, the median of many; times are told and never asserted, as machines differ. */
function told(t, name, times, run) {
  const taken = Array.from({ length: times }, (_, i) => {
    const start = performance.now();
    run(i);
    return performance.now() - start;
  }).sort((a, b) => a - b);
  t.diagnostic(`${name}: median ${taken[times >> 1].toFixed(3)} ms, worst ${taken[times - 1].toFixed(2)} ms of ${times}`);
}

test("a city of 300 places and 30,000 vertices", (t) => {
  const json = JSON.stringify(city(20, 15, 48, random(1)));
  const vertices = JSON.parse(json).arcs.reduce((sum, arc) => sum + arc.length, 0);
  t.diagnostic(`${(json.length / 1e6).toFixed(2)} MB, ${vertices} vertices in ${JSON.parse(json).arcs.length} arcs`);
  assert.ok(vertices > 30_000);
  const documents = Array.from({ length: 15 }, () => JSON.parse(json));
  told(t, "fromJson, and what lies beside each arc", 15, (i) => P.facesOf(P.fromJson(documents[i]), 0));

  const draw = random(2);
  const first = P.fromJson(JSON.parse(json));
  let p = first;
  told(t, "a vertex moved and checked", 300, () => {
    const arc = Math.floor(draw() * p.arcs.length);
    const [x, y] = p.arcs[arc][20];
    p = P.vertexMove(p, arc, 20, [x + (draw() - 0.5) * 1e-6, y + (draw() - 0.5) * 1e-6]);
  });
  assert.deepEqual(P.conflictsOf(p, [...p.arcs.keys()].slice(0, 50).map((arc) => [arc, 0, p.arcs[arc].length - 1])), []);
  told(t, "a node moved and checked", 100, () => {
    const arc = Math.floor(draw() * p.arcs.length);
    const [x, y] = p.arcs[arc][0];
    p = P.vertexMove(p, arc, 0, [x + (draw() - 0.5) * 1e-6, y + (draw() - 0.5) * 1e-6]);
  });
  let found = 0;
  told(t, "what is within 10 m of a position", 300, () => {
    if (nearest([48.3 + draw() * 0.2, 33.4 + draw() * 0.15], [arcSource(p)], 10)) found++;
  });
  told(t, "the same, just after an edit", 100, () => {
    const [x, y] = p.arcs[7][20];
    p = P.vertexMove(p, 7, 20, [x + (draw() - 0.5) * 1e-6, y]);
    nearest([x, y], [arcSource(p)], 10);
  });
  assert.ok(found > 0);
  const codes = Object.keys(p.faces);
  told(t, "a place split", 20, (i) => {
    const [x, y] = P.placeOf(p, codes[i]);
    assert.ok(P.split(p, codes[i], [[x - 0.01, y], [x + 0.01, y]], "new").faces.new);
  });
  told(t, "two places merged", 19, (i) => assert.ok(!P.merge(p, codes[i], codes[i + 1]).faces[codes[i + 1]]));
  told(t, "a place cut out", 20, (i) => {
    const [x, y] = P.placeOf(p, codes[i]);
    const ring = [[x - 0.001, y - 0.001], [x + 0.001, y - 0.001], [x, y + 0.001], [x - 0.001, y - 0.001]];
    assert.ok(P.cutOut(p, codes[i], { type: "Polygon", coordinates: [ring] }, "new").faces.new);
  });
  told(t, "area of a place", 50, (i) => assert.ok(area_m2(P.polygonOf(p, codes[i]).coordinates) > 0));
  told(t, "all polygons", 10, () => P.polygonsOf(p));
  const [loaded, now] = [drawingOf(first, [], {}), withPartition(drawingOf(first, [], {}), p)];
  told(t, "what changed", 10, () => assert.ok(changedCodes(loaded, now).length > 100));
});
