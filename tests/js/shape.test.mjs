import assert from "node:assert/strict";
import { test } from "node:test";
import { boundsOf, counted, extended, handles, inserted, moved, read, removed, write } from "../../maps/static/maps/admin/shape.js";
import { styleOf } from "../../maps/static/maps/admin/style.js";

const SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]];
const HOLE = [[1, 1], [1, 2], [2, 2], [1, 1]];
const SHAPE = [[SQUARE, HOLE], [[[9, 9], [9, 8], [8, 8], [9, 9]]]];
const at = (polygon, ring, vertex) => ({ polygon, ring, vertex });
const frozen = (value) => { if (Array.isArray(value)) { value.forEach(frozen); Object.freeze(value); } return value; };
frozen(SHAPE); // every function below would throw if it changed what it is given

const isClosed = (shape) => shape.every((rings) => rings.every((ring) => assert.deepEqual(ring[0], ring.at(-1)) === undefined));

test("what is written is read back", () => {
  assert.deepEqual(read(write(SHAPE)), SHAPE);
  const polygon = { type: "Polygon", coordinates: [SQUARE] };
  for (const wrapped of [polygon, { type: "Feature", geometry: polygon }, { type: "FeatureCollection", features: [{ type: "Feature", geometry: polygon }] }]) {
    assert.deepEqual(read(JSON.stringify(wrapped)), [[SQUARE]]);
  }
  assert.deepEqual(read('{"type":"Polygon","coordinates":[[[0,0,9],[4,0,9],[4,4,9],[0,0,9]]]}'), [[[[0, 0], [4, 0], [4, 4], [0, 0]]]]);
});

test("what is no polygon is not read", () => {
  for (const text of ["", "{", "null", "[]", "7", '{"type":"Point","coordinates":[1,2]}', '{"type":"Polygon"}', '{"type":"Polygon","coordinates":[[]]}',
    '{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,0]]]}', '{"type":"Polygon","coordinates":[[["a",0],[1,1],[2,2],[0,0]]]}',
    '{"type":"FeatureCollection","features":[]}', '{"type":"Feature","geometry":null}']) {
    assert.equal(read(text), null, text);
  }
});

test("a moved first vertex stays the last too", () => {
  const next = moved(SHAPE, at(0, 0, 0), [-1.123456789, -1]);
  assert.deepEqual(next[0][0], [[-1.1234568, -1], [4, 0], [4, 4], [0, 4], [-1.1234568, -1]]);
  assert.deepEqual(next[0][1], HOLE);
  isClosed(next);
});

test("a vertex is added after another, also after the last", () => {
  assert.deepEqual(inserted(SHAPE, at(0, 0, 1), [5, 2])[0][0], [[0, 0], [4, 0], [5, 2], [4, 4], [0, 4], [0, 0]]);
  assert.deepEqual(inserted(SHAPE, at(0, 0, 3), [0, 2])[0][0], [[0, 0], [4, 0], [4, 4], [0, 4], [0, 2], [0, 0]]);
});

test("a removed first vertex leaves a closed ring; the last three go together", () => {
  assert.deepEqual(removed(SHAPE, at(0, 0, 0))[0][0], [[4, 0], [4, 4], [0, 4], [4, 0]]);
  assert.deepEqual(removed(SHAPE, at(0, 1, 0))[0], [SQUARE]);
  assert.deepEqual(removed(SHAPE, at(1, 0, 2)), [SHAPE[0]]);
  isClosed(removed(SHAPE, at(0, 0, 2)));
});

test("a drawn part needs three vertices", () => {
  assert.equal(extended(SHAPE, [[0, 0], [1, 1]]), SHAPE);
  const next = extended(SHAPE, [[20, 20], [21, 20], [21, 21]]);
  assert.deepEqual(next[2], [[[20, 20], [21, 20], [21, 21], [20, 20]]]);
});

test("every vertex and every edge has a handle, and one is marked", () => {
  const { features } = handles(SHAPE, at(0, 1, 1));
  assert.equal(features.length, 2 * (4 + 3 + 3));
  assert.deepEqual(counted(SHAPE), { vertices: 10, parts: 2 });
  const marked = features.filter(({ properties }) => properties.chosen);
  assert.deepEqual(marked.map(({ geometry }) => geometry.coordinates), [[1, 2]]);
  const last = features.find(({ properties: p }) => p.kind === "middle" && p.polygon === 0 && p.ring === 0 && p.vertex === 3);
  assert.deepEqual(last.geometry.coordinates, [0, 2]);
});

test("bounds are those of any geometry", () => {
  assert.deepEqual(boundsOf({ coordinates: SHAPE }), [0, 0, 9, 9]);
  assert.deepEqual(boundsOf({ type: "Point", coordinates: [48, 33, 900] }), [48, 33, 48, 33]);
  for (const nothing of [null, {}, { coordinates: [] }, { coordinates: ["a", "b"] }]) assert.equal(boundsOf(nothing), null);
});

test("the style asks our own host alone, and draws only what the city has", () => {
  const base = { places: "/tiles/x/places.json", layers: [{ url: "/tiles/x/layers/roads.json", kind: "line" }] };
  const { sources, layers } = styleOf(base, "http://127.0.0.1:1/admin/");
  assert.deepEqual(Object.values(sources).map((source) => source.url).filter(Boolean).sort(), ["http://127.0.0.1:1/tiles/x/layers/roads.json", "http://127.0.0.1:1/tiles/x/places.json"]);
  assert.ok(layers.every((layer) => layer.type === "background" || layer.source in sources));
  assert.deepEqual(Object.keys(styleOf({}, "http://127.0.0.1:1/").sources), ["shape", "handles", "drawing"]);
});
