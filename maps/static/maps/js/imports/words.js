// @ts-check
/**
 * Words of a page that scripts need, and sentences made of them. Pure but for `said`, which reads the page.
 *
 * @import { Language } from "../numbers.js"
 */

import { number } from "../numbers.js";

/** @returns {Language} the language of the page */
export const pageLanguage = () => (document.documentElement.lang.startsWith("fa") ? "fa" : "en");

/**
 * Return the words of the page, by the names their template gives them.
 * @returns {Record<string, string | undefined>}
 */
export function said() {
  const template = document.getElementById("words");
  return template instanceof HTMLElement ? { ...template.dataset } : {};
}

/**
 * Put values into the gaps of a sentence; what is put in keeps its own direction.
 * @param {string} sentence with gaps such as {file}
 * @param {Record<string, string>} values
 */
export function filled(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (gap, name) => (name in values ? `\u2068${values[name]}\u2069` : gap));
}

/**
 * Write the size of a file as a reader does.
 * @param {number} bytes
 * @param {Language} language
 * @param {Record<string, string | undefined>} words
 */
export function size(bytes, language, words) {
  const units = /** @type {const} */ ([[1e9, "gb", "GB"], [1e6, "mb", "MB"], [1e3, "kb", "KB"]]);
  for (const [limit, key, plain] of units) {
    const value = bytes / limit;
    const isWhole = value >= 100 || Math.round(value * 10) % 10 === 0;
    if (value >= 1) return `${number(value, language, isWhole ? 0 : 1)} ${words[key] || plain}`;
  }
  return `${number(bytes, language)} ${words.bytes || "bytes"}`;
}
