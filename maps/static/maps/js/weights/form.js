// @ts-check
/** The form of an institution's weights: words beside each slider, points that are left, and what follows, at once. */

import { AskError, asker } from "../fetching.js";
import { number, parse } from "../numbers.js";

const form = document.getElementById("weights-form");
const live = document.getElementById("live");
const lang = document.documentElement.lang === "fa" ? "fa" : "en";
/** @type {{pairs: string[], domains: Record<string, string>}} */
const words = JSON.parse(document.getElementById("pair-words")?.textContent ?? '{"pairs": [], "domains": {}}');

/** @param {HTMLInputElement} slider */
function tellWeight(slider) {
  const output = slider.parentElement?.querySelector("output");
  const weight = Number(slider.value);
  if (output) output.value = number(weight, lang, weight % 1 ? 1 : 0);
  slider.parentElement?.classList.toggle("is-out", weight === 0);
}

/** @param {HTMLElement} row @param {HTMLInputElement} slider */
function tellPair(row, slider) {
  const steps = Number(slider.value);
  const more = words.domains[(steps < 0 ? row.dataset.a : row.dataset.b) ?? ""] ?? "";
  const text = words.pairs[Math.abs(steps)].replace("%(domain)s", more) + (steps ? ` · ${number(Math.abs(steps) + 1, lang)}` : "");
  const output = row.querySelector("output");
  if (output) output.value = text;
  slider.setAttribute("aria-valuetext", text);
}

/** Show the comparisons of those domains alone of which an indicator counts. */
function showPairs() {
  const counted = new Set();
  for (const set of document.querySelectorAll(".ticks [data-domain]")) {
    if (set instanceof HTMLElement && set.querySelector("input:checked")) counted.add(set.dataset.domain);
  }
  for (const row of document.querySelectorAll(".pair")) {
    if (row instanceof HTMLElement) row.hidden = !(counted.has(row.dataset.a) && counted.has(row.dataset.b));
  }
}

/** Mark the comparison that is most at odds with the others. */
function markOdd() {
  const told = live?.querySelector("[data-odd]");
  const field = told instanceof HTMLElement ? `f-${told.dataset.odd}` : "";
  for (const row of document.querySelectorAll(".pair")) row.classList.toggle("is-at-odds", row.querySelector("input")?.id === field);
}

/** Keep what is left of the points where they are given, too. */
function repeatPoints() {
  const told = live?.querySelector(".points-left");
  const there = document.getElementById("points-left");
  if (!told || !there) return;
  there.textContent = told.textContent;
  there.classList.toggle("is-right", told.classList.contains("is-right"));
}

if (form instanceof HTMLFormElement && live) {
  const ask = asker({
    /** @param {string} address @param {AbortSignal} signal */
    async ask(address, signal) {
      const body = new FormData(form);
      body.set("do", "look");
      body.set("part", "live");
      const answer = await fetch(address, { method: "POST", body, signal, headers: { Accept: "text/html" } });
      if (!answer.ok) throw new AskError("refused", answer.statusText);
      return answer.text();
    },
    /** @param {string} text */
    take(text) {
      live.innerHTML = text;
      repeatPoints();
      markOdd();
    },
    fail() {
      // What follows is a help: the form itself says what is wrong when it is sent.
    },
    tell(isUnderWay) {
      live.setAttribute("aria-busy", String(isUnderWay));
    },
  });
  for (const slider of form.querySelectorAll(".weight input")) if (slider instanceof HTMLInputElement) tellWeight(slider);
  showPairs();
  form.addEventListener("input", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLInputElement)) return;
    const row = field.closest(".pair");
    if (row instanceof HTMLElement) tellPair(row, field);
    else if (field.type === "range") tellWeight(field);
    else if (field.type === "checkbox") showPairs();
    else if (field.closest(".points")) {
      if (field.value.trim() && Number.isNaN(parse(field.value))) return;
    } else if (field.name !== "how") return;
    ask(location.pathname, 120);
  });
  document.getElementById("refusal")?.focus();
}
