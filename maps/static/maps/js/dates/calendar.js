// @ts-check
/**
 * Days of the Jalali and the Gregorian calendar. Pure: a day is the number of days since 1970-01-01, whatever the zone.
 *
 * The browser knows both calendars; nothing is computed here that it does not.
 *
 * @typedef {"jalali" | "gregorian"} Calendar
 * @typedef {{year: number, month: number, day: number}} Parts
 */

const DAY_MS = 86_400_000;
const FORMATS = {
  jalali: new Intl.DateTimeFormat("en-US-u-ca-persian-nu-latn", { year: "numeric", month: "numeric", day: "numeric", timeZone: "UTC" }),
  gregorian: new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", { year: "numeric", month: "numeric", day: "numeric", timeZone: "UTC" }),
};
/** A year before this one is of the Jalali calendar. */
const FIRST_GREGORIAN_YEAR = 1700;

/**
 * Return year, month and day of a day.
 * @param {number} day
 * @param {Calendar} calendar
 * @returns {Parts}
 */
export function partsOf(day, calendar) {
  const found = Object.fromEntries(FORMATS[calendar].formatToParts(new Date(day * DAY_MS)).map(({ type, value }) => [type, Number(value)]));
  return { year: found.year, month: found.month, day: found.day };
}

/**
 * Return the day with this year, month and day; null where the calendar has none.
 * @param {Parts} parts
 * @param {Calendar} calendar
 */
export function dayOf({ year, month, day }, calendar) {
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= 31)) return null;
  // A Jalali year begins on 20 or 21 March; its months before the seventh have 31 days.
  const guess = calendar === "gregorian" ? Date.UTC(year, month - 1, day) / DAY_MS : Date.UTC(year + 621, 2, 21) / DAY_MS + (month <= 7 ? (month - 1) * 31 : 186 + (month - 7) * 30) + day - 1;
  for (const near of [guess, guess - 1, guess + 1]) {
    const found = partsOf(near, calendar);
    if (found.year === year && found.month === month && found.day === day) return near;
  }
  return null;
}

/**
 * Return the days of the month in which a day lies.
 * @param {number} day
 * @param {Calendar} calendar
 * @returns {number[]}
 */
export function monthOf(day, calendar) {
  const first = day - partsOf(day, calendar).day + 1;
  const days = [first];
  while (partsOf(first + days.length, calendar).day !== 1) days.push(first + days.length);
  return days;
}

/**
 * Return the column of a day in a week: from Saturday in the Jalali calendar, from Monday in the Gregorian one.
 * @param {number} day
 * @param {Calendar} calendar
 */
export function columnOf(day, calendar) {
  const fromSunday = (((day + 4) % 7) + 7) % 7; // 1970-01-01 was a Thursday
  return calendar === "jalali" ? (fromSunday + 1) % 7 : (fromSunday + 6) % 7;
}

/** @param {string} text */
const latin = (text) => text.replace(/[۰-۹]/g, (d) => String(d.charCodeAt(0) - 0x6f0)).replace(/[٠-٩]/g, (d) => String(d.charCodeAt(0) - 0x660));

/**
 * Read what is typed: a day of either calendar, with a time of day or without.
 * @param {string} text
 * @returns {{day: number, time: string} | null}
 */
export function typed(text) {
  const found = /^\s*(\d{4})\D(\d{1,2})\D(\d{1,2})(?:\D+(\d{1,2}:\d{2})(?::\d{2})?)?\s*$/.exec(latin(text));
  if (!found) return null;
  const [year, month, of] = found.slice(1, 4).map(Number);
  const day = dayOf({ year, month, day: of }, year < FIRST_GREGORIAN_YEAR ? "jalali" : "gregorian");
  return day === null ? null : { day, time: found[4] ?? "" };
}

/**
 * Write a day as it is typed into the forms of a language.
 * @param {number} day
 * @param {Calendar} calendar
 */
export function written(day, calendar) {
  const { year, month, day: of } = partsOf(day, calendar);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return calendar === "jalali" ? `${year}/${two(month)}/${two(of)}` : `${year}-${two(month)}-${two(of)}`;
}

/**
 * Return the day that a clock in a zone shows now.
 * @param {Date} now
 * @param {string} timeZone
 */
export function today(now, timeZone) {
  const shown = new Intl.DateTimeFormat("en-CA-u-ca-gregory-nu-latn", { year: "numeric", month: "2-digit", day: "2-digit", timeZone }).format(now);
  return typed(shown)?.day ?? 0;
}
