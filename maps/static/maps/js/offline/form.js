// @ts-check
/**
 * A form in which something is reported or amended. A report first goes into the store of this phone, and from there to the server:
 * with a connection at once, without one when it is back. Without this script the form is sent as any other.
 *
 * @import { Kind } from "./kinds.js"
 * @import { Item } from "./store.js"
 * @import { FormConfig } from "./waiting.js"
 * @import { Photo } from "../needs/photos.js"
 *
 * @typedef {object} Own what a kind's form has besides its fields
 * @property {() => {photos?: Photo[]}} parts kept with a report
 * @property {(item: Item | null) => void} fill with those of an item, or none
 */

import { withMarking } from "../needs/where.js";
import { uuid } from "./ticket.js";
import { withWaiting } from "./waiting.js";

/** Fields of the form itself, which are no part of a report. */
const FRAME = ["csrfmiddlewaretoken", "ticket", "seen"];

/** @param {string} id @returns {any} */
const the = (id) => document.getElementById(id);

/**
 * Let a form be filled in, checked and sent from a phone.
 * @param {HTMLFormElement} form
 * @param {Kind} kind
 * @param {FormConfig} config
 * @param {(words: Record<string, string>) => Own} [withOwn] makes what this kind's form has besides, where the phone keeps reports
 */
export function withForm(form, kind, config, withOwn) {
  const words = /** @type {Record<string, string>} */ ({ ...the("words")?.dataset, ...the("waiting-words")?.dataset, ...the("form-words")?.dataset });
  const isNew = !form.elements.namedItem("version");
  const marking = withMarking(form, config.map);
  form.addEventListener("submit", (event) => {
    const faults = kind.faultsOf(filledIn(form, kind), isNew);
    if (faults.length) event.preventDefault();
    tellFaults(form, faults.map((name) => [name, config.wrong[name] ?? config.wrong[""]]));
  });
  if (!isNew) return;
  void marking.isDrawn.then(() => keepPage(form, config)).catch((error) => console.warn(error));
  void withReports(form, kind, config, words, marking, withOwn).catch(() => {
    // A browser that keeps nothing, such as one in private mode: the form is sent as any other.
    const note = the("offline");
    note.textContent = words.noStorage;
    note.hidden = false;
  });
}

/**
 * Keep this page and what it is made of on the phone, so that it opens without a connection.
 * @param {HTMLFormElement} form @param {FormConfig} config
 */
async function keepPage(form, config) {
  if (!navigator.serviceWorker) return;
  await navigator.serviceWorker.register(config.worker);
  const { active } = await navigator.serviceWorker.ready;
  const parts = performance.getEntriesByType("resource").map((entry) => entry.name);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => { form.dataset.kept = "true"; };
  const kept = [location.href.split("#")[0], config.map?.urls.worker, ...parts].filter((address) => address !== undefined);
  active?.postMessage({ keep: kept.map((address) => new URL(address, location.href).href) }, [port2]);
}

/** @param {HTMLFormElement} form @param {Kind} kind @returns {Pick<Item, "values" | "lists">} */
function filledIn(form, kind) {
  const data = new FormData(form);
  const values = /** @type {Record<string, string>} */ ({});
  for (const [name, value] of data) if (!FRAME.includes(name) && !kind.lists.includes(name)) values[name] = String(value);
  return { values, lists: Object.fromEntries(kind.lists.map((name) => [name, data.getAll(name).map(String)])) };
}

/** @param {HTMLFormElement} form @param {Item} item */
function fillIn(form, { values, lists = {} }) {
  for (const field of form.elements) {
    const isInput = field instanceof HTMLInputElement;
    if (!(isInput || field instanceof HTMLSelectElement || field instanceof HTMLTextAreaElement) || FRAME.includes(field.name)) continue;
    if (isInput && field.type === "radio") field.checked = values[field.name] === field.value;
    else if (isInput && field.type === "checkbox") field.checked = field.name in lists ? lists[field.name].includes(field.value) : Boolean(values[field.name]);
    else if (field.name in values && field.type !== "file") field.value = values[field.name];
  }
}

/** @param {HTMLFormElement} form @param {[string, string][]} faults by field */
function tellFaults(form, faults) {
  for (const old of form.querySelectorAll(".wrong")) old.remove();
  for (const box of form.querySelectorAll(".has-error")) box.classList.remove("has-error");
  const items = faults.map(([name, sentence]) => {
    const box = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
    const item = document.createElement("li");
    if (box) {
      box.classList.add("has-error");
      const told = document.createElement("p");
      told.className = "wrong";
      told.textContent = sentence;
      box.querySelector("label, legend")?.after(told);
      const hidden = box.closest("details");
      if (hidden) hidden.open = true;
      const link = document.createElement("a");
      link.href = `#f-${name}`;
      link.textContent = sentence;
      item.append(link);
    } else item.textContent = sentence;
    return item;
  });
  the("faults").replaceChildren(...items);
  the("refusal").hidden = !faults.length;
  if (faults.length) the("refusal").focus();
}

/**
 * @param {HTMLFormElement} form @param {Kind} kind @param {FormConfig} config @param {Record<string, string>} words
 * @param {ReturnType<typeof withMarking>} marking
 * @param {((words: Record<string, string>) => Own) | undefined} withOwn
 */
async function withReports(form, kind, config, words, marking, withOwn) {
  const ticketField = /** @type {HTMLInputElement} */ (form.elements.namedItem("ticket"));
  /** The ticket of what waited when the form was filled in with it. */
  let edited = "";
  /** @type {Own | undefined} */
  let own;

  /** @param {Item} item */
  const edit = (item) => {
    form.reset();
    fillIn(form, item);
    ticketField.value = edited = item.ticket;
    marking.set(item.values.geometry ?? "");
    own?.fill(item);
    if (!item.values.geometry) [the("f-lon").value, the("f-lat").value] = [item.values.lon ?? "", item.values.lat ?? ""];
    for (const details of form.querySelectorAll("details")) details.open = [...details.querySelectorAll("input, textarea")].some((field) => "value" in field && field.value);
    tellFaults(form, item.standing === "refused" ? [[item.field, item.said]] : []);
    if (item.standing !== "refused") the("f-place").focus();
  };

  const waiting = await withWaiting({ kind, config, words, edit });
  own = withOwn?.(words);

  form.addEventListener("submit", async (event) => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    const filled = filledIn(form, kind);
    const ticket = ticketField.value || uuid();
    const known = await waiting.find(ticket);
    // What was being edited and is not there any more was sent by another window: this is a change of it.
    const isTried = known ? known.isTried : ticket === edited;
    const seen = /** @type {HTMLInputElement | null} */ (form.elements.namedItem("seen"));
    /** @type {Item} */
    const item = {
      ...filled,
      ...own?.parts(),
      ticket,
      user: config.user,
      city: config.city,
      standing: "waiting",
      isOther: seen?.value === "1" || Boolean(known?.isOther),
      said: "",
      field: "",
      isTried,
      isEdited: isTried,
      similar: [],
      made: null,
      at: Date.now(),
    };
    if (!(await waiting.keep(item))) return tellFaults(form, [item.photos?.length ? ["photos", words.full] : ["", words.noRoom]]);
    // The next report is likely of the same area and for the same organisation.
    const { place, organisation } = filled.values;
    form.reset();
    ticketField.value = uuid();
    edited = "";
    the("f-place").value = place;
    if (the("f-organisation")) the("f-organisation").value = organisation;
    marking.set("");
    own?.fill(null);
    document.getElementById("similar")?.remove();
    await waiting.show();
  });
  if (!ticketField.value) ticketField.value = uuid();
  // Another kind's form may have led here, to change what waits.
  const asked = location.hash.slice(1);
  if (asked && (await waiting.start(asked))) history.replaceState(null, "", location.pathname + location.search);
  form.dataset.ready = "true";
  void waiting.sendIfOnline();
}
