import assert from "node:assert/strict";
import test from "node:test";
import { capacity } from "../../maps/static/maps/js/capacities/kind.js";
import { CAPACITY } from "./reporting.mjs";

const { bodyOf, faultsOf, about } = capacity;

test("a form becomes what is sent", () => {
  assert.deepEqual(bodyOf({ values: CAPACITY, lists: { sectors: ["health", "sport"] }, ticket: "t" }), { ticket: "t", geometry: null, sectors: ["health", "sport"], place: "s01", kind: "place", text_fa: "زمین بازی", text_en: "", contact: "۰۹۱۲", organisation: 7, amount: 1200 });
  const least = bodyOf({ values: { ...CAPACITY, amount: " ", lon: "۴۸٫۳", lat: "33.4" }, ticket: "t" });
  assert.deepEqual([least.amount, least.sectors, least.geometry], [null, [], { type: "Point", coordinates: [48.3, 33.4] }]);
});

test("faults are told in the order of the form, before anything is sent", () => {
  assert.deepEqual(faultsOf({ values: CAPACITY }, true), []);
  assert.deepEqual(faultsOf({ values: {} }, true), ["organisation", "place", "kind", "text_fa"]);
  assert.deepEqual(faultsOf({ values: {} }, false), ["place", "kind", "text_fa"]);
  assert.deepEqual(faultsOf({ values: { ...CAPACITY, amount: "many", lon: "48.3" } }, true), ["amount", "geometry"]);
  assert.deepEqual(faultsOf({ values: { ...CAPACITY, text_fa: " ", text_en: "A yard" } }, true), []);
});

test("the list says where it is and what", () => {
  const labels = { place: { s01: "علی‌آباد" }, sector: {}, kind: { place: "یک اتاق" } };
  assert.deepEqual(about({ values: CAPACITY }, labels), ["علی‌آباد", "یک اتاق"]);
});
