// @ts-check
/**
 * The page of an upload, kept true: while the worker is at it, the server is asked how far it is; what it found takes the place of the
 * progress. What a person has changed and not sent is never replaced.
 *
 * @typedef {{state: string, version: number, is_running: boolean, sentence: string, step: string, share: number | null}} State
 */

import { isChanged, tendForm } from "./plan.js";
import { FIRST_MS, nextWait } from "./waiting.js";
import { said } from "./words.js";

const words = said();
const IDLE_MS = 15_000;
let wait_ms = FIRST_MS;
let before = "";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

const page = () => /** @type {HTMLElement} */ (document.getElementById("upload"));
const announcer = document.getElementById("announcer");
const newer = document.getElementById("newer");

/** @param {string} text */
function announce(text) {
  if (announcer && announcer.textContent !== text) announcer.textContent = text;
}

/** @param {State} state */
function show(state) {
  const step = document.getElementById("step");
  const bar = document.getElementById("bar");
  if (step) step.textContent = state.step;
  const sentence = document.getElementById("sentence");
  if (sentence && sentence.textContent !== state.sentence) sentence.textContent = state.sentence;
  page().dataset.state = state.state;
  if (!(bar instanceof HTMLProgressElement)) return;
  if (state.share === null) bar.removeAttribute("value");
  else bar.value = state.share;
}

/** Put in what the page says now, and keep the reader where they are. */
async function renew() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(String(answer.status));
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = fresh.getElementById("upload");
  if (!now) throw new Error("no upload");
  const hadFocus = page().contains(document.activeElement);
  page().replaceWith(document.adoptNode(now));
  document.title = fresh.title;
  addStyles(fresh);
  begin();
  const sentence = document.getElementById("sentence");
  announce(sentence?.textContent ?? "");
  if (hadFocus) sentence?.focus();
}

/** @param {Document} fresh the page may need a style sheet that it had not before: that of the map */
function addStyles(fresh) {
  for (const link of fresh.querySelectorAll("link[rel=stylesheet]")) {
    const address = link.getAttribute("href") ?? "";
    if (!document.querySelector(`link[rel=stylesheet][href="${CSS.escape(address)}"]`)) document.head.append(document.adoptNode(link));
  }
}

async function look() {
  const { at, version, running } = page().dataset;
  if (!at) return;
  /** @type {"moved" | "still" | "away"} */
  let answer = "away";
  try {
    const response = await fetch(at, { headers: { Accept: "application/json" } });
    if (response.status === 401 || response.status === 404 || response.redirected) return location.reload();
    if (!response.ok) throw new Error(String(response.status));
    /** @type {State} */
    const state = await response.json();
    const told = JSON.stringify(state);
    answer = told === before ? "still" : "moved";
    before = told;
    if (String(state.version) !== version || Boolean(running) !== state.is_running) {
      if (isChanged() && newer) {
        newer.hidden = false;
        return; // the reader decides
      }
      await renew();
    } else if (state.is_running) show(state);
  } catch {
    const step = document.getElementById("step");
    if (step && running) step.textContent = words.offline ?? "";
  }
  wait_ms = nextWait(wait_ms, answer);
  later(page().dataset.running ? wait_ms : IDLE_MS);
}

/** @param {number} ms */
function later(ms) {
  clearTimeout(timer);
  if (["stored", "cancelled"].includes(page().dataset.state ?? "")) return;
  if (!document.hidden) timer = setTimeout(look, ms);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else later(FIRST_MS);
});

/** Wake what stands in the page now. */
function begin() {
  tendForm();
  const holder = document.getElementById("map");
  const config = document.getElementById("import-config");
  if (holder && config) void drawMap(holder, JSON.parse(config.textContent ?? "{}"));
}

/** @param {HTMLElement} holder @param {any} config */
async function drawMap(holder, config) {
  const { makeMap, canDraw } = await import("./map.js");
  if (!canDraw()) {
    holder.textContent = words.noMap ?? "";
    return;
  }
  const map = await makeMap(holder, config, words);
  document.getElementById("upload")?.addEventListener("click", (event) => {
    const place = event.target instanceof Element ? event.target.closest("button.place") : null;
    if (place instanceof HTMLElement) map.show(Number(place.dataset.lon), Number(place.dataset.lat));
  });
}

begin();
later(page().dataset.running ? FIRST_MS : IDLE_MS);
