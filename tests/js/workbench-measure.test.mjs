import assert from "node:assert/strict";
import { test } from "node:test";
import { area_m2, distance_m, length_m, metresPerDegree, perimeter_m, ringArea_m2 } from "../../maps/static/maps/js/workbench/measure.js";

// Areas and perimeters as geo.core.measuring gives them (geodesics on WGS 84), with the share by which the browser may differ.
const SERVER = [
  ["a quarter of Khorramabad", [[[[48.3401, 33.4802], [48.3478, 33.4791], [48.3532, 33.4833], [48.3519, 33.4902], [48.3461, 33.4937], [48.3388, 33.4896], [48.3401, 33.4802]]]], 1576864.882588625, 4716.049407779777, 2e-9],
  [
    "a hole and a second part",
    [
      [[[48.34, 33.48], [48.36, 33.48], [48.36, 33.5], [48.34, 33.5], [48.34, 33.48]], [[48.345, 33.485], [48.345, 33.49], [48.352, 33.492], [48.345, 33.485]]],
      [[[48.37, 33.48], [48.372, 33.48], [48.371, 33.483], [48.37, 33.48]]],
    ],
    3973557.535896182, 11285.4818461781, 1e-8,
  ],
  ["a block of São Vicente", [[[[-46.3921, -23.9635], [-46.3905, -23.9652], [-46.3889, -23.9641], [-46.3903, -23.9622], [-46.3921, -23.9635]]]], 54786.50553774834, 939.4782397093741, 2e-9],
  ["a hut", [[[[48.3500001, 33.4900002], [48.3500901, 33.4900105], [48.3500803, 33.4900904], [48.3499905, 33.4900807], [48.3500001, 33.4900002]]]], 75.31681330827996, 34.73772264538604, 2e-7],
  ["the far north", [[[[10.7, 59.9], [10.74, 59.9], [10.75, 59.93], [10.71, 59.935], [10.7, 59.9]]]], 8258072.486375809, 11871.727235275424, 2e-8],
  ["a county, with edges of 80 km", [[[[47.9, 33.1], [48.7, 33.0], [48.9, 33.5], [48.5, 33.9], [48.0, 33.7], [47.9, 33.1]]]], 6498189965.983696, 310399.42063817836, 2e-6],
];

for (const [name, shape, area, perimeter, share] of SERVER) {
  test(`as the server measures: ${name}`, (t) => {
    const [area_error, perimeter_error] = [area_m2(shape) / area - 1, perimeter_m(shape) / perimeter - 1];
    t.diagnostic(`area off by ${area_error.toExponential(1)}, perimeter by ${perimeter_error.toExponential(1)}`);
    assert.ok(Math.abs(area_error) < share, `area ${area_m2(shape)} instead of ${area}`);
    assert.ok(Math.abs(perimeter_error) < share, `perimeter ${perimeter_m(shape)} instead of ${perimeter}`);
  });
}

test("a ring has a sign, a shape has none", () => {
  const ring = SERVER[0][1][0][0];
  assert.ok(ringArea_m2(ring) > 0);
  assert.equal(ringArea_m2([...ring].reverse()).toFixed(3), (-ringArea_m2(ring)).toFixed(3));
  assert.equal(area_m2([[[...ring].reverse()]]).toFixed(3), area_m2([[ring]]).toFixed(3));
});

test("a degree at the equator is as long as the ellipsoid says", () => {
  const [lon_m, lat_m] = metresPerDegree(0);
  assert.equal(lon_m.toFixed(2), "111319.49");
  assert.equal(lat_m.toFixed(2), "110574.28");
  assert.equal(length_m([[0, 0], [0.001, 0], [0.002, 0]]).toFixed(4), distance_m([0, 0], [0.002, 0]).toFixed(4));
});
