// @ts-check
/** The page of an index: whatever is moved or chosen is ranked anew at once; the address says what is shown. */

import { AskError, asker } from "../fetching.js";
import { number } from "../numbers.js";

const form = document.getElementById("index-form");
const shown = document.getElementById("index-result");
const lang = document.documentElement.lang === "fa" ? "fa" : "en";

/** @param {HTMLFormElement} from @returns {string} */
function addressOf(from) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(from)) query.append(name, String(value));
  return `?${query}`;
}

/** @param {HTMLInputElement} slider */
function tellWeight(slider) {
  const output = slider.parentElement?.querySelector("output");
  const weight = Number(slider.value);
  if (output) output.value = number(weight, lang, weight % 1 ? 1 : 0);
  slider.parentElement?.classList.toggle("is-out", weight === 0);
}

if (form instanceof HTMLFormElement && shown) {
  const ask = asker({
    /** @param {string} address @param {AbortSignal} signal */
    async ask(address, signal) {
      const answer = await fetch(`${address}&part=result`, { signal, headers: { Accept: "text/html" } });
      // What cannot be ranked is answered with the reason, as a part of the page, too.
      if (!answer.ok && answer.status !== 400) throw new AskError("refused", answer.statusText);
      return { address, text: await answer.text() };
    },
    take({ address, text }) {
      shown.innerHTML = text;
      history.replaceState(null, "", address);
    },
    fail() {
      form.submit();
    },
    tell(isUnderWay) {
      shown.setAttribute("aria-busy", String(isUnderWay));
    },
  });
  for (const slider of form.querySelectorAll("input[type=range]")) if (slider instanceof HTMLInputElement) tellWeight(slider);
  form.addEventListener("input", (event) => {
    const field = event.target;
    if (field instanceof HTMLInputElement && field.type === "range") tellWeight(field);
    if (field instanceof HTMLSelectElement) {
      const means = document.getElementById(`${field.id}-means`);
      if (means) means.textContent = field.selectedOptions[0]?.dataset.means ?? "";
    }
    ask(addressOf(form), 60);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(addressOf(form));
  });
}
