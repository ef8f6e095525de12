// @ts-check
/**
 * Numbers, shares and distances as a Persian or English reader writes them.
 * The browser's twin of maps/pages/formats.py; both are tested with the same examples.
 *
 * @typedef {"fa" | "en"} Language
 */

/** Stands where there is no value. */
export const DASH = "–";

const PERSIAN = "۰۱۲۳۴۵۶۷۸۹";

/**
 * Write the digits of a text in the reader's digits; nothing else changes.
 * @param {string | number} text
 * @param {Language} language
 */
export function digits(text, language) {
  return language === "fa" ? String(text).replace(/[0-9]/g, (digit) => PERSIAN[Number(digit)]) : String(text);
}

/**
 * Read a number a reader wrote in either set of digits.
 * @param {string} text
 */
export function parse(text) {
  const ascii = text.replace(/[۰-۹]/g, (digit) => String(PERSIAN.indexOf(digit))).replace(/[٠-٩]/g, (digit) => String(digit.charCodeAt(0) - 0x660)).replace(/[٬,\s]/g, "").replace("٫", ".");
  return ascii === "" ? NaN : Number(ascii);
}

/**
 * Write a number with thousands separators, rounded half up.
 * @param {number | null} value
 * @param {Language} language
 * @param {number} [decimals]
 */
export function number(value, language, decimals = 0) {
  if (value === null || !Number.isFinite(value)) return DASH;
  const scale = 10 ** decimals;
  const rounded = Math.floor(Math.abs(value) * scale + 0.5) / scale;
  const [whole, part] = rounded.toFixed(decimals).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, language === "fa" ? "٬" : ",");
  const text = part ? `${grouped}${language === "fa" ? "٫" : "."}${part}` : grouped;
  return (value < 0 && rounded > 0 ? "−" : "") + digits(text, language);
}

/**
 * Write a distance: metres below one kilometre, else kilometres with one decimal where it says something.
 * @param {number | null} metres
 * @param {Language} language
 */
export function distance(metres, language) {
  if (metres === null || !Number.isFinite(metres)) return DASH;
  const rounded = Math.floor(metres + 0.5);
  if (rounded < 1000) return `${number(rounded, language)} ${language === "fa" ? "متر" : "m"}`;
  const kilometres = Math.floor(metres / 100 + 0.5) / 10;
  const decimals = Number.isInteger(kilometres) || kilometres >= 100 ? 0 : 1;
  return `${number(kilometres, language, decimals)} ${language === "fa" ? "کیلومتر" : "km"}`;
}

/**
 * Write a distance; where it stands for time, with the minutes in which it is walked on level ground, at 5 km/h.
 * @param {number | null} metres
 * @param {Language} language
 * @param {boolean} isTime
 */
export function cost(metres, language, isTime) {
  const text = distance(metres, language);
  if (!isTime || metres === null || !Number.isFinite(metres)) return text;
  return `${text} (${number((metres * 60) / 5000, language)} ${language === "fa" ? "دقیقه" : "min"})`;
}

/**
 * Write a weight: no decimals where there are none.
 * @param {number} value
 * @param {Language} language
 */
export function weight(value, language) {
  return number(value, language, Number.isInteger(value) ? 0 : 1);
}

/**
 * Return the largest of 1, 2, 5 × 10ⁿ that is not above a length: what a scale bar shows.
 * @param {number} most
 */
export function niceLength(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 1e-9)));
  return Math.max(...[1, 2, 5].map((step) => step * power).filter((step) => step <= most * (1 + 1e-12)));
}
