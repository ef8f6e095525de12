import assert from "node:assert/strict";
import { test } from "node:test";
import { EditError, isInShape, turning } from "../../maps/static/maps/js/workbench/geometry.js";
import { begin, canUndo, present, record, redo, undo } from "../../maps/static/maps/js/workbench/history.js";
import { area_m2, length_m } from "../../maps/static/maps/js/workbench/measure.js";
import * as P from "../../maps/static/maps/js/workbench/partition.js";
import { city, random } from "./workbench-city.test.mjs";

const COLUMNS = 5;
const ROWS = 4;
const WEST = 48.3;
const SOUTH = 33.4;
const STEP = 0.01;

/** Take one of a list. */
const one = (list, draw) => list[Math.floor(draw() * list.length)];

/** The edits that are tried, each with a share of chance; those that cannot be made throw. */
const EDITS = {
  move(p, draw) {
    const arc = one(living(p), draw);
    const index = Math.floor(draw() * p.arcs[arc].length);
    const [x, y] = p.arcs[arc][index];
    return P.vertexMove(p, arc, index, [x + (draw() - 0.5) * STEP * 0.3, y + (draw() - 0.5) * STEP * 0.3]);
  },
  add(p, draw) {
    const arc = one(living(p), draw);
    const index = 1 + Math.floor(draw() * (p.arcs[arc].length - 1));
    const [[ax, ay], [bx, by]] = [p.arcs[arc][index - 1], p.arcs[arc][index]];
    return P.vertexAdd(p, arc, index, [(ax + bx) / 2 + (draw() - 0.5) * STEP * 0.1, (ay + by) / 2 + (draw() - 0.5) * STEP * 0.1]);
  },
  remove(p, draw) {
    const arc = one(living(p), draw);
    return P.vertexRemove(p, arc, Math.floor(draw() * p.arcs[arc].length));
  },
  straighten(p, draw) {
    const arc = one(living(p), draw);
    return P.arcReplace(p, arc, p.arcs[arc].filter((_, i, all) => i % 2 === 0 || i === all.length - 1));
  },
  split(p, draw, name) {
    const code = one(Object.keys(p.faces), draw);
    const [x, y] = P.placeOf(p, code);
    const angle = draw() * Math.PI;
    const [dx, dy] = [Math.cos(angle) * STEP, Math.sin(angle) * STEP];
    return P.split(p, code, [[x - dx, y - dy], [x + (draw() - 0.5) * STEP * 0.1, y], [x + dx, y + dy]], name);
  },
  merge(p, draw) {
    const keep = one(Object.keys(p.faces), draw);
    return P.merge(p, keep, one(P.neighboursOf(p, keep), draw));
  },
  cutOut(p, draw, name) {
    const code = one(Object.keys(p.faces), draw);
    return P.cutOut(p, code, drawn(P.placeOf(p, code), draw), name);
  },
  drawBeside(p, draw, name) {
    return P.add(p, name, drawn([WEST + draw() * STEP * COLUMNS, SOUTH - STEP * 0.1], draw));
  },
  fill(p, draw) {
    const gap = one(P.gapsOf(p), draw);
    if (!gap) throw new EditError("nothing_covered");
    const into = Object.keys(p.faces).filter((code) => P.arcsOf(p, code).some((arc) => p.arcs[arc].some(([x, y]) => gap[0].some((at) => at[0] === x && at[1] === y))));
    return P.fillGap(p, { type: "Polygon", coordinates: gap }, one(into, draw));
  },
  leaveGap(p, draw, name) {
    const code = one(Object.keys(p.faces), draw);
    return P.release(P.cutOut(p, code, drawn(P.placeOf(p, code), draw), name), name);
  },
};
const KEEPS_LAND = new Set(["split", "merge", "cutOut"]);

/** A five-cornered shape about a position, as a hand would draw it. */
function drawn([x, y], draw) {
  const ring = Array.from({ length: 5 }, (_, i) => {
    const radius = STEP * (0.05 + draw() * 0.4);
    return [x + radius * Math.cos((i * 2 * Math.PI) / 5), y + radius * Math.sin((i * 2 * Math.PI) / 5)];
  });
  return { type: "Polygon", coordinates: [[...ring, ring[0]]] };
}

const living = (p) => [...p.arcs.keys()].filter((arc) => p.arcs[arc].length);
const key = ([x, y]) => `${x} ${y}`;

/** What must hold of every partition, asked of its polygons alone. */
function holds(p, note) {
  const polygons = P.polygonsOf(p);
  /** @type {Map<string, string>} */
  const edges = new Map();
  for (const [code, { coordinates }] of Object.entries(polygons)) {
    for (const rings of coordinates) {
      for (const [i, ring] of rings.entries()) {
        assert.deepEqual(ring[0], ring.at(-1), `${note}: a ring of ${code} is closed`);
        assert.ok(ring.length >= 4, `${note}: a ring of ${code} has three corners`);
        assert.equal(turning(ring) > 0, i === 0, `${note}: the rings of ${code} turn as they should`);
        assert.equal(new Set(ring.slice(1).map(key)).size, ring.length - 1, `${note}: a ring of ${code} touches itself nowhere`);
        for (let k = 1; k < ring.length; k++) {
          const edge = `${key(ring[k - 1])} → ${key(ring[k])}`;
          assert.ok(!edges.has(edge), `${note}: ${code} and ${edges.get(edge)} lie on the same side of an edge`);
          edges.set(edge, code);
        }
      }
    }
  }
  assert.deepEqual(P.conflictsOf(p), [], `${note}: no line crosses another`);
  // Every arc has two different sides, and the polygons agree with what the arcs say of them.
  for (const arc of living(p)) {
    const { left, right } = P.sidesOf(p, arc);
    assert.notEqual(left, right, `${note}: arc ${arc} parts two places`);
    for (let k = 1; k < p.arcs[arc].length; k++) {
      const [a, b] = [key(p.arcs[arc][k - 1]), key(p.arcs[arc][k])];
      assert.equal(edges.get(`${a} → ${b}`) ?? null, left, `${note}: left of arc ${arc}`);
      assert.equal(edges.get(`${b} → ${a}`) ?? null, right, `${note}: right of arc ${arc}`);
    }
  }
  const again = P.fromJson(JSON.parse(JSON.stringify(P.toJson(p))));
  assert.deepEqual(P.polygonsOf(again), polygons, `${note}: the way through JSON`);
  return polygons;
}

const land_m2 = (polygons) => Object.values(polygons).reduce((sum, { coordinates }) => sum + area_m2(coordinates), 0);

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`a long sequence of edits keeps the partition whole (seed ${seed})`, () => {
    const draw = random(seed);
    let history = begin(P.fromJson(city(COLUMNS, ROWS, 4, draw, STEP)));
    const made = Object.fromEntries(Object.keys(EDITS).map((name) => [name, 0]));
    const written = [JSON.stringify(present(history))];
    let polygons = holds(present(history), "at first");
    for (let turn = 0; turn < 150; turn++) {
      const name = one(Object.keys(EDITS), draw);
      const before = present(history);
      let after;
      try {
        after = EDITS[name](before, draw, `new-${turn}`);
      } catch (error) {
        if (!(error instanceof EditError)) throw error;
        assert.notEqual(error.code, "overlaps_already", `turn ${turn}, ${name}: nothing overlaps here`);
        continue;
      }
      const note = `turn ${turn}, ${name}`;
      const now = holds(after, note);
      if (KEEPS_LAND.has(name)) {
        const [was, is] = [land_m2(polygons), land_m2(now)];
        // A new vertex on an edge is rounded to a centimetre and bends it by as much.
        assert.ok(Math.abs(was - is) < 0.03 * 1000, `${note}: the land stays the same, ${was} and ${is} m²`);
      }
      assert.equal(JSON.stringify(before), written.at(-1), `${note}: the earlier value stays as it was`);
      history = record(history, after, note);
      written.push(JSON.stringify(after));
      polygons = now;
      made[name]++;
    }
    for (const [name, count] of Object.entries(made)) assert.ok(count >= 1, `${name} was made ${count} times`);

    const last = present(history);
    const values = history.steps.map(({ value }) => value);
    for (let i = values.length - 1; canUndo(history); i--) {
      assert.equal(present(history), values[i], "undo returns the identical value");
      assert.equal(JSON.stringify(present(history)), written[i], "and it is what it was");
      history = undo(history);
    }
    while (present(history) !== last) history = redo(history);
  });
}

test("any position in the city lies in one place, before and after edits that keep the land", () => {
  const draw = random(11);
  let p = P.fromJson(city(COLUMNS, ROWS, 6, draw, STEP));
  const asked = Array.from({ length: 400 }, () => [WEST + draw() * STEP * COLUMNS, SOUTH + draw() * STEP * ROWS]);
  const places = (value) => {
    const shapes = Object.values(P.polygonsOf(value)).map(({ coordinates }) => coordinates);
    return asked.map((at) => shapes.filter((shape) => isInShape(at, shape)).length);
  };
  const before = places(p);
  assert.ok(before.filter((count) => count === 1).length > 300);
  let made = 0;
  for (let turn = 0; turn < 60; turn++) {
    try {
      p = EDITS[one([...KEEPS_LAND], draw)](p, draw, `new-${turn}`);
      made++;
    } catch (error) {
      if (!(error instanceof EditError)) throw error;
    }
  }
  assert.ok(made > 20, `${made} edits`);
  assert.deepEqual(places(p), before);
});

test("an edit shares with the earlier value all that it did not change", () => {
  const p = P.fromJson(city(COLUMNS, ROWS, 4, random(1), STEP));
  const moved = P.vertexMove(p, 7, 2, [p.arcs[7][2][0] + 1e-5, p.arcs[7][2][1]]);
  assert.equal(moved.faces, p.faces);
  assert.deepEqual([...moved.arcs.keys()].filter((arc) => moved.arcs[arc] !== p.arcs[arc]), [7]);
  const code = Object.keys(p.faces)[6];
  const [x, y] = P.placeOf(p, code);
  const cut = P.split(p, code, [[x - STEP, y], [x + STEP, y]], "new");
  const near = new Set([code, "new", ...P.neighboursOf(cut, "new"), ...P.neighboursOf(cut, code)]);
  for (const other of Object.keys(cut.faces)) if (!near.has(other)) assert.equal(cut.faces[other], p.faces[other], other);
});

test("a split puts a vertex on the neighbours' side too, and a merge gives back the length of the outline", () => {
  const p = P.fromJson(city(3, 3, 3, random(5), STEP));
  const [x, y] = P.placeOf(p, "n005");
  const cut = P.split(p, "n005", [[x - 2 * STEP, y], [x + 2 * STEP, y]], "new");
  const back = P.merge(cut, "n005", "new");
  const outline = (value) => length_m(P.polygonOf(value, "n005").coordinates[0][0]);
  assert.ok(Math.abs(outline(back) - outline(p)) < 0.05);
  assert.deepEqual([...P.originsOf(cut, "new")], ["n005"]);
  assert.deepEqual([...P.originsOf(back, "n005")], ["n005"]);
  assert.deepEqual([...P.originsOf(P.merge(cut, "n004", "new"), "n004")].sort(), ["n004", "n005"]);
});
