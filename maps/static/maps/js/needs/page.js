// @ts-check
/**
 * The page of one need: its map, and several photos sent one after the other.
 *
 * @import { Photo } from "./photos.js"
 */

import { ApiError, makeApi } from "../api.js";
import { filled, said } from "../imports/words.js";
import { number } from "../numbers.js";
import { uuid } from "../offline/ticket.js";
import { faultOf, photoPath } from "./photos.js";

const config = JSON.parse(document.getElementById("need-config")?.textContent ?? "{}");
const container = document.getElementById("map");
if (container) void withMap(container);
const form = /** @type {HTMLFormElement | null} */ (document.getElementById("photo-form"));
if (form) withPhotos(form);

/** @param {HTMLElement} of */
async function withMap(of) {
  const { canDraw, makeMap } = await import("./map.js");
  if (!canDraw()) return void (of.textContent = said().noMap ?? "");
  const map = makeMap(of, config.map, said(), null);
  map.show(config.geometry);
  map.goTo(config.geometry);
}

/** @param {HTMLFormElement} of */
function withPhotos(of) {
  const words = of.dataset;
  const input = /** @type {HTMLInputElement} */ (of.elements.namedItem("file"));
  const line = /** @type {HTMLElement} */ (document.getElementById("photo-said"));
  const api = makeApi({ base: config.api, csrf: config.csrf, language: config.language });
  /** @type {Photo[]} those chosen that have not arrived; sent again after a fault, each under its ticket */
  let waiting = [];
  input.multiple = true;
  input.addEventListener("change", () => {
    waiting = Array.from(input.files ?? [], (file) => ({ ticket: uuid(), file, name: file.name }));
    const faults = waiting.map((photo) => [photo, faultOf(photo.file, config.photo)]).filter(([, fault]) => fault);
    line.textContent = faults.map(([photo, fault]) => filled((fault === "type" ? words.type : words.size) ?? "", { name: /** @type {Photo} */ (photo).name })).join(" ");
    if (faults.length) [input.value, waiting] = ["", []];
  });
  of.addEventListener("submit", async (event) => {
    if (!waiting.length) return;
    event.preventDefault();
    const send = /** @type {HTMLButtonElement} */ (of.querySelector("button"));
    send.disabled = true;
    const told = { title: /** @type {HTMLInputElement} */ (of.elements.namedItem("title")).value, keepsLocation: /** @type {HTMLInputElement} */ (of.elements.namedItem("keeps_location")).checked };
    const all = waiting.length;
    try {
      while (waiting.length) {
        line.textContent = filled(words.sending ?? "", { n: number(all - waiting.length + 1, config.language), all: number(all, config.language) });
        await api("POST", photoPath(config.number, waiting[0], told), { body: waiting[0].file });
        waiting = waiting.slice(1);
      }
      location.reload();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      line.textContent = error.status ? `${waiting[0].name}: ${error.message}` : (words.unreachable ?? "");
      send.disabled = false;
    }
  });
}
