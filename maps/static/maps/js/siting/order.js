// @ts-check
/**
 * A plan on its way: the server is asked how far it is, and what it found takes the place of this page.
 *
 * @typedef {{is_open: boolean, step: string, done: number, of: number, address: string}} State
 */

import { FIRST_MS, nextWait } from "../imports/waiting.js";

const waiting = document.getElementById("waiting");
const bar = document.getElementById("bar");
const step = document.getElementById("step");
let wait_ms = FIRST_MS;
let before = "";

/** @param {State} state */
function show(state) {
  if (step && step.textContent !== state.step) step.textContent = state.step;
  if (!(bar instanceof HTMLProgressElement)) return;
  if (state.of) bar.value = state.done / state.of;
  else bar.removeAttribute("value");
}

async function look() {
  /** @type {"moved" | "still" | "away"} */
  let answer = "away";
  try {
    const response = await fetch(waiting?.dataset.at ?? "", { headers: { Accept: "application/json" } });
    if (response.status === 401 || response.status === 404 || response.redirected) return location.reload();
    if (!response.ok) throw new Error(String(response.status));
    /** @type {State} */
    const state = await response.json();
    if (!state.is_open) return location.replace(state.address);
    const told = JSON.stringify(state);
    answer = told === before ? "still" : "moved";
    before = told;
    show(state);
  } catch {
    // Asked again, ever more rarely.
  }
  wait_ms = nextWait(wait_ms, answer);
  setTimeout(look, wait_ms);
}

if (waiting) setTimeout(look, FIRST_MS);
