// @ts-check
/**
 * A layer's page in motion: the row in focus is shown on the map, what is clicked on the map is chosen in the table, and pages
 * of rows come without losing the map. Without this script the page has the same links and forms.
 *
 * @import { LayerConfig, LayerMap } from "./map.js";
 */

import { boxOf } from "./style.js";

/** @param {string} id */
function part(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no part “${id}”.`);
  return found;
}

/** @type {LayerConfig} */
const config = JSON.parse(part("layer-config").textContent ?? "{}");
const words = /** @type {Record<string, string>} */ ({ ...part("words").dataset });

/** @type {LayerMap | null} */
let map = null;
/** @type {AbortController | null} */
let asking = null;

const table = () => document.getElementById("rows");
/** @param {number} number @returns {HTMLElement | null} */
const rowOf = (number) => table()?.querySelector(`tr[data-number="${number}"]`) ?? null;
/** @param {EventTarget | null} target @returns {HTMLElement | null} */
const rowAround = (target) => (target instanceof Element ? target.closest("#rows tr[data-number]") : null);
/** @param {string} text */
const say = (text) => {
  const status = document.getElementById("rows-status");
  if (status) status.textContent = text;
};

/** @param {HTMLElement} row @param {boolean} moves whether the map goes there */
function choose(row, moves) {
  for (const other of table()?.querySelectorAll("tr.is-chosen") ?? []) other.classList.remove("is-chosen");
  row.classList.add("is-chosen");
  const box = boxOf(row.dataset.box);
  map?.choose(Number(row.dataset.number), [Number(row.dataset.lon), Number(row.dataset.lat)]);
  if (moves && box) map?.reveal(box);
}

/**
 * Fetch the table of an address of this page, and put it in; the address of the page follows.
 * @param {URL} address
 * @param {boolean} [isBack] whether the address is there already
 */
async function fetchTable(address, isBack = false) {
  asking?.abort();
  asking = new AbortController();
  const asked = new URL(address);
  asked.searchParams.set("part", "table");
  const before = part("rows-status").textContent ?? "";
  say(words.fetching ?? "");
  try {
    const response = await fetch(asked, { signal: asking.signal, headers: { Accept: "text/html" } });
    if (!response.ok) throw new Error(String(response.status));
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("rows");
    if (!fresh) throw new Error("no table");
    table()?.replaceWith(document.adoptNode(fresh));
    if (!isBack) history.pushState(null, "", address);
    return true;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return false;
    say(`${words.failed ?? ""} ${before}`);
    return false;
  }
}

/** @param {number} number */
async function chooseOnMap(number) {
  map?.choose(number);
  if (!table()) return;
  if (!rowOf(number)) {
    const address = new URL(config.urls.page, location.href);
    address.searchParams.set("row", String(number));
    if (!(await fetchTable(address))) return;
  }
  const row = rowOf(number);
  if (!row) return;
  choose(row, false);
  const link = row.querySelector("a");
  link?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  say(`${words.chosen ?? ""} ${link?.textContent ?? ""}`);
}

function listen() {
  document.addEventListener("focusin", (event) => {
    const row = rowAround(event.target);
    if (row) choose(row, true);
  });
  document.addEventListener("pointerover", (event) => {
    const row = rowAround(event.target);
    map?.hover(row ? Number(row.dataset.number) : null);
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button !== 0) return;
    const link = event.target instanceof Element ? event.target.closest("#rows thead a, #rows .pages a, #rows .found a") : null;
    if (link instanceof HTMLAnchorElement) {
      event.preventDefault();
      const address = new URL(link.href);
      const column = link.closest("thead") ? link.textContent : null;
      const rel = link.rel;
      void fetchTable(address).then((isThere) => {
        if (!isThere) return;
        const links = [...(table()?.querySelectorAll("a") ?? [])];
        const again = column ? links.find((one) => one.closest("thead") && one.textContent === column) : (links.find((one) => rel && one.rel === rel) ?? table()?.querySelector("tbody a"));
        if (again instanceof HTMLElement) again.focus({ preventScroll: Boolean(column) });
      });
      return;
    }
    const row = rowAround(event.target);
    if (row && !(event.target instanceof Element && event.target.closest("a"))) choose(row, true);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches(".row-search")) return;
    event.preventDefault();
    const address = new URL(form.action, location.href);
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && value) query.set(name, value);
    address.search = query.toString();
    void fetchTable(address).then((isThere) => {
      if (isThere) document.getElementById("row-q")?.focus({ preventScroll: true });
    });
  });
  window.addEventListener("popstate", () => {
    if (table()) void fetchTable(new URL(location.href), true);
  });
}

async function start() {
  const container = part("map");
  if (document.createElement("canvas").getContext("webgl2") === null) {
    part("map-failed").hidden = false;
    return;
  }
  try {
    const { makeMap } = await import("./map.js");
    map = makeMap({ container, scaleBar: part("scale-bar"), config, words, onChoose: (number) => void chooseOnMap(number) });
    const chosen = table()?.querySelector("tr.is-chosen");
    if (chosen instanceof HTMLElement) choose(chosen, true);
    else if (config.chosen !== null) map.choose(config.chosen, config.at ?? undefined);
  } catch (error) {
    part("map-failed").hidden = false;
    throw error;
  }
}

listen();
void start();
