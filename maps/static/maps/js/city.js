// @ts-check
/**
 * The city page in motion: controls change the state, the state goes into the address, the server answers, and sentence,
 * table, legend and map follow. Without this script the page is a form that works.
 *
 * @import { CityMap } from "./citymap.js";
 * @import { State } from "./state.js";
 *
 * @typedef {object} PlaceResult
 * @property {string} code
 * @property {string} name
 * @property {string} kind
 * @property {number | null} rank
 * @property {string} text
 * @property {string} why
 * @property {string} people_text
 * @property {number} class
 * @property {string} css
 *
 * @typedef {object} Results
 * @property {string} show
 * @property {string | null} service
 * @property {{code: string, is_time: boolean}} travel
 * @property {string} weights in words
 * @property {{title: string, colours: string[]}} legend
 * @property {PlaceResult[]} places
 * @property {Record<string, number>} thresholds_m
 * @property {Record<string, string>} [html]
 * @property {string} [title]
 * @property {Record<string, string>} [suggested]
 */

import { asker, fetchJson } from "./fetching.js";
import { cost, number, weight } from "./numbers.js";
import { reachAddress, reachOn } from "./reach.js";
import { asStandard, parseState, toQuery, withMethod, withNumber } from "./state.js";

const PAUSE_MS = 120;

/** @param {string} id */
function part(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no part “${id}”.`);
  return found;
}

const config = JSON.parse(part("city-config").textContent ?? "{}");
const words = /** @type {Record<string, string>} */ ({ ...part("words").dataset });
const form = /** @type {HTMLFormElement} */ (part("question"));
const status = part("status");
const sheet = part("sheet");
const tip = part("tip");

/** @type {Results} */
let results = config.results;
/** @type {State} */
let state = parseState(location.search, config.defaults);
/** @type {CityMap | null} */
let map = null;
/** @type {string | null} */
let chosen = null;
/** @type {Record<string, string>} */
let suggested = {};
/** Name of the slider that is being moved. */
let gesture = "";

/** @returns {Record<string, PlaceResult>} */
const byCode = () => Object.fromEntries(results.places.map((place) => [place.code, place]));
let places = byCode();

// ---- asking

const ask = asker({
  ask: fetchJson,
  take: (/** @type {Results} */ answer) => show(answer),
  fail: (error) => {
    status.classList.add("is-wrong");
    const again = document.createElement("button");
    again.className = "link";
    again.type = "button";
    again.textContent = words.retry;
    again.addEventListener("click", () => request(0));
    status.replaceChildren(`${error.kind === "refused" ? words.failed : words.offline} ${error.kind === "refused" ? error.message : ""} `, again);
  },
  tell: (isUnderWay) => {
    if (isUnderWay) {
      status.classList.remove("is-wrong");
      status.textContent = words.computing;
    } else if (!status.classList.contains("is-wrong")) {
      status.textContent = "";
    }
    part("map-pane").setAttribute("aria-busy", String(isUnderWay));
  },
});

/** @param {number} pause_ms */
function request(pause_ms) {
  const query = toQuery(state, config.defaults);
  ask(`${config.urls.results}${query ? `${query}&` : "?"}with=html`, pause_ms);
}

/**
 * Take a new state: into the address, then ask. A choice is a new entry of the history, and so is the first move of a slider;
 * its further moves stay in that entry, so that Back goes to what was there before it was touched.
 * @param {State} next
 * @param {string} [slider] name of the slider that moves
 */
function change(next, slider = "") {
  const leaves = next.service !== state.service || next.show === "priority";
  state = leaves ? withMethod(next, "facility", "") : next;
  const address = `${location.pathname}${toQuery(state, config.defaults)}`;
  if (slider && slider === gesture) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  gesture = slider;
  arrange();
  request(slider ? PAUSE_MS : 0);
}

// ---- showing

/** Show or hide the controls that belong to what is shown. */
function arrange() {
  const isPriority = state.show === "priority";
  part("services").hidden = isPriority;
  part("weights").hidden = !isPriority;
  part("threshold").hidden = isPriority;
}

/** @param {Results} answer */
function show(answer) {
  const before = positions();
  const changedService = answer.service !== results.service || answer.show !== results.show || answer.travel.code !== results.travel.code;
  results = answer;
  places = byCode();
  for (const [id, html] of Object.entries(answer.html ?? {})) {
    if (id === "threshold" && !changedService) continue;
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById(id);
    const old = document.getElementById(id);
    if (!fresh || !old) continue;
    const [across, down] = [old.scrollLeft, old.scrollTop];
    const focused = old.contains(document.activeElement) ? pathTo(/** @type {Element} */ (document.activeElement)) : null;
    old.replaceWith(fresh);
    fresh.scrollTo(across, down);
    const again = focused ? fresh.querySelector(focused) : null;
    if (again instanceof HTMLElement) again.focus({ preventScroll: true });
  }
  part("weights-text").textContent = answer.weights;
  if (answer.title) document.title = `${answer.title} · ${document.title.split(" · ").at(-1)}`;
  for (const path of document.querySelectorAll(".map-pane .outline-map [data-code]")) {
    const place = places[path.getAttribute("data-code") ?? ""];
    if (place) path.setAttribute("class", `${place.kind === "settlement" ? "settlement " : ""}${place.css}`);
  }
  map?.colour(answer);
  showFacilities();
  fillSheet();
  markRows();
  animateRows(before);
  fillPublish(answer);
  arrange();
  showReach();
}

/**
 * Return a selector that finds the same control in a fresh copy of its part.
 * @param {Element} element
 * @returns {string | null}
 */
function pathTo(element) {
  const row = element.closest("[data-code]");
  if (row) return `[data-code="${row.getAttribute("data-code")}"] a`;
  if (element.id) return `#${element.id}`;
  const sorted = element.closest("th")?.cellIndex;
  return sorted === undefined ? null : `th:nth-child(${sorted + 1}) a`;
}

function showFacilities() {
  const service = state.show === "priority" ? null : results.service;
  map?.showFacilities(service, service ? (config.services[service]?.layer ?? null) : null);
}

// ---- from where a facility is within the limit

/** @type {ReturnType<typeof reachOn> | null} */
let reach = null;
/** Whether the address named the facility when the page was opened: then the map goes to it. */
let isReachNamed = "facility" in state.methods;

/** Show the reach of the facility that the state names, or none. */
function showReach() {
  const number = state.methods.facility;
  const service = results.service;
  const note = part("reach");
  if (!reach || !number || !service || state.show === "priority" || config.services[service]?.kind === "utility") {
    note.hidden = true;
    reach?.clear();
    return;
  }
  void reach.show(reachAddress(config.urls.measures, { service, number, limit_m: results.thresholds_m[service], methods: state.methods }));
}

/** @param {unknown} error */
function tellFault(error) {
  status.classList.add("is-wrong");
  status.textContent = error instanceof Error ? error.message : words.offline;
}

/** @param {import("./reach.js").Reach} found */
function tellReach({ properties }) {
  if (isReachNamed) map?.live.easeTo({ center: [properties.lon, properties.lat], zoom: Math.max(map.live.getZoom(), 13), duration: 0 });
  isReachNamed = false;
  const limit = cost(properties.limit_m, config.language, results.travel.is_time);
  const text = part("reach").querySelector("span");
  if (text) text.textContent = (words.reach ?? "").replace("{facility}", properties.facility ? `\u2068${properties.facility}\u2069` : (words.facility ?? "")).replace("{limit}", limit) + (properties.people === null ? "" : ` ${(words.reached ?? "").replace("{people}", number(properties.people, config.language))}`);
  part("reach").hidden = false;
}

part("reach").querySelector("button")?.addEventListener("click", () => change(withMethod(state, "facility", "")));

/** @returns {Map<string, number>} */
function positions() {
  return new Map([...document.querySelectorAll("#ranking tbody tr")].map((row) => [row.getAttribute("data-code") ?? "", row.getBoundingClientRect().top]));
}

/**
 * Let rows slide to their new rank, so that the eye can follow; not where less motion is wanted.
 * @param {Map<string, number>} before
 */
function animateRows(before) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const row of document.querySelectorAll("#ranking tbody tr")) {
    const old = before.get(row.getAttribute("data-code") ?? "");
    const shift = old === undefined ? 0 : old - row.getBoundingClientRect().top;
    if (Math.abs(shift) > 1 && Math.abs(shift) < 2000) row.animate([{ transform: `translateY(${shift}px)` }, { transform: "none" }], { duration: 220, easing: "ease-out" });
  }
}

// ---- pointing at places

/** @param {string | null} code */
function markRows(code = null) {
  for (const row of document.querySelectorAll("#ranking tbody tr")) {
    const own = row.getAttribute("data-code");
    row.classList.toggle("is-hover", own === code);
    row.classList.toggle("is-chosen", own === chosen);
  }
}

/**
 * @param {string | null} code
 * @param {{x: number, y: number} | null} at
 */
function showTip(code, at) {
  const place = code ? places[code] : null;
  tip.hidden = !place || !at;
  if (place && at) {
    const name = document.createElement("b");
    name.textContent = place.name;
    const rank = place.rank === null ? "" : `${words.rank} ${number(place.rank, config.language)} · `;
    tip.replaceChildren(name, `${rank}${place.text}`);
    const pane = part("map-pane").getBoundingClientRect();
    const x = Math.min(at.x + 14, pane.width - tip.offsetWidth - 8);
    const y = at.y + 18 + tip.offsetHeight > pane.height ? at.y - tip.offsetHeight - 10 : at.y + 18;
    tip.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }
  markRows(code);
}

function fillSheet() {
  const place = chosen ? places[chosen] : null;
  sheet.hidden = !place;
  if (!place) return;
  /** @param {string} name */
  const field = (name) => /** @type {HTMLElement} */ (sheet.querySelector(`[data-part="${name}"]`));
  part("sheet-name").textContent = place.kind === "settlement" ? `${place.name} (${words.settlement})` : place.name;
  field("rank").textContent = number(place.rank, config.language);
  field("text").textContent = place.text;
  field("measure").textContent = document.querySelector("#ranking th.value")?.textContent?.trim() ?? "";
  field("people").textContent = place.people_text;
  field("why").textContent = place.why;
  const link = /** @type {HTMLAnchorElement} */ (field("link"));
  link.href = `${config.urls.places}${encodeURIComponent(place.code)}/${toQuery({ ...state, show: config.defaults.show, sort: "rank" }, config.defaults)}`;
}

/**
 * @param {string | null} code
 * @param {{isFromMap?: boolean}} [how]
 */
function choose(code, { isFromMap = false } = {}) {
  chosen = code;
  map?.choose(code);
  fillSheet();
  markRows();
  tip.hidden = true;
  if (!code) return;
  map?.reveal(code, getComputedStyle(sheet).position === "absolute" ? sheet.offsetHeight : 0);
  if (isFromMap) {
    const list = part("ranking");
    const row = list.querySelector(`[data-code="${CSS.escape(code)}"]`);
    if (row instanceof HTMLElement && list.scrollHeight > list.clientHeight + 4) list.scrollTo({ top: row.offsetTop - list.clientHeight / 2, behavior: "smooth" });
  }
}

/** @param {EventTarget | null} target */
const rowOf = (target) => (target instanceof Element ? target.closest("#ranking tbody tr") : null)?.getAttribute("data-code") ?? null;

document.addEventListener("mouseover", (event) => {
  const code = rowOf(event.target);
  if (code) map?.hover(code);
  else if (event.target instanceof Element && !event.target.closest("#map-pane")) map?.hover(null);
});
document.addEventListener("focusin", (event) => {
  const code = rowOf(event.target);
  map?.hover(code);
  if (code) map?.reveal(code);
});
document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const sorted = event.target.closest("[data-sort]");
  const reset = event.target.closest("[data-reset]");
  if (sorted instanceof HTMLAnchorElement) {
    event.preventDefault();
    change({ ...state, sort: parseState(sorted.search, config.defaults).sort });
  } else if (reset) {
    event.preventDefault();
    change(asStandard(state));
    restoreControls();
  } else if (!event.target.closest("a, button")) {
    const code = rowOf(event.target);
    if (code) choose(code === chosen ? null : code);
  }
});
sheet.querySelector(".close")?.addEventListener("click", () => choose(null));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && chosen) choose(null);
  else if (event.key === "Escape" && state.methods.facility) change(withMethod(state, "facility", ""));
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target instanceof HTMLElement && /^(TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  if (event.target instanceof HTMLInputElement && !/^(radio|range)$/.test(event.target.type)) return;
  const at = ["1", "2", "3"].indexOf(event.key) >= 0 ? Number(event.key) - 1 : "۱۲۳".indexOf(event.key);
  const choice = form.querySelectorAll('input[name="show"]')[at];
  if (at >= 0 && event.key.length === 1 && choice instanceof HTMLInputElement) {
    choice.checked = true;
    change({ ...state, show: choice.value });
  }
});

// ---- controls

form.addEventListener("submit", (event) => event.preventDefault());

document.addEventListener("input", (event) => {
  const slider = event.target;
  if (!(slider instanceof HTMLInputElement) || slider.type !== "range" || slider.form !== form) return;
  moveSlider(slider);
});
form.addEventListener("focusout", () => (gesture = ""));
document.addEventListener("change", (event) => {
  const control = event.target;
  if (control instanceof HTMLSelectElement && control.form === form) change(withMethod(state, control.name, control.value));
  if (!(control instanceof HTMLInputElement) || control.form !== form) return;
  if (control.name === "show") change({ ...state, show: control.value });
  else if (control.name === "service") change({ ...state, service: control.value });
});

/**
 * Take a slider's number; its text moves at once, the results follow.
 * @param {HTMLInputElement} slider
 */
function moveSlider(slider) {
  const isThreshold = slider.name.startsWith("threshold-");
  const text = isThreshold ? cost(slider.valueAsNumber, config.language, "time" in slider.dataset) : weight(slider.valueAsNumber, config.language);
  const output = slider.parentElement?.querySelector("output");
  if (output) output.textContent = text;
  slider.setAttribute("aria-valuetext", text);
  const code = slider.name.replace(/^(threshold|weight)-/, "");
  change(withNumber(state, isThreshold ? "thresholds" : "weights", code, slider.valueAsNumber, Number(slider.dataset.standard)), slider.name);
}

/** Bring the controls in step with the state, after Back or a reset. */
function restoreControls() {
  for (const input of form.elements) {
    if (input instanceof HTMLSelectElement) input.value = state.methods[input.name] ?? "";
    if (!(input instanceof HTMLInputElement)) continue;
    if (input.name === "show") input.checked = input.value === state.show;
    if (input.name === "service") input.checked = input.value === state.service;
    if (input.type !== "range") continue;
    const isThreshold = input.name.startsWith("threshold-");
    const code = input.name.replace(/^(threshold|weight)-/, "");
    const value = (isThreshold ? state.thresholds : state.weights)[code] ?? Number(input.dataset.standard);
    input.value = String(value);
    const output = input.parentElement?.querySelector("output");
    if (output) output.textContent = isThreshold ? cost(value, config.language, "time" in input.dataset) : weight(value, config.language);
  }
}

addEventListener("popstate", () => {
  state = parseState(location.search, config.defaults);
  restoreControls();
  arrange();
  request(0);
});

// ---- publishing

/** @param {Results} answer */
function fillPublish(answer) {
  const target = document.getElementById("publish-state");
  if (!target) return;
  const query = new URLSearchParams(toQuery(state, { show: "", service: "" }));
  query.delete("sort");
  query.delete("facility");
  target.replaceChildren(
    ...[...query].map(([name, value]) => {
      const hidden = document.createElement("input");
      Object.assign(hidden, { type: "hidden", name, value });
      return hidden;
    }),
  );
  for (const [name, text] of Object.entries(answer.suggested ?? {})) {
    const field = /** @type {HTMLInputElement | HTMLTextAreaElement | null} */ (document.querySelector(`#publish-form [name="${name}"]`));
    if (field && (field.value === field.defaultValue || field.value === suggested[name])) field.value = text;
  }
  suggested = answer.suggested ?? {};
}

// ---- the map, last, so that everything else already works

async function startMap() {
  const failed = part("map-failed");
  try {
    const { canDraw, makeMap } = await import("./citymap.js");
    if (!canDraw()) throw new Error("no WebGL");
    map = makeMap({
      container: part("map"),
      scaleBar: part("scale-bar"),
      key: part("key"),
      config,
      results,
      words,
      onHover: showTip,
      onChoose: (code) => choose(code, { isFromMap: true }),
      onFacility: (number) => {
        if (config.services[results.service ?? ""]?.kind !== "utility") change(withMethod(state, "facility", String(number)));
      },
      onReady: () => {
        map?.colour(results);
        showFacilities();
        if (map) reach = reachOn(map.live, { take: tellReach, fail: (error) => tellFault(error) });
        showReach();
      },
    });
  } catch (error) {
    console.info("The live map could not start:", error);
    failed.hidden = false;
  }
}

arrange();
void startMap();
