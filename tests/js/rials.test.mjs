/** Sums of rials as they are typed: in either digits, grouped or not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { grouped, rialsOf } from "../../maps/static/maps/js/proposals/rials.js";

test("sums are read in any digits and grouping", () => {
  for (const text of ["12500000000", "12,500,000,000", "۱۲٬۵۰۰٬۰۰۰٬۰۰۰", "١٢٥٠٠٠٠٠٠٠٠", " 12 500 000 000 "]) assert.equal(rialsOf(text), 12_500_000_000);
  for (const text of ["", "much", "-5", "1e9", "1".repeat(19)]) assert.equal(rialsOf(text), null);
});

test("a sum is grouped in the digits of the page, anything else stays as typed", () => {
  assert.equal(grouped("12500000", "en"), "12,500,000");
  assert.equal(grouped("12500000", "fa"), "۱۲٬۵۰۰٬۰۰۰");
  assert.equal(grouped("much", "en"), "much");
  assert.equal(grouped("999999999999999999", "en"), "999999999999999999");
});
