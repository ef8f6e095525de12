import assert from "node:assert/strict";
import { test } from "node:test";
import { conflictsOf, fromJson, sidesOf } from "../../maps/static/maps/js/workbench/partition.js";

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const rounded = (value) => Math.round(value * 1e7) / 1e7;

/** An invented city as it travels: columns × rows places whose shared edges wind, each edge with so many vertices between its nodes. */
export function city(columns, rows, between, draw, step = 0.01) {
  const nodes = Array.from({ length: rows + 1 }, (_, r) =>
    Array.from({ length: columns + 1 }, (_, c) => [48.3 + (c + (draw() - 0.5) * 0.3) * step, 33.4 + (r + (draw() - 0.5) * 0.3) * step].map(rounded)),
  );
  const arcs = [];
  const arc = (from, to) => {
    const line = Array.from({ length: between }, (_, i) => {
      const share = (i + 1) / (between + 1);
      const aside = (Math.sin(share * Math.PI * 3) * 0.05 + (draw() - 0.5) * Math.min(0.02, 0.3 / between)) * step;
      const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
      const length = Math.hypot(dx, dy);
      return [from[0] + dx * share - (dy / length) * aside, from[1] + dy * share + (dx / length) * aside].map(rounded);
    });
    return arcs.push([from, ...line, to]) - 1;
  };
  const across = nodes.map((row) => row.slice(1).map((to, c) => arc(row[c], to)));
  const up = nodes.slice(1).map((row, r) => row.map((to, c) => arc(nodes[r][c], to)));
  const faces = {};
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      faces[`n${String(r * columns + c + 1).padStart(3, "0")}`] = [[[across[r][c], up[r][c + 1], ~across[r + 1][c], ~up[r][c]]]];
    }
  }
  return { tolerance_m: 0.5, arcs, faces };
}

test("the invented city is whole", () => {
  const p = fromJson(city(4, 3, 5, random(1)));
  assert.deepEqual(conflictsOf(p), []);
  assert.deepEqual(sidesOf(p, 0), { left: "n001", right: null });
});
