import assert from "node:assert/strict";
import { test } from "node:test";
import { DASH, cost, digits, distance, niceLength, number, parse, weight } from "../../maps/static/maps/js/numbers.js";

// The same examples as the doctests of maps/pages/formats.py: the page and the script must write alike.
test("numbers are grouped, rounded half up, and written in the reader's digits", () => {
  assert.equal(number(8430.4, "fa"), "۸٬۴۳۰");
  assert.equal(number(8430.4, "en"), "8,430");
  assert.equal(number(-1.25, "en", 1), "−1.3");
  assert.equal(number(1234567, "fa"), "۱٬۲۳۴٬۵۶۷");
  assert.equal(number(0.5, "fa", 1), "۰٫۵");
  assert.equal(number(-0.01, "en"), "0");
});

test("what is not a number is a dash, not a word of the machine", () => {
  for (const value of [null, NaN, Infinity]) assert.equal(number(value, "fa"), DASH);
  assert.equal(distance(NaN, "en"), DASH);
});

test("distances are metres below a kilometre and kilometres from there on", () => {
  assert.equal(distance(800, "fa"), "۸۰۰ متر");
  assert.equal(distance(999.7, "en"), "1 km");
  assert.equal(distance(1200, "en"), "1.2 km");
  assert.equal(distance(2000, "en"), "2 km");
  assert.equal(distance(2500, "fa"), "۲٫۵ کیلومتر");
});

test("a distance that stands for time is told with its minutes", () => {
  assert.equal(cost(800, "fa", true), "۸۰۰ متر (۱۰ دقیقه)");
  assert.equal(cost(2500, "en", true), "2.5 km (30 min)");
  assert.equal(cost(800, "en", false), "800 m");
  assert.equal(cost(null, "en", true), DASH);
});

test("only digits change into the other script", () => {
  assert.equal(digits("n12", "fa"), "n۱۲");
  assert.equal(digits("n12", "en"), "n12");
});

test("a number can be read back as it was written", () => {
  for (const value of [0, 7, 1234.5, 98765]) assert.equal(parse(number(value, "fa", value % 1 ? 1 : 0)), value);
  assert.ok(Number.isNaN(parse("")));
  assert.ok(Number.isNaN(parse("متر")));
});

test("weights lose needless decimals", () => {
  assert.equal(weight(2, "fa"), "۲");
  assert.equal(weight(1.5, "en"), "1.5");
});

test("a scale bar shows 1, 2 or 5 times a power of ten that fits", () => {
  assert.equal(niceLength(730), 500);
  assert.equal(niceLength(1999), 1000);
  assert.equal(niceLength(3), 2);
  for (let most = 1; most < 1e6; most *= 1.37) {
    const shown = niceLength(most);
    assert.ok(shown <= most * (1 + 1e-9) && shown > most / 2.6, `${most} → ${shown}`);
  }
});
