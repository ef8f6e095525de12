// The pure parts of the pages on which data are brought: waiting, words, sizes, columns of the preview, layers of the map.
import assert from "node:assert/strict";
import test from "node:test";

import { lineOf } from "../../maps/static/maps/js/imports/lines.js";
import { percent } from "../../maps/static/maps/js/imports/shares.js";
import { FIRST_MS, nextWait } from "../../maps/static/maps/js/imports/waiting.js";
import { filled, size } from "../../maps/static/maps/js/imports/words.js";

test("what moves is asked for soon, what stands still ever more rarely, and never too rarely", () => {
  let wait = FIRST_MS;
  const waits = [];
  for (let i = 0; i < 12; i += 1) waits.push((wait = nextWait(wait, "still")));
  assert.deepEqual(waits, [...waits].sort((a, b) => a - b));
  assert.equal(waits.at(-1), 5_000);
  assert.equal(nextWait(5_000, "moved"), FIRST_MS);
  for (let i = 0; i < 12; i += 1) wait = nextWait(wait, "away");
  assert.equal(wait, 20_000);
});

test("a share says 100 only at the end", () => {
  assert.equal(percent(0.999, "en"), "99%");
  assert.equal(percent(1, "fa"), "۱۰۰٪");
  assert.equal(percent(0, "en"), "0%");
});

test("gaps are filled, each value in its own direction; unknown gaps stay", () => {
  assert.equal(filled("{file}: {done}", { file: "a.zip", done: "2" }), "\u2068a.zip\u2069: \u20682\u2069");
  assert.equal(filled("{other}", {}), "{other}");
  assert.equal(filled("{file}", { file: "{done}", done: "x" }), "\u2068{done}\u2069");
});

test("sizes are written as the server writes them", () => {
  assert.equal(size(300, "en", {}), "300 bytes");
  assert.equal(size(2_464, "en", {}), "2.5 KB");
  assert.equal(size(1_250_000_000, "en", {}), "1.3 GB");
  assert.equal(size(1_000_000, "en", {}), "1 MB");
  assert.equal(size(250_000_000, "fa", { mb: "مگابایت" }), "۲۵۰ مگابایت");
});

test("a line of a text is found from its number, the last one too; beyond the end is the end", () => {
  const text = "a = 1\n\nwhere = 2";
  const lines = [1, 2, 3, 9].map((n) => text.slice(...lineOf(text, n)));
  assert.deepEqual(lines, ["a = 1", "", "where = 2", ""]);
  assert.deepEqual(lineOf("", 1), [0, 0]);
});
