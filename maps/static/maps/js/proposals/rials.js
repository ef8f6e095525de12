// @ts-check
/** Sums of rials in a field: grouped in threes as they are typed, in the digits of the page. Reading is pure. */

import { digits, number } from "../numbers.js";

/** @param {string} text @returns {number | null} the sum; null where it is none */
export function rialsOf(text) {
  const latin = text.replace(/[۰-۹]/g, (d) => String(d.charCodeAt(0) - 0x06f0)).replace(/[٠-٩]/g, (d) => String(d.charCodeAt(0) - 0x0660));
  const bare = latin.replace(/[\s,.٬،]/g, "");
  return /^\d{1,18}$/.test(bare) ? Number(bare) : null;
}

/**
 * Return a text as it stands in the field: grouped where it is a sum a browser counts exactly, else as it was typed.
 * @param {string} text
 * @param {"fa" | "en"} language
 */
export function grouped(text, language) {
  const sum = rialsOf(text);
  return sum === null || sum > Number.MAX_SAFE_INTEGER ? digits(text, language) : number(sum, language);
}

/** Group what is typed into every such field. @param {"fa" | "en"} language */
export function withGroups(language) {
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-rials]"))) {
    field.addEventListener("change", () => {
      field.value = grouped(field.value, language);
    });
    field.addEventListener("input", () => {
      // Only at the end of the text: in its middle the cursor would jump.
      if (field.selectionStart !== field.value.length) return;
      field.value = grouped(field.value, language);
    });
  }
}
