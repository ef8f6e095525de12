// @ts-check
/** The table of a decision: what is left of the budget while proposals are ticked. */

import { filled } from "../imports/words.js";
import { number } from "../numbers.js";
import { rialsOf, withGroups } from "../proposals/rials.js";

const language = document.documentElement.lang.startsWith("fa") ? "fa" : "en";
const form = /** @type {HTMLFormElement | null} */ (document.getElementById("decision-form"));
const line = document.getElementById("budget-left");
withGroups(language);
document.getElementById("refusal")?.focus();

/** Say how much is ticked and what would be left. */
function tell() {
  if (!form || !line) return;
  const ticked = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input[name=chosen]:checked")]);
  const sum = ticked.reduce((all, one) => all + (rialsOf(/** @type {HTMLInputElement} */ (form.elements.namedItem(`granted-${one.value}`)).value) ?? 0), 0);
  const left = line.dataset.left === undefined ? null : Number(line.dataset.left) - sum;
  const words = left === null ? line.dataset.none : left < 0 ? line.dataset.over : line.dataset.words;
  line.textContent = filled(words ?? "", { n: number(ticked.length, language), sum: number(sum, language), left: number(Math.abs(left ?? 0), language) });
  line.classList.toggle("is-over", left !== null && left < 0);
}

if (form) {
  form.addEventListener("input", tell);
  form.addEventListener("change", tell);
  tell();
}
