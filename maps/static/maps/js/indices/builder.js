// @ts-check
/** The page of an index: whatever is moved or chosen is ranked anew at once; the address says what is shown. */

import { AskError, asker } from "../fetching.js";
import { number } from "../numbers.js";

/** Where many places are ranked, fewer rankings are drawn while something moves; all of them when it rests for so long. */
const REST_MS = 500;

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

/**
 * Fetch a part of the page; what cannot be ranked is answered with the reason, as a part of the page, too.
 * @param {string} address @param {AbortSignal} signal
 */
async function partOf(address, signal) {
  const answer = await fetch(address, { signal, headers: { Accept: "text/html" } });
  if (!answer.ok && answer.status !== 400) throw new AskError("refused", answer.statusText);
  return answer.text();
}

/**
 * Parts that are slow are worked out when somebody opens them, and again when what they are about has changed.
 * @param {HTMLElement} root @param {() => string} address
 */
function partsOf(root, address) {
  /** @type {Set<string>} */
  const open = new Set();
  /** @type {Map<HTMLElement, AbortController>} */
  const under = new Map();
  /** @param {HTMLElement} details */
  const load = async (details) => {
    const part = details.dataset.part ?? "";
    const body = details.querySelector(".part");
    if (!(body instanceof HTMLElement) || details.dataset.done) return;
    under.get(details)?.abort();
    const controller = new AbortController();
    under.set(details, controller);
    details.dataset.done = "1";
    body.setAttribute("aria-busy", "true");
    try {
      body.innerHTML = await partOf(`${address()}&part=${part}`, controller.signal);
    } catch (error) {
      // The link stays: it opens the same as a page.
      if (!controller.signal.aborted) delete details.dataset.done;
    } finally {
      body.setAttribute("aria-busy", "false");
      if (under.get(details) === controller) under.delete(details);
    }
  };
  root.addEventListener(
    "toggle",
    (event) => {
      const details = event.target;
      if (!(details instanceof HTMLDetailsElement) || !details.dataset.part) return;
      if (details.open) {
        open.add(details.dataset.part);
        void load(details);
      } else if (details.isConnected) open.delete(details.dataset.part);
    },
    true,
  );
  return {
    /** The result was put in anew: give up what was asked about the one before. */
    renewed() {
      for (const controller of under.values()) controller.abort();
      under.clear();
    },
    /** Open again what was open. */
    reopen() {
      for (const details of root.querySelectorAll("details[data-part]")) {
        if (details instanceof HTMLDetailsElement && open.has(details.dataset.part ?? "")) details.open = true;
      }
    },
  };
}

if (form instanceof HTMLFormElement && shown) {
  const parts = partsOf(shown, () => addressOf(form));
  let rest = 0;
  const ask = asker({
    /** @param {string} address @param {AbortSignal} signal */
    async ask(address, signal) {
      return { address, text: await partOf(address, signal) };
    },
    take({ address, text }) {
      parts.renewed();
      window.clearTimeout(rest);
      shown.innerHTML = text;
      const [own, part] = address.split("&part=");
      history.replaceState(null, "", own);
      if (part === "live") rest = window.setTimeout(rested, REST_MS);
      else parts.reopen();
    },
    fail() {
      form.submit();
    },
    tell(isUnderWay) {
      shown.setAttribute("aria-busy", String(isUnderWay));
    },
  });
  const rested = () => {
    if (shown.querySelector("[data-few]")) ask(`${addressOf(form)}&part=result`);
    else parts.reopen();
  };
  for (const slider of form.querySelectorAll("input[type=range]")) if (slider instanceof HTMLInputElement) tellWeight(slider);
  form.addEventListener("input", (event) => {
    const field = event.target;
    if (field instanceof HTMLInputElement && field.type === "range") tellWeight(field);
    if (field instanceof HTMLSelectElement) {
      const means = document.getElementById(`${field.id}-means`);
      if (means) means.textContent = field.selectedOptions[0]?.dataset.means ?? "";
    }
    window.clearTimeout(rest);
    ask(`${addressOf(form)}&part=live`, 60);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    window.clearTimeout(rest);
    ask(`${addressOf(form)}&part=result`);
  });
}
