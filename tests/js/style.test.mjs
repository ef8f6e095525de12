import assert from "node:assert/strict";
import { test } from "node:test";
import { cityStyle, facilityLayers, fillColour, fitPadding, labelPoints, outside, providing } from "../../maps/static/maps/js/style.js";

const CONFIG = {
  language: "fa",
  urls: { tiles: "/tiles/town/" },
  layers: [
    { code: "roads", role: "roads", kind: "line" },
    { code: "river", role: "water", kind: "polygon" },
    { code: "buildings", role: "buildings", kind: "polygon" },
    { code: "elevation", role: "terrain", kind: "raster", bounds: [48, 33, 49, 34] },
  ],
  colours: ["#111111", "#222222", "#333333"],
  points: { a: [48.3, 33.5, 48, 33, 49, 34], gone: [48.4, 33.5, 48, 33, 49, 34] },
};
const PLACES = { a: { name: "ماسور", kind: "settlement" } };
const ORIGIN = "http://127.0.0.1:1";

test("everything the map draws comes from our own host", () => {
  const style = cityStyle(CONFIG, PLACES, ORIGIN);
  const addresses = JSON.stringify(style).match(/https?:[^"]+/g) ?? [];
  assert.ok(addresses.length >= 4);
  for (const address of addresses) assert.ok(address.startsWith(`${ORIGIN}/tiles/town/`), address);
  assert.equal("glyphs" in style, false, "names are drawn with the page's own font");
  assert.equal("sprite" in style, false);
});

test("every layer has a source that is there, and a name of its own", () => {
  const style = cityStyle(CONFIG, PLACES, ORIGIN);
  const ids = style.layers.map((layer) => layer.id);
  assert.equal(new Set(ids).size, ids.length);
  for (const layer of style.layers) if (layer.source) assert.ok(style.sources[layer.source], layer.id);
});

test("settlements lie over neighbourhoods, and names over all", () => {
  const ids = cityStyle(CONFIG, PLACES, ORIGIN).layers.map((layer) => layer.id);
  const order = ["land", "hillshade", "places-fill", "settlements-fill", "settlements-hatch", "settlements-line", "hover-line", "names"];
  assert.deepEqual([...order].sort((a, b) => ids.indexOf(a) - ids.indexOf(b)), order);
  assert.ok(order.every((id) => ids.includes(id)));
  assert.equal(ids.at(-1), "names");
});

test("a city without base layers still has its places", () => {
  const style = cityStyle({ ...CONFIG, layers: [] }, PLACES, ORIGIN);
  assert.deepEqual(Object.keys(style.sources).sort(), ["names", "places"]);
});

test("a place is painted by its class; one without a class stays unpainted", () => {
  assert.deepEqual(fillColour(["#a", "#b"]), ["match", ["coalesce", ["feature-state", "class"], -1], 0, "#a", 1, "#b", "rgba(0,0,0,0)"]);
});

test("a service is found whole in the list of services, not as part of another", () => {
  assert.deepEqual(providing("park")[1], ",park,");
  assert.ok(facilityLayers("base-x", "park").every((layer) => JSON.stringify(layer.filter).includes('",park,"')));
});

test("names stand once for each place that has a result", () => {
  const points = labelPoints(CONFIG.points, PLACES);
  assert.deepEqual(points.features.map((f) => f.properties.name), ["ماسور"]);
  assert.deepEqual(points.features[0].geometry.coordinates, [48.3, 33.5]);
});

test("the land fades outside a hole that lies within the terrain", () => {
  const [outer, hole] = outside([48, 33, 49, 34]).features[0].geometry.coordinates;
  const xs = hole.map(([x]) => x);
  assert.ok(Math.min(...xs) > 48 && Math.max(...xs) < 49);
  assert.ok(Math.min(...outer.map(([x]) => x)) < 48);
});

test("a wide city leaves the room below it to the key, a tall one the room beside it", () => {
  const key = { width: 140, height: 130 };
  const wide = fitPadding([48, 33.4, 49, 33.5], { width: 700, height: 400 }, key, "left");
  assert.ok(wide.bottom > wide.top && wide.left === wide.right);
  const tall = fitPadding([48.3, 33, 48.4, 34], { width: 700, height: 400 }, key, "left");
  assert.ok(tall.left > tall.right && tall.bottom === tall.top);
  assert.ok(tall.left <= 16 + key.width);
});
