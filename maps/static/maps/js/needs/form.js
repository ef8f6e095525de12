// @ts-check
/**
 * The form in which a need is reported or amended: it tells the indicator that a need would move, and takes photos.
 *
 * @import { Photo } from "./photos.js"
 * @import { Own } from "../offline/form.js"
 */

import { filled } from "../imports/words.js";
import { withForm } from "../offline/form.js";
import { uuid } from "../offline/ticket.js";
import { button } from "../offline/waiting.js";
import { need } from "./kind.js";
import { faultOf } from "./photos.js";

/** @param {string} id @returns {any} */
const the = (id) => document.getElementById(id);
const form = /** @type {HTMLFormElement | null} */ (the("need-form"));
const config = JSON.parse(the("form-config")?.textContent ?? "{}");

if (form) {
  withIndicator(form);
  withForm(form, need, config, withPhotos);
}

/** @param {HTMLFormElement} of */
function withIndicator(of) {
  const [place, service, line] = [the("f-place"), the("f-service"), the("indicator")];
  let turn = 0;
  const ask = async () => {
    const mine = ++turn;
    line.textContent = "";
    if (!place.value || !service.value) return;
    const query = new URLSearchParams({ place: place.value, service: service.value });
    const answer = await fetch(`${config.api}/needs/indicator?${query}`, { headers: { Accept: "application/json" } }).catch(() => null);
    const told = answer?.ok ? await answer.json() : null;
    if (mine === turn && told) line.textContent = told.sentence;
  };
  of.addEventListener("change", (event) => {
    if (event.target === place || event.target === service) void ask();
  });
  void ask();
}

/**
 * The photos that are chosen for a report: shown small, each can be taken out again.
 * @param {Record<string, string>} words
 * @returns {Own}
 */
function withPhotos(words) {
  const [input, list] = [/** @type {HTMLInputElement} */ (the("f-photos")), /** @type {HTMLElement} */ (the("photo-list"))];
  /** @type {Photo[]} */
  let chosen = [];
  /** @type {string[]} */
  let addresses = [];

  const draw = () => {
    for (const address of addresses) URL.revokeObjectURL(address);
    addresses = [];
    list.replaceChildren(...chosen.map((photo) => {
      const line = document.createElement("li");
      if (photo.file.type.startsWith("image/")) {
        const picture = document.createElement("img");
        picture.src = URL.createObjectURL(photo.file);
        picture.alt = photo.name;
        addresses.push(picture.src);
        line.append(picture);
      } else line.append(photo.name);
      line.append(button(words.remove, () => {
        chosen = chosen.filter((one) => one !== photo);
        draw();
        input.focus();
      }));
      return line;
    }));
    the("photo-more").hidden = !chosen.length;
  };
  input.addEventListener("change", () => {
    const faults = [];
    for (const file of input.files ?? []) {
      const fault = faultOf(file, config.photo);
      if (fault) faults.push(filled(fault === "type" ? words.photoType : words.photoSize, { name: file.name }));
      else chosen.push({ ticket: uuid(), file, name: file.name });
    }
    input.value = "";
    the("photo-said").textContent = faults.join(" ");
    draw();
  });
  the("photos").hidden = false;
  return {
    parts: () => ({ photos: chosen }),
    fill(item) {
      chosen = item?.photos ?? [];
      the("photo-said").textContent = "";
      draw();
    },
  };
}
