// @ts-check
/**
 * The page of a what-if in motion: facilities are moved, added and closed, streets drawn, limits changed; the server answers while a
 * facility is dragged, and sentence, map, table and legend follow. Without this script the page tells what a saved scenario does.
 *
 * @import { Language } from "../numbers.js"
 * @import { MapConfig } from "../style.js"
 * @import { CityMap } from "../citymap.js"
 * @import { Drawn } from "./drawing.js"
 * @import { Answer, Base, Show } from "./effects.js"
 * @import { At, Change, Facility, Shown, StreetDrawn, StreetKind } from "./model.js"
 * @import { Scenario } from "./saving.js"
 *
 * @typedef {{changes: Change[], question: Record<string, any>}} Doc
 * @typedef {{doc: Doc, moved_at: number | null}} Asked
 * @typedef {{bounds: number[], colours: string[]}} Classes
 */

import { ApiError, makeApi } from "../api.js";
import { input, make, part } from "../workbench/dom.js";
import { begin, canRedo, canUndo, present, record, redo, redoLabel, undo, undoLabel } from "../workbench/history.js";
import { count, isolate, metres, readNumber, say, useWords } from "../workbench/words.js";
import { weight as weightText } from "../numbers.js";
import { makePump } from "./asking.js";
import { byClass, classOf, effectsOf, percent, placeNow, shownValue, totalPeople } from "./effects.js";
import { makeKeeper } from "./keeping.js";
import { MOST_CHANGES, MOST_POSITIONS, added, closed, isSame, moved, putBack, shifted, shownOf, withCapacity, withStreet, without } from "./model.js";
import { described, nameOf, notice, showCard, showChanges, showEffects, showFacilities } from "./panel.js";
import { makeSaver } from "./saving.js";

const AGAIN_MS = 4000;
const LEVEL_M_PER_MIN = 5000 / 60;

const config = /** @type {MapConfig & {language: Language, city: string, name: string, csrf: string, user: string, urls: Record<string, string> & {worker: string, tiles: string, page: string, city: string, compare: string}, bounds: [number, number, number, number], services: Record<string, {name: string, word: string, kind: string, standard: number, low: number, high: number, step: number, need: {n: number, source: string} | null}>, classes: Record<Show, Classes>, travels: string[], question: Record<string, any>, scenario: Scenario | null, answer: Answer & {base: Base}, service: string, show: Show}} */ (JSON.parse(part("what-if-config").textContent ?? "{}"));
useWords({ ...part("words").dataset }, config.language);
const api = makeApi({ base: config.urls.api, csrf: config.csrf, language: config.language });
const keeper = makeKeeper(config);

// ---- what is going on

let { service, show } = config;
let base = config.answer.base;
/** @type {Answer} */
let answer = config.answer;
/** @type {Doc} what was saved, or what the page began with */
let saved = { changes: config.scenario?.changes ?? [], question: config.question };
let steps = begin(saved);
/** @type {Change[] | null} while something is dragged */
let live = null;
/** @type {string | null} */
let chosen = null;
/** @type {"move" | "add" | "draw"} */
let tool = "move";
/** @type {At[]} */
let sketch = [];
/** @type {Map<string, Facility[]>} */
const facilities = new Map();
/** @type {CityMap | null} */
let map = null;
/** @type {Drawn | null} */
let drawn = null;
let gestures = 0;
const ownWeights = part("weights-text").textContent ?? "";

const settled = () => present(steps);
const changesNow = () => live ?? settled().changes;
/** @param {string} code */
const wordOf = (code) => config.services[code]?.word ?? code;
/** @param {string} code @returns {Shown[]} */
const shownNow = (code) => shownOf(facilities.get(code) ?? [], changesNow(), code);
/** @param {Change} change */
const describe = (change) => described(change, (code) => shownOf(facilities.get(code) ?? [], settled().changes.includes(change) ? settled().changes : [change], code), wordOf);

// ---- asking

let again = 0;
/** @type {HTMLElement | null} */
let offline = null;
/** @type {number[]} milliseconds from the pointer's move to the repainted map */
const latencies = [];
let painted = new Map();
/** Whether the last answer changed a colour of the map, so that it is drawn again. */
let isRepainted = false;

const pump = makePump({
  ask: async (/** @type {Asked} */ { doc }, signal) => (await api("POST", `cities/${config.city}/what-if`, { body: { question: doc.question, changes: doc.changes, since: answer.since }, signal })).body,
  take: (/** @type {Answer} */ found, { moved_at }) => {
    if (found.base) {
      base = found.base;
      showThreshold();
    }
    answer = found;
    clearTimeout(again);
    offline?.remove();
    offline = null;
    part("status").classList.remove("is-wrong");
    render();
    if (moved_at !== null) measure(moved_at);
  },
  fail: (error) => {
    const isOffline = error instanceof ApiError && (error.status === 0 || error.status >= 500);
    if (isOffline) {
      offline ??= notice(say("offline"), "wrong", [[say("retry"), () => {
        offline = null;
        ask();
      }]]);
      clearTimeout(again);
      again = window.setTimeout(ask, AGAIN_MS);
    } else notice(`${say("failed")} ${error instanceof Error ? error.message : ""}`, "wrong");
  },
  tell: (isUnderWay) => {
    part("status").textContent = isUnderWay && !live ? say("computing") : "";
    part("map-pane").setAttribute("aria-busy", String(isUnderWay));
    if (!isUnderWay) part("what-if").dataset.answered = String(Number(part("what-if").dataset.answered ?? 0) + 1);
  },
});
addEventListener("online", () => offline && ask());

/** @param {{moved_at?: number | null, isOther?: boolean}} [how] */
function ask({ moved_at = null, isOther = false } = {}) {
  pump.push({ doc: { changes: changesNow(), question: settled().question }, moved_at }, { isOther });
}

/**
 * Measure how long it took from the pointer's move to the frame that shows its answer.
 * @param {number} moved_at
 */
function measure(moved_at) {
  const tell = () => {
    performance.measure("what-if", { start: moved_at, end: performance.now() });
    latencies.push(performance.now() - moved_at);
    const sorted = [...latencies].sort((a, b) => a - b);
    Object.assign(part("what-if").dataset, {
      latencies: String(latencies.length),
      latencyMedianMs: sorted[Math.floor(sorted.length / 2)].toFixed(1),
      latencyLastMs: latencies[latencies.length - 1].toFixed(1),
      serverMs: String(answer.server_ms),
    });
  };
  if (map && isRepainted) map.live.once("render", () => requestAnimationFrame(tell));
  else requestAnimationFrame(tell);
}

// ---- taking changes

/**
 * Take a document as one step; steps of one gesture are one.
 * @param {Partial<Doc>} part_
 * @param {string} label
 * @param {{gesture?: string, isOther?: boolean}} [how]
 */
function commit(part_, label, { gesture, isOther = false } = {}) {
  const next = { ...settled(), ...part_ };
  live = null;
  if (next.changes.length > MOST_CHANGES) {
    notice(say("tooMany", { n: MOST_CHANGES }), "wrong");
    render();
    return;
  }
  steps = record(steps, next, label, gesture);
  after({ isOther });
}

/** @param {{isOther?: boolean}} [how] */
function after({ isOther = false } = {}) {
  if (chosen && !shownNow(service).some(({ key }) => key === chosen)) chosen = null;
  keep();
  showControls();
  render();
  ask({ isOther });
}

const isUnsaved = () => !isSame(settled().changes, saved.changes) || JSON.stringify(settled().question) !== JSON.stringify(saved.question) || saver.isEdited();

function keep() {
  const id = saver.open?.id ?? null;
  const state = isUnsaved();
  part("scenario-state").textContent = saver.open ? (state ? say("unsaved") : say("savedVersion", { n: count(saver.open.version) })) : "";
  if (state) keeper.keep(id, { ...settled(), ...saver.said, version: saver.open?.version ?? null });
  else keeper.forget(id);
}

/** @param {number} way */
function step(way) {
  const before = settled();
  steps = way < 0 ? undo(steps) : redo(steps);
  if (settled() === before) return;
  live = null;
  after({ isOther: JSON.stringify(settled().question) !== JSON.stringify(before.question) });
}

// ---- showing

function render() {
  const places = Object.keys(base.places).map((code) => ({ code, now: placeNow(base, answer, code, service) }));
  const { bounds } = config.classes[show];
  const classes = new Map(places.map(({ code, now }) => [code, classOf(shownValue(now, show), bounds)]));
  paint(classes);
  showFinding();
  showEffects(effectsOf(base, answer, service, { byRank: show === "priority" }), config.urls.city);
  showLegend(classes);
  drawFacilities();
  part("warnings").replaceChildren(...answer.warnings.map((text) => make("li", {}, text)), ...idleStreets(), ...idleCapacity());
  if (live) return;
  showChanges(settled().changes, describe, remove, point, asks());
  showCard(shownNow(service).find(({ key }) => key === chosen) ?? null, wordOf(service), mostCapacity());
  listFacilities();
}

/** @param {Map<string, number>} classes */
function paint(classes) {
  const changed = [...classes].filter(([code, index]) => painted.get(code) !== index);
  isRepainted = changed.length > 0;
  for (const [code, index] of map ? changed : []) map?.live.setFeatureState({ source: "places", sourceLayer: "places", id: code }, { class: index });
  painted = classes;
  if (map && live) return; // the drawing below the live map is for print: it is coloured when the drag ends
  for (const path of document.querySelectorAll(".map-pane .outline-map [data-code]")) {
    const index = classes.get(path.getAttribute("data-code") ?? "");
    if (index !== undefined) path.setAttribute("class", `${path.classList.contains("settlement") ? "settlement " : ""}${cssOf(index)}`);
  }
}

/** @param {number} index */
function cssOf(index) {
  if (index < 0) return "c-none";
  if (show === "change") return `c-change-${index}`;
  const n = config.classes[show].colours.length;
  return `c-${show === "priority" ? "priority" : "deficit"}-${n === 1 ? 4 : Math.round((index * 4) / (n - 1))}`;
}

/** Colour by another measure. */
function recolour() {
  if (map) {
    const results = [...painted].map(([code, index]) => ({ code, name: base.places[code].name, kind: base.places[code].kind, class: index }));
    map.colour({ places: results, legend: { colours: config.classes[show].colours } });
  }
  for (const legend of document.querySelectorAll("[data-legend]")) if (legend instanceof HTMLElement) legend.hidden = legend.dataset.legend !== show;
}

/** The limit with which what is seen is compared. */
const own_m = () => base.services.find(({ code }) => code === service)?.threshold_m ?? config.services[service].standard;

/** @returns {number} */
const threshold_m = () => settled().question.thresholds_m?.[service] ?? own_m();

/** @returns {number | undefined} places that 1,000 people need, where capacity counts */
const need = () => settled().question.needs_per_1000?.[service];

/** Up to where the slider of a capacity goes: twice what the largest facility of the service has today. */
const mostCapacity = () => 2 * Math.max(50, ...(facilities.get(service) ?? []).map(({ capacity }) => capacity ?? 0));

/** @param {number} m */
const limit = (m) => (base.is_time ? `${metres(m)} (${say("minutes", { n: count(m / LEVEL_M_PER_MIN, m < 500 ? 1 : 0) })})` : metres(m));

function finding() {
  const now = answer.totals[service];
  const was = base.totals[service];
  const [gained, lost] = [Math.round(now?.gained ?? 0), Math.round(now?.lost ?? 0)];
  const word = need() === undefined ? wordOf(service) : say("withRoom", { service: wordOf(service) });
  const words = { service: word, distance: limit(threshold_m()), own: limit(own_m()), gained: count(gained), lost: count(lost), city: config.name, people: count(was?.uncovered_people), share: percent(was?.uncovered_share ?? null, config.language) };
  if (threshold_m() !== own_m()) return say(gained && lost ? "findingLimit" : gained ? "findingLimitGain" : lost ? "findingLimitLoss" : "findingSame", words);
  const isAsIs = changesNow().length === 0;
  const ranked = Object.entries(answer.places).filter(([code, { rank }]) => rank !== base.places[code].rank).length;
  if (isAsIs && Object.keys(settled().question.weights ?? {}).length) return say("findingRanks", { n: ranked });
  return say(isAsIs ? "findingAsIs" : gained && lost ? "findingBoth" : gained ? "findingGain" : lost ? "findingLoss" : "findingSame", words);
}

function showFinding() {
  part("finding").textContent = finding();
  hint();
  const [now, was] = [answer.totals[service] ?? base.totals[service], base.totals[service]];
  const way = [.../** @type {HTMLSelectElement} */ (part("travel")).options].find(({ value }) => value === base.travel);
  part("basis").textContent = say("basis", { travel: way?.text ?? base.travel, people: base.population_name });
  const words = { after: count(now?.uncovered_people), before: count(was?.uncovered_people), share: percent(now?.uncovered_share ?? null, config.language) };
  part("totals").textContent = changesNow().length || threshold_m() !== own_m() ? say("total", words) : "";
  Object.assign(part("what-if").dataset, { uncovered: String(now?.uncovered_people ?? ""), uncoveredToday: String(was?.uncovered_people ?? "") });
}

/** @param {Map<string, number>} classes */
function showLegend(classes) {
  const found = byClass(base, classes);
  for (const row of document.querySelectorAll(`[data-legend="${show}"] [data-class]`)) {
    const { people, places } = found.get(Number(row.getAttribute("data-class"))) ?? { people: 0, places: 0 };
    const text = row.querySelector(".people");
    if (text) text.textContent = `${say("people", { n: count(people) })} · ${say("places", { n: places })}`;
  }
}

function drawFacilities() {
  // Pipes and cables are lines of thousands of parts: they are drawn as lines, and chosen from the list where one is to be closed.
  const isNet = config.services[service].kind === "utility";
  map?.showFacilities(isNet && drawn ? service : null, isNet ? (base.services.find(({ code }) => code === service)?.layer ?? null) : null);
  drawn?.facilities(isNet ? shownNow(service).filter(({ key, state }) => state !== "stays" || key === chosen) : shownNow(service), chosen);
  drawn?.streets(/** @type {StreetDrawn[]} */ (changesNow().filter(({ type }) => type === "street-drawn")));
}

function listFacilities() {
  showFacilities(shownNow(service), { chosen, word: wordOf(service), text: input("find").value, choose: (key) => choose(key, { isPanned: true }) });
}

function idleStreets() {
  if (base.travel !== "straight" || !changesNow().some(({ type }) => type === "street-drawn")) return [];
  if (!config.travels.includes("streets")) return [];
  return [make("li", {}, make("button", { type: "button", className: "link", onclick: () => travel("streets") }, say("measureStreets")))];
}

/** A capacity that was changed, and is not counted. */
function idleCapacity() {
  if (need() !== undefined || perPerson() === null || !changesNow().some((change) => change.type === "capacity-changed" || (change.type === "facility-added" && change.capacity))) return [];
  return [make("li", {}, make("button", { type: "button", className: "link", onclick: countCapacity }, say("needCount")))];
}

/** @returns {number | null} places of the service for 1,000 people of the city today; null where no capacity is known */
function perPerson() {
  if (config.services[service].kind === "utility") return null;
  const known = (facilities.get(service) ?? []).filter(({ capacity }) => capacity !== null);
  const people = totalPeople(base);
  const places = known.reduce((sum, { capacity }) => sum + (capacity ?? 0), 0);
  return places > 0 && people > 0 ? Number(((places / people) * 1000).toPrecision(3)) : null;
}

/** Let capacity count, with as many places for each person as there are today. */
function countCapacity() {
  takeNeed(perPerson());
  /** @type {HTMLDetailsElement} */ (part("need-section")).open = true;
  input("need").focus();
}

/** @param {number | null} value */
function takeNeed(value) {
  const { [service]: _before, ...others } = settled().question.needs_per_1000 ?? {};
  const needs_per_1000 = value === null ? others : { ...others, [service]: value };
  commit({ question: pruned({ ...settled().question, needs_per_1000 }) }, say("need", { n: value === null ? "–" : number(value) }), { isOther: true });
}

/** Write a number as it is, to three decimals at most. @param {number} value */
const number = (value) => count(value, Number.isInteger(value) ? 0 : value < 1 ? 3 : 1);

/** Leave out of a question what says nothing. @param {Record<string, any>} question @returns {Record<string, any>} */
const pruned = (question) => Object.fromEntries(Object.entries(question).filter(([, value]) => typeof value !== "object" || Object.keys(value).length > 0));

function showNeed() {
  const [now, today] = [need(), perPerson()];
  const isNet = config.services[service].kind === "utility";
  const field = input("need");
  field.disabled = isNet || (today === null && facilities.has(service));
  if (document.activeElement !== field) field.value = now === undefined ? "" : String(now);
  part("need-text").textContent = now === undefined ? "" : say("need", { n: number(now) });
  part("need-state").textContent = isNet ? say("needNot") : field.disabled ? say("needNone") : "";
  part("need-state").classList.remove("is-wrong");
  const as = part("need-today");
  as.hidden = today === null || now === today;
  if (today !== null) as.textContent = say("needToday", { n: number(today) });
  const standard = config.services[service].need;
  const after = part("need-standard");
  after.hidden = field.disabled || !standard?.n || now === standard.n;
  if (standard) {
    after.textContent = say("needStandard", { n: number(standard.n) });
    after.title = standard.source;
  }
  part("need-off").hidden = now === undefined;
}

function showWeights() {
  let isOwn = true;
  for (const slider of document.querySelectorAll('#weights input[type="range"]')) {
    if (!(slider instanceof HTMLInputElement)) continue;
    const own = base.services.find(({ code }) => `weight-${code}` === slider.name)?.weight ?? 1;
    const value = settled().question.weights?.[slider.name.slice(7)] ?? own;
    isOwn &&= value === own;
    slider.value = String(value);
    const text = weightText(value, config.language);
    slider.setAttribute("aria-valuetext", text);
    const output = slider.parentElement?.querySelector("output");
    if (output) output.textContent = text;
  }
  part("weights-text").textContent = isOwn ? ownWeights : say("weightsOwn");
}

function showThreshold() {
  const slider = input("threshold");
  const { low, high, step: by } = config.services[service];
  slider.min = String(low);
  slider.max = String(Math.max(high, threshold_m()));
  slider.step = String(by);
  slider.value = String(threshold_m());
  tellThreshold(threshold_m());
}

/** @param {number} m */
function tellThreshold(m) {
  part("threshold-text").textContent = limit(m);
  input("threshold").setAttribute("aria-valuetext", limit(m));
}

/** Bring the controls in step with the document. */
function showControls() {
  const travelNow = settled().question.travel || config.answer.base.travel;
  /** @type {HTMLSelectElement} */ (part("travel")).value = travelNow;
  const people = /** @type {HTMLSelectElement | null} */ (document.getElementById("population"));
  if (people) people.value = settled().question.population || config.answer.base.population;
  showWeights();
  showNeed();
  showThreshold();
  for (const [id, can, label, none] of /** @type {const} */ ([["undo", canUndo(steps), undoLabel(steps), "undoNone"], ["redo", canRedo(steps), redoLabel(steps), "redoNone"]])) {
    const button = /** @type {HTMLButtonElement} */ (part(id));
    button.disabled = !can;
    button.title = can ? say(id, { what: label ?? "" }) : say(none);
  }
}

/** @param {string} text */
function announce(text) {
  part("announcer").textContent = text;
}

// ---- choosing

/**
 * @param {string | null} key
 * @param {{isPanned?: boolean}} [how]
 */
function choose(key, { isPanned = false } = {}) {
  chosen = key;
  const one = shownNow(service).find((found) => found.key === key) ?? null;
  showCard(one, wordOf(service), mostCapacity());
  listFacilities();
  drawFacilities();
  if (!one) return;
  announce(say("selected", { name: nameOf(one, wordOf(service)) }));
  if (isPanned) {
    pan(one.at);
    part("card-name").focus({ preventScroll: true });
    part("card").scrollIntoView({ block: "nearest" });
  }
}

/** @param {At} at */
function pan(at) {
  if (!map) return;
  const { x, y } = map.live.project(at);
  const pane = part("map");
  if (x < 40 || y < 40 || x > pane.clientWidth - 40 || y > pane.clientHeight - 40) map.live.easeTo({ center: at, duration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 300 });
}

/**
 * What is asked otherwise than the city does, each with what takes it back: limits, weights, whether capacity counts.
 * @returns {{text: string, back: () => void}[]}
 */
function asks() {
  const { question } = settled();
  /** @param {"thresholds_m" | "weights" | "needs_per_1000"} name @param {(word: string, value: number) => string} write */
  const rows = (name, write) =>
    Object.entries(/** @type {Record<string, number>} */ (question[name] ?? {})).map(([code, value]) => {
      const text = write(wordOf(code), value);
      const { [code]: _dropped, ...others } = question[name];
      return { text, back: () => commit({ question: pruned({ ...question, [name]: others }) }, say("removeThis", { what: text })) };
    });
  return [
    ...rows("thresholds_m", (service_, value) => say("limitOf", { service: service_, distance: limit(value) })),
    ...rows("weights", (service_, value) => say("weight", { service: service_, n: weightText(value, config.language) })),
    ...rows("needs_per_1000", (service_, value) => say("needOf", { service: service_, n: number(value) })),
  ];
}

/** @param {number} index */
function point(index) {
  const change = settled().changes[index];
  if (change.type === "street-drawn") pan(change.coordinates[Math.floor(change.coordinates.length / 2)]);
  else if (change.service !== service) void takeService(change.service).then(() => choose(change.type === "facility-added" ? `+${change.id}` : `#${change.number}`, { isPanned: true }));
  else choose(change.type === "facility-added" ? `+${change.id}` : `#${change.number}`, { isPanned: true });
}

/** @param {number} index */
function remove(index) {
  commit({ changes: without(settled().changes, index) }, say("removeThis", { what: describe(settled().changes[index]) }));
}

// ---- tools

/** @param {"move" | "add" | "draw"} next */
function take(next) {
  tool = next;
  part("what-if").dataset.tool = tool;
  for (const button of document.querySelectorAll("#tools [data-tool]")) button.setAttribute("aria-pressed", String(button.getAttribute("data-tool") === tool));
  part("sketch").hidden = part("crosshair").hidden = tool === "move";
  part("street-kind-label").hidden = part("finish").hidden = tool !== "draw";
  drawn?.letTake(tool === "move");
  setSketch([]);
  hint();
}

function hint() {
  // On a phone the sentence has scrolled away when the map is in view: it stands on the map too.
  const isBelow = matchMedia("(max-width: 48rem)").matches;
  const text = tool === "add" ? say("hintAdd") : tool === "draw" ? say("hintDraw") : !changesNow().length ? say("hintMove") : isBelow ? finding() : "";
  part("hint").textContent = text;
  part("hint").hidden = !text;
}

/** @param {At[]} line */
function setSketch(line) {
  sketch = line;
  /** @type {HTMLButtonElement} */ (part("finish")).disabled = sketch.length < 2;
  drawn?.sketch(sketch);
}

/** @param {At} at */
function press(at) {
  if (tool === "add") {
    const { changes, key } = added(settled().changes, service, at);
    commit({ changes }, say("added", { name: say("newOne", { service: wordOf(service), n: shownOf([], changes, service).length }) }));
    take("move");
    choose(key);
  } else if (tool === "draw" && sketch.length < MOST_POSITIONS) setSketch([...sketch, at]);
  else if (tool === "move") choose(null);
}

function finish() {
  const line = sketch.filter((at, i) => i === 0 || at[0] !== sketch[i - 1][0] || at[1] !== sketch[i - 1][1]);
  if (line.length < 2) return;
  const kind = /** @type {StreetKind} */ (/** @type {HTMLSelectElement} */ (part("street-kind")).value);
  const changes = withStreet(settled().changes, kind, line);
  commit({ changes }, describe(changes[changes.length - 1]));
  take("move");
}

/** @param {At} at @param {string} key @param {{gesture?: string}} [how] */
function put(key, at, { gesture } = {}) {
  const changes = moved(settled().changes, service, key, at);
  const change = changes.find((one) => !settled().changes.includes(one)) ?? changes[changes.length - 1];
  commit({ changes }, described(change, (code) => shownOf(facilities.get(code) ?? [], changes, code), wordOf), { gesture });
}

// ---- services, limits, ways of travel

/** @param {string} code */
async function fetchFacilities(code) {
  if (facilities.has(code)) return;
  try {
    const { body } = await api("GET", `cities/${config.city}/facilities?service=${encodeURIComponent(code)}`);
    facilities.set(code, body.facilities);
  } catch (error) {
    notice(`${say("failed")} ${error instanceof Error ? error.message : ""}`, "wrong", [[say("retry"), () => void fetchFacilities(code).then(render)]]);
  }
}

/** @param {string} code */
async function takeService(code) {
  service = code;
  chosen = null;
  /** @type {HTMLSelectElement} */ (part("service")).value = code;
  writeAddress();
  const title = document.querySelector(".classes.marks li span:last-child");
  if (title) title.textContent = config.services[code].name;
  showThreshold();
  showNeed();
  render();
  await fetchFacilities(code);
  showNeed();
  render();
}

function writeAddress() {
  const address = new URL(location.href);
  address.searchParams.set("service", service);
  address.searchParams.set("show", show);
  history.replaceState(null, "", address);
}

/** @param {string} code */
function travel(code) {
  commit({ question: { ...settled().question, travel: code } }, `${part("travel").parentElement?.querySelector("span")?.textContent ?? ""}: ${code}`, { isOther: true });
}

// ---- wiring

const saver = makeSaver({
  api,
  city: config.city,
  urls: config.urls,
  scenario: config.scenario,
  content: settled,
  take: ({ question, changes }) => commit({ question, changes }, say("changesN", { n: changes.length }), { isOther: true }),
  onSaved: (scenario, before, sent) => {
    saved = sent;
    keeper.forget(before);
    keeper.forget(scenario.id);
    keep();
  },
  onEdit: () => keep(),
  describe,
});

part("service").addEventListener("change", (event) => void takeService(/** @type {HTMLSelectElement} */ (event.target).value));
part("travel").addEventListener("change", (event) => travel(/** @type {HTMLSelectElement} */ (event.target).value));
document.getElementById("population")?.addEventListener("change", (event) => {
  const { value, selectedOptions } = /** @type {HTMLSelectElement} */ (event.target);
  commit({ question: { ...settled().question, population: value } }, say("population", { name: selectedOptions[0].text }), { isOther: true });
});
for (const type of ["pointerdown", "focusout"]) part("weights").addEventListener(type, () => (gestures += 1));
part("weights").addEventListener("input", (event) => {
  const { name, valueAsNumber } = /** @type {HTMLInputElement} */ (event.target);
  const code = name.slice(7);
  const { [code]: _before, ...others } = settled().question.weights ?? {};
  const own = base.services.find((one) => one.code === code)?.weight;
  const weights = valueAsNumber === own ? others : { ...others, [code]: valueAsNumber };
  const label = say("weight", { service: wordOf(code), n: weightText(valueAsNumber, config.language) });
  commit({ question: pruned({ ...settled().question, weights }) }, label, { gesture: `${name} ${gestures}` });
});
part("need").addEventListener("change", () => {
  const text = input("need").value.trim();
  const value = text === "" ? null : readNumber(text);
  const isWrong = value !== null && !(Number.isFinite(value) && value >= 0.001 && value <= 100000);
  part("need-state").classList.toggle("is-wrong", isWrong);
  part("need-state").textContent = isWrong ? say("needBad") : "";
  if (!isWrong && value !== (need() ?? null)) takeNeed(value);
});
part("need-today").addEventListener("click", () => takeNeed(perPerson()));
part("need-standard").addEventListener("click", () => takeNeed(config.services[service].need?.n ?? null));
part("need-off").addEventListener("click", () => takeNeed(null));
part("threshold").addEventListener("pointerdown", () => (gestures += 1));
part("threshold").addEventListener("input", () => {
  const m = input("threshold").valueAsNumber;
  tellThreshold(m);
  const { [service]: _before, ...others } = settled().question.thresholds_m ?? {};
  const question = pruned({ ...settled().question, thresholds_m: m === own_m() ? others : { ...others, [service]: m } });
  commit({ question }, `${document.querySelector('label[for="threshold"]')?.textContent ?? ""}: ${metres(m)}`, { gesture: `threshold ${service} ${gestures}` });
});
part("threshold").addEventListener("focusout", () => (gestures += 1));
part("shows").addEventListener("change", (event) => {
  show = /** @type {Show} */ (/** @type {HTMLInputElement} */ (event.target).value);
  writeAddress();
  render();
  recolour();
});
part("question").addEventListener("submit", (event) => event.preventDefault());
for (const button of document.querySelectorAll("#tools [data-tool]")) button.addEventListener("click", () => take(/** @type {any} */ (button.getAttribute("data-tool"))));
part("undo").addEventListener("click", () => step(-1));
part("redo").addEventListener("click", () => step(1));
part("finish").addEventListener("click", finish);
part("cancel").addEventListener("click", () => take("move"));
part("at-middle").addEventListener("click", () => drawn && press(drawn.middle()));
part("find").addEventListener("input", listFacilities);
document.addEventListener("whole", render);
part("card-close").addEventListener("click", () => choose(null));
part("close-it").addEventListener("click", () => {
  const one = shownNow(service).find(({ key }) => key === chosen);
  if (!one) return;
  const name = nameOf(one, wordOf(service));
  if (one.state === "closed") commit({ changes: putBack(settled().changes, service, one.key, "facility-closed") }, say("removeThis", { what: say("closed", { name }) }));
  else commit({ changes: closed(settled().changes, service, one.key) }, one.state === "added" ? say("removeThis", { what: say("added", { name }) }) : say("closed", { name }));
});
part("put-back").addEventListener("click", () => {
  if (chosen) commit({ changes: putBack(settled().changes, service, chosen, "facility-moved") }, say("putBack"));
});
const capacityHelp = part("capacity-help").textContent;
const setCapacity = () => {
  const one = shownNow(service).find(({ key }) => key === chosen);
  const text = input("capacity").value.replaceAll("٬", "").replace(/,(?=\d{3}\b)/g, "");
  const value = text.trim() === "" ? null : readNumber(text);
  const isWrong = value !== null && (!Number.isFinite(value) || value < 0);
  part("capacity-help").classList.toggle("is-wrong", isWrong);
  part("capacity-help").textContent = isWrong ? say("capacityBad") : capacityHelp;
  if (!one || isWrong || value === one.capacity) return;
  commit({ changes: withCapacity(settled().changes, service, one.key, value) }, say("capacity", { name: nameOf(one, wordOf(service)), n: count(value) }));
};
part("capacity-set").addEventListener("click", setCapacity);
for (const type of ["pointerdown", "focusout"]) part("capacity-slide").addEventListener(type, () => (gestures += 1));
part("capacity-slide").addEventListener("input", () => {
  const one = shownNow(service).find(({ key }) => key === chosen);
  const value = input("capacity-slide").valueAsNumber;
  if (!one || value === one.capacity) return;
  const label = say("capacity", { name: nameOf(one, wordOf(service)), n: count(value) });
  commit({ changes: withCapacity(settled().changes, service, one.key, value) }, label, { gesture: `capacity ${one.key} ${gestures}` });
});
part("capacity").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  setCapacity();
});

let burst = 0;
part("mover").addEventListener("keydown", (event) => {
  const way = /** @type {Record<string, [number, number]>} */ ({ ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] })[event.key];
  const one = shownNow(service).find(({ key }) => key === chosen);
  if (!way || !one || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const by_m = event.shiftKey ? 100 : 10;
  const at = shifted(one.at, way[0] * by_m, way[1] * by_m);
  put(one.key, at, { gesture: `keys ${one.key} ${gestures}` });
  pan(at);
  clearTimeout(burst);
  burst = window.setTimeout(() => announce(finding()), 800);
});
part("mover").addEventListener("blur", () => (gestures += 1));
document.addEventListener("keydown", (event) => {
  const isText = event.target instanceof HTMLElement && /^(TEXTAREA|SELECT)$/.test(event.target.tagName);
  const isTyped = event.target instanceof HTMLInputElement && !/^(radio|range|checkbox)$/.test(event.target.type);
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") {
    if (tool !== "move") take("move");
    else if (chosen) choose(null);
  }
  if (isText || isTyped) return;
  if (event.key === "Enter" && tool === "draw" && !(event.target instanceof HTMLButtonElement)) finish();
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "z" || key === "ظ" || key === "y" || key === "غ") {
    event.preventDefault();
    step(key === "y" || key === "غ" || event.shiftKey ? 1 : -1);
  }
});

// ---- the map, last, so that everything else already works

async function startMap() {
  try {
    const [{ canDraw, makeMap }, { drawOn }] = await Promise.all([import("../citymap.js"), import("./drawing.js")]);
    if (!canDraw()) throw new Error("no WebGL");
    const results = Object.entries(base.places).map(([code, { name, kind }]) => ({ code, name, kind, class: -1 }));
    const words = { ...part("words").dataset };
    const made = makeMap({
      container: part("map"),
      scaleBar: part("scale-bar"),
      key: part("key"),
      config: { ...config, colours: config.classes[show].colours },
      results: { places: results, legend: { colours: config.classes[show].colours } },
      words,
      onHover: tip,
      onChoose: () => {},
      onReady: () => {
        map = made; // until here answers are shown in the table alone
        const { live: liveMap } = made;
        drawn = drawOn({
          live: liveMap,
          onTake: (key) => choose(key),
          onDrag: (key, at, moved_at) => {
            live = moved(settled().changes, service, key, at);
            drawFacilities();
            ask({ moved_at });
          },
          onDrop: (key, at) => {
            const wasLive = live !== null;
            live = null;
            if (at) {
              put(key, at);
              setTimeout(() => announce(finding()), 600);
            } else if (wasLive) {
              render();
              ask();
            }
            hint();
          },
          onPress: press,
          onDouble: () => tool === "draw" && finish(),
        });
        drawn.letTake(tool === "move");
        painted = new Map();
        render();
        recolour();
        tellView();
        liveMap.on("moveend", tellView);
        part("what-if").dataset.ready = "true";
      },
    });
  } catch (error) {
    console.info("The live map could not start:", error);
    part("map-failed").hidden = false;
    part("what-if").dataset.ready = "true";
  }
}

function tellView() {
  if (!map) return;
  const { lng, lat } = map.live.getCenter();
  part("map").dataset.view = `${map.live.getZoom().toFixed(4)}/${lat.toFixed(7)}/${lng.toFixed(7)}`;
}

/**
 * @param {string | null} code
 * @param {{x: number, y: number} | null} at
 */
function tip(code, at) {
  const box = part("tip");
  box.hidden = !code || !at || !base.places[code] || drawn?.isHolding() === true;
  if (box.hidden || !code || !at) return;
  const now = placeNow(base, answer, code, service);
  const share = percent(now.share, config.language);
  const text = show === "priority" ? `${count(now.score, 1)} · ${count(now.rank)}` : now.share === now.before ? share : say("ranks", { before: percent(now.before, config.language), after: share });
  box.replaceChildren(make("b", {}, base.places[code].name), isolate(text));
  const pane = part("map-pane").getBoundingClientRect();
  const x = Math.min(at.x + 14, pane.width - box.offsetWidth - 8);
  const y = at.y + 18 + box.offsetHeight > pane.height ? at.y - box.offsetHeight - 10 : at.y + 18;
  box.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
}

function begun() {
  for (const id of ["tools", "changes-section", "facilities-section"]) part(id).hidden = false;
  document.getElementById("server-warnings")?.replaceChildren();
  const work = keeper.found(saver.open?.id ?? null);
  if (work) {
    const before = { said: saver.said, version: saver.open?.version ?? null };
    saver.write(work);
    saver.basedOn(work.version);
    steps = record(steps, { changes: work.changes, question: work.question }, say("changesN", { n: work.changes.length }));
    notice(say("putBackWork"), "plain", [[say("dropWork"), () => {
      saver.write(before.said);
      saver.basedOn(before.version);
      commit(saved, say("dropWork"), { isOther: true });
    }]]);
    ask();
  }
  const wanted = new Set([service, ...settled().changes.flatMap((change) => (change.type === "street-drawn" ? [] : [change.service]))]);
  void Promise.all([...wanted].filter((code) => config.services[code]).map(fetchFacilities)).then(() => {
    showNeed();
    render();
  });
  keep();
  showControls();
  showThreshold();
  render();
  hint();
}

begun();
void startMap();
