import assert from "node:assert/strict";
import test from "node:test";
import { columnOf, dayOf, monthOf, partsOf, today, typed, written } from "../../maps/static/maps/js/dates/calendar.js";

const at = (y, m, d) => Date.UTC(y, m - 1, d) / 86_400_000;

test("days of both calendars meet", () => {
  assert.equal(dayOf({ year: 1405, month: 1, day: 31 }, "jalali"), at(2026, 4, 20));
  assert.equal(dayOf({ year: 1405, month: 9, day: 30 }, "jalali"), at(2026, 12, 21));
  assert.deepEqual(partsOf(at(2027, 3, 20), "jalali"), { year: 1405, month: 12, day: 29 });
  assert.equal(dayOf({ year: 1405, month: 12, day: 30 }, "jalali"), null); // no leap year
  assert.equal(dayOf({ year: 1403, month: 12, day: 30 }, "jalali"), at(2025, 3, 20)); // one
  assert.equal(dayOf({ year: 2026, month: 2, day: 30 }, "gregorian"), null);
});

test("every day of sixty years is read as it is written", () => {
  for (let day = at(1990, 1, 1); day < at(2050, 1, 1); day += 1) {
    for (const calendar of ["jalali", "gregorian"]) assert.equal(typed(written(day, calendar))?.day, day);
  }
});

test("what is typed is read in digits of any script", () => {
  assert.deepEqual(typed("۱۴۰۵/۰۱/۳۱ ۲۳:۵۹"), { day: at(2026, 4, 20), time: "23:59" });
  assert.deepEqual(typed(" ١٤٠٥-١-٣١ "), { day: at(2026, 4, 20), time: "" });
  assert.deepEqual(typed("2026-04-20 08:00:59"), { day: at(2026, 4, 20), time: "08:00" });
  for (const wrong of ["", "soon", "1405/13/01", "1405/12/30", "1405/1"]) assert.equal(typed(wrong), null);
});

test("months begin in the column of their weekday", () => {
  const azar = monthOf(at(2026, 11, 25), "jalali");
  assert.equal(azar.length, 30);
  assert.equal(azar[0], at(2026, 11, 22));
  assert.equal(columnOf(at(2026, 11, 21), "jalali"), 0); // a Saturday
  assert.equal(columnOf(at(2026, 11, 23), "gregorian"), 0); // a Monday
  assert.equal(monthOf(at(2028, 2, 5), "gregorian").length, 29);
});

test("today is the day of the clock in Tehran", () => {
  assert.equal(today(new Date("2026-11-22T20:29:59Z"), "Asia/Tehran"), at(2026, 11, 22));
  assert.equal(today(new Date("2026-11-22T20:30:00Z"), "Asia/Tehran"), at(2026, 11, 23));
});
