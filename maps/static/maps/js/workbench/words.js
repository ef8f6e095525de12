// @ts-check
/**
 * The page's texts and measures in the reader's language. Texts come from the template; "{name}" in them is filled here.
 *
 * @import { Language } from "../numbers.js";
 */

import { DASH, digits, distance, number } from "../numbers.js";

/** @type {Record<string, string>} */
let texts = {};
/** @type {Language} */
let language = "fa";

/**
 * @param {Record<string, string | undefined>} found the template's data
 * @param {Language} chosen
 */
export function useWords(found, chosen) {
  texts = /** @type {Record<string, string>} */ ({ ...found });
  language = chosen;
}

/**
 * Return a text; a name that the template lacks is shown as it is, so that it is noticed.
 * @param {string} key
 * @param {Record<string, string | number>} [parts]
 */
export function say(key, parts = {}) {
  const text = texts[key.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase())] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const part = parts[name];
    return part === undefined ? whole : typeof part === "number" ? number(part, language) : isolate(part);
  });
}

/** What stands between the items of a list. */
export const comma = () => (language === "fa" ? "، " : ", ");

/**
 * Keep a text of either script from reordering the sentence it is put into.
 * @param {string} text
 */
export const isolate = (text) => `\u2068${text}\u2069`;

/** @param {number | null | undefined} value @param {number} [decimals] */
export const count = (value, decimals = 0) => number(value ?? null, language, decimals);

/** @param {number | null | undefined} metres */
export const metres = (metres) => distance(metres ?? null, language);

/**
 * Write an area: m² below a hectare, hectares below 10 km², then km².
 * @param {number | null | undefined} area_m2
 */
export function area(area_m2) {
  if (area_m2 === null || area_m2 === undefined || !Number.isFinite(area_m2)) return DASH;
  const size = Math.abs(area_m2);
  if (size < 9_999.5) return `${number(area_m2, language, size > 0 && size < 9.95 ? 1 : 0)} ${language === "fa" ? "متر مربع" : "m²"}`;
  if (size < 1e7) return `${number(area_m2 / 1e4, language, size < 9.995e5 ? 2 : 1)} ${language === "fa" ? "هکتار" : "ha"}`;
  return `${number(area_m2 / 1e6, language, 1)} ${language === "fa" ? "کیلومتر مربع" : "km²"}`;
}

/**
 * Write a change with its sign.
 * @param {number} value
 * @param {(value: number) => string} write
 */
export const signed = (value, write) => isolate((value > 0 ? `+${write(value)}` : write(value)).replace(/^[−+]?[\d۰-۹٬٫.,]+/, (figures) => `\u2066${figures}\u2069`));

/** @param {string | number | Date} moment */
export function clock(moment) {
  return new Intl.DateTimeFormat(language === "fa" ? "fa-IR" : "en-GB", { hour: "2-digit", minute: "2-digit" }).format(new Date(moment));
}

/** @param {string | number | Date} moment */
export function day(moment) {
  return new Intl.DateTimeFormat(language === "fa" ? "fa-IR-u-ca-persian" : "en-GB", { day: "numeric", month: "long", year: "numeric" }).format(new Date(moment));
}

/** @param {[number, number] | readonly number[]} at */
export const coordinates = (at) => isolate(digits(`${at[0].toFixed(7)}, ${at[1].toFixed(7)}`, language));

/**
 * Read a number typed with digits of either script; NaN where it is none.
 * @param {string} text
 */
export function readNumber(text) {
  const plain = text
    .trim()
    .replace(/[۰-۹]/g, (digit) => String(digit.charCodeAt(0) - 0x06f0))
    .replace(/[٠-٩]/g, (digit) => String(digit.charCodeAt(0) - 0x0660))
    .replace(/[٫,]/g, ".")
    .replace("−", "-");
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : Number.NaN;
}
