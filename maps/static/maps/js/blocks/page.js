// @ts-check
/**
 * The page of a settlement's form: a live map, and paths that are edited on it with a count that follows every press.
 *
 * @import { BlocksMap, Drawn } from "./map.js"
 * @import { Edit } from "./editing.js"
 */

import { ApiError, makeApi } from "../api.js";
import { AskError, asker, fetchJson } from "../fetching.js";
import { distance, number } from "../numbers.js";
import { begun, difference, nearest, redone, replaced, toggled, undone } from "./editing.js";
import { searching } from "./searching.js";

const MOST_LISTED = 12;

/** @param {string} id */
function part(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no part “${id}”.`);
  return found;
}

const config = JSON.parse(part("blocks-config").textContent ?? "{}");
const words = /** @type {Record<string, string>} */ ({ ...part("words").dataset });
const language = config.language;
const api = makeApi({ base: config.urls.api, csrf: config.csrf, language });

/** @param {string} text @param {Record<string, string>} values */
const filled = (text, values) => text.replace(/%\((\w+)\)s/g, (whole, name) => values[name] ?? whole);

/** @type {Edit} */
let edit = begun(config.chosen);
const atFirst = new Set(edit.chosen);
/** @type {BlocksMap | null} */
let map = null;
/** @type {Drawn["pieces"]["features"]} */
let pieces = [];
/** @type {Set<string>} */
let loose = new Set();

const hasEditor = document.getElementById("edit") !== null;
const readout = document.getElementById("readout");

/** @param {string} name @param {string} text */
function read(name, text) {
  const found = readout?.querySelector(`[data-read="${name}"]`);
  if (found) found.textContent = text;
}

/** @param {number} before @param {number} after */
const change = (before, after) => (before === after ? number(after, language) : filled(words.change ?? "", { before: number(before, language), after: number(after, language) }));

/** @param {any} told */
function tell(told) {
  read("homes", change(config.before.homes_without_access, told.homes_without_access_after));
  read("k", change(config.before.k, told.k_after));
  read("length", filled(words.metres ?? "", { n: number(told.length_m, language) }));
  read("touched", number(told.homes_touched, language));
  read("cost", number(told.cost, language));
  const now = new Set(told.not_joined);
  for (const name of loose) if (!now.has(name)) map?.mark(name, "loose", false);
  for (const name of now) map?.mark(String(name), "loose", true);
  loose = /** @type {Set<string>} */ (now);
  part("readout-note").textContent = now.size ? filled(words.notJoined ?? "", { n: number(now.size, language) }) : "";
}

const count = asker({
  /** @param {string} body @param {AbortSignal} signal */
  async ask(body, signal) {
    try {
      return (await api("POST", config.urls.recount, { body: JSON.parse(body), signal })).body;
    } catch (error) {
      if (error instanceof ApiError && error.status) throw new AskError("refused", error.message);
      throw error;
    }
  },
  take: tell,
  fail(error) {
    part("readout-note").textContent = error.kind === "refused" ? error.message : (words.refused ?? "");
  },
  tell(isUnderWay) {
    readout?.setAttribute("aria-busy", String(isUnderWay));
  },
});

/** @param {Edit} next */
function change_(next) {
  const { added, gone } = difference(edit.chosen, next.chosen);
  edit = next;
  for (const name of added) map?.mark(name, "chosen", true);
  for (const name of gone) map?.mark(name, "chosen", false);
  show();
}

function show() {
  if (!hasEditor) return;
  /** @param {string} id @param {boolean} can */
  const enable = (id, can) => /** @type {HTMLButtonElement} */ (part(id)).toggleAttribute("disabled", !can);
  enable("undo", edit.past.length > 0);
  enable("redo", edit.future.length > 0);
  enable("reset", !(edit.chosen.size === atFirst.size && [...atFirst].every((name) => edit.chosen.has(name))));
  enable("clear", edit.chosen.size > 0);
  const field = document.getElementById("keep-pieces");
  if (field instanceof HTMLInputElement) field.value = [...edit.chosen].join(" ");
  for (const button of document.querySelectorAll("#reach-list button")) if (button instanceof HTMLElement) button.setAttribute("aria-pressed", String(edit.chosen.has(button.dataset.piece ?? "")));
  count(JSON.stringify({ pieces: [...edit.chosen], ...config.asked }));
}

/** @type {[number, number] | null} */
let middle = null;
/** @type {string | null} */
let focused = null;

/** @param {string | null} name */
function focus(name) {
  if (focused !== null) map?.mark(focused, "focus", false);
  if (name !== null) map?.mark(name, "focus", true);
  focused = name;
}

/** List the pieces around the middle of the map; what is focused stays, so that nobody loses the place. */
function list() {
  const shelf = /** @type {HTMLDetailsElement | null} */ (document.getElementById("reach"));
  if (!shelf?.open || !middle) return;
  const points = pieces.map((feature) => {
    const at = feature.geometry.coordinates[Math.floor(feature.geometry.coordinates.length / 2)];
    return { feature, lon: at[0], lat: at[1] };
  });
  const found = nearest(points, middle, MOST_LISTED);
  const kept = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.piece;
  part("reach-list").replaceChildren(
    ...found.map(({ feature, lon, lat }) => {
      const { name, m, homes, street } = feature.properties;
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.piece = name;
      button.dataset.at = `${lon},${lat}`;
      button.setAttribute("aria-pressed", String(edit.chosen.has(name)));
      const told = [filled(words.piece ?? "", { length: distance(m, language) }), ...(homes ? [filled(words.touches ?? "", { n: number(homes, language) })] : []), ...(street ? [words.joins ?? ""] : [])];
      button.textContent = told.join(" · ");
      const item = document.createElement("li");
      item.append(button);
      return item;
    }),
  );
  if (kept) /** @type {HTMLElement | null} */ (document.querySelector(`#reach-list [data-piece="${CSS.escape(kept)}"]`))?.focus();
}

function listen() {
  const on = (/** @type {string} */ id, /** @type {() => void} */ act) => document.getElementById(id)?.addEventListener("click", act);
  on("undo", () => change_(undone(edit)));
  on("redo", () => change_(redone(edit)));
  on("reset", () => change_(replaced(edit, atFirst)));
  on("clear", () => change_(replaced(edit, [])));
  document.getElementById("reach")?.addEventListener("toggle", list);
  const shelf = document.getElementById("reach-list");
  shelf?.addEventListener("click", (event) => {
    const name = event.target instanceof HTMLElement ? event.target.dataset.piece : undefined;
    if (name) change_(toggled(edit, name));
  });
  shelf?.addEventListener("focusin", (event) => focus(event.target instanceof HTMLElement ? (event.target.dataset.piece ?? null) : null));
  shelf?.addEventListener("focusout", () => focus(null));
  document.addEventListener("keydown", (event) => {
    const isField = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
    if (isField || event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    change_(event.shiftKey ? redone(edit) : undone(edit));
  });
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!(link instanceof HTMLAnchorElement)) return;
    if (link.dataset.block && map) {
      event.preventDefault();
      map.showBlock(Number(link.dataset.block));
      part("blocks-map").scrollIntoView({ block: "nearest" });
    }
    const from = link.dataset.from ? config.alternatives[link.dataset.from] : null;
    if (from) {
      event.preventDefault();
      change_(replaced(edit, from));
      const field = document.querySelector("#keep [name=begun_from]");
      if (field instanceof HTMLInputElement) field.value = link.dataset.from ?? "";
      for (const other of document.querySelectorAll("[data-from]")) other.classList.toggle("is-begun", other === link);
      part("edit").scrollIntoView({ block: "nearest" });
    }
  });
}

async function start() {
  searching();
  listen();
  show();
  const container = part("map");
  try {
    const { canDraw, makeMap } = await import("./map.js");
    if (!canDraw()) {
      part("map-failed").hidden = false;
      return;
    }
    part("map-busy").hidden = false;
    /** @type {Drawn} */
    const drawn = await fetchJson(config.urls.api + config.urls.map, new AbortController().signal);
    pieces = drawn.pieces.features;
    document.body.classList.add("has-live-map");
    map = makeMap({
      container,
      scaleBar: part("scale-bar"),
      config,
      words,
      drawn,
      onPress: (name) => hasEditor && change_(toggled(edit, name)),
      onMoved: (at) => {
        middle = at;
        list();
      },
    });
    for (const name of edit.chosen) map.mark(name, "chosen", true);
    for (const name of loose) map.mark(name, "loose", true);
  } catch (error) {
    part("map-failed").hidden = false;
    throw error;
  } finally {
    part("map-busy").hidden = true;
  }
}

void start();

export {};
