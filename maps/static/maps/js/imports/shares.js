// @ts-check
/**
 * Shares as a reader writes them. Pure.
 * @import { Language } from "../numbers.js"
 */

import { number } from "../numbers.js";

/**
 * Write a share as whole per cent; it says 100 only at the end.
 * @param {number} share 0 to 1
 * @param {Language} language
 */
export function percent(share, language) {
  const whole = share >= 1 ? 100 : Math.min(Math.floor(share * 100), 99);
  return number(whole, language) + (language === "fa" ? "٪" : "%");
}
