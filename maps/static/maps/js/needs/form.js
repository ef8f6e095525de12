// @ts-check
/**
 * The form in which a need is reported or amended. A report first goes into the store of this phone, and from there to the server:
 * with a connection at once, without one when it is back. Without this script the form is sent as any other.
 *
 * @import { Item } from "./queue.js"
 * @import { Photo } from "./photos.js"
 */

import { makeApi } from "../api.js";
import { filled } from "../imports/words.js";
import { number } from "../numbers.js";
import { faultOf, uuid } from "./photos.js";
import { openStore } from "./queue.js";
import { faultsOf, sendWaiting } from "./sending.js";
import { withMarking } from "./where.js";

const AGAIN_MS = 30_000;

/** @param {string} id @returns {any} */
const the = (id) => document.getElementById(id);
const form = /** @type {HTMLFormElement | null} */ (the("need-form"));
const config = JSON.parse(the("need-config")?.textContent ?? "{}");
const words = /** @type {Record<string, string>} */ ({ ...the("words")?.dataset, ...the("form-words")?.dataset });

if (form) {
  const isNew = !form.elements.namedItem("version");
  const marking = withMarking(form, config.map);
  withIndicator(form);
  form.addEventListener("submit", (event) => {
    const faults = faultsOf(valuesOf(form), isNew);
    if (faults.length) event.preventDefault();
    tellFaults(faults.map((name) => [name, config.wrong[name] ?? config.wrong[""]]));
  });
  if (isNew) void marking.isDrawn.then(keepPage).catch((error) => console.warn(error));
  if (isNew) void withQueue(form, marking).catch(() => {
    // A browser that keeps nothing, such as one in private mode: the form is sent as any other.
    const note = the("offline");
    note.textContent = words.noStorage;
    note.hidden = false;
  });
}

/** Keep this page and what it is made of on the phone, so that it opens without a connection. */
async function keepPage() {
  if (!navigator.serviceWorker || !form) return;
  await navigator.serviceWorker.register(config.worker);
  const { active } = await navigator.serviceWorker.ready;
  const parts = performance.getEntriesByType("resource").map((entry) => entry.name);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => { form.dataset.kept = "true"; };
  active?.postMessage({ keep: [location.href, config.map?.urls.worker, ...parts].filter(Boolean).map((address) => new URL(address, location.href).href) }, [port2]);
}

/** @param {HTMLFormElement} of @returns {Record<string, string>} */
function valuesOf(of) {
  const values = /** @type {Record<string, string>} */ ({});
  for (const [name, value] of new FormData(of)) if (name !== "csrfmiddlewaretoken") values[name] = String(value);
  return values;
}

/** @param {[string, string][]} faults by field */
function tellFaults(faults) {
  for (const old of document.querySelectorAll("#need-form .wrong")) old.remove();
  for (const box of document.querySelectorAll("#need-form .has-error")) box.classList.remove("has-error");
  const items = faults.map(([name, sentence]) => {
    const box = document.querySelector(`[data-field="${CSS.escape(name)}"]`);
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

/** @param {HTMLFormElement} of */
function withIndicator(of) {
  const [place, service, line] = [the("f-place"), the("f-service"), the("indicator")];
  let turn = 0;
  const ask = async () => {
    const mine = ++turn;
    line.textContent = "";
    if (!place.value || !service.value) return;
    const query = new URLSearchParams({ place: place.value, service: service.value });
    const answer = await fetch(`${config.api}/indicator?${query}`, { headers: { Accept: "application/json" } }).catch(() => null);
    const told = answer?.ok ? await answer.json() : null;
    if (mine === turn && told) line.textContent = told.sentence;
  };
  of.addEventListener("change", (event) => {
    if (event.target === place || event.target === service) void ask();
  });
  void ask();
}

/** The photos that are chosen for a report: shown small, each can be taken out again. */
function withPhotos() {
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
    chosen: () => chosen,
    /** @param {Photo[]} photos */
    set(photos) {
      chosen = photos;
      the("photo-said").textContent = "";
      draw();
    },
  };
}

/**
 * @param {HTMLFormElement} of
 * @param {ReturnType<typeof withMarking>} marking
 */
async function withQueue(of, marking) {
  const store = await openStore({ user: config.user, city: config.city });
  const api = makeApi({ base: config.api, csrf: config.csrf, language: config.language });
  /** @type {Item[]} what was sent since the page was opened */
  const sent = [];
  const photos = withPhotos();
  let onItsWay = "";
  let halt = "";
  let isSending = false;
  const ticketField = /** @type {HTMLInputElement} */ (of.elements.namedItem("ticket"));

  const draw = async () => {
    const items = await store.all();
    const all = [...items, ...sent];
    the("queue").hidden = !all.length;
    the("queue").dataset.waiting = String(items.length);
    the("queue-title").textContent = items.length ? (items.length === 1 ? words.titleOne : filled(words.titleMany, { n: number(items.length, config.language) })) : words.titleSent;
    the("queue-send").hidden = !items.some((item) => item.standing === "waiting");
    the("queue-said").textContent = { "": "", unreachable: navigator.onLine ? words.unreachable : "", "signed-out": words.signIn, reload: words.reload }[halt] ?? "";
    the("queue-list").replaceChildren(...all.map(row));
  };

  /** @param {Item} item */
  const row = (item) => {
    const line = document.createElement("li");
    line.className = `is-${item.standing}`;
    line.dataset.ticket = item.ticket;
    const what = document.createElement("p");
    what.className = "what";
    what.textContent = (item.values.text_fa || item.values.text_en).slice(0, 100);
    const said = document.createElement("p");
    said.className = "said small";
    const where = [config.labels.place[item.values.place], config.labels.sector[item.values.sector]].filter(Boolean).join(" · ");
    const isPhoto = (item.photos ?? []).some((photo) => photo.said);
    const standing = item.need && item.standing === "refused" ? (isPhoto ? `${words.photoRefused} ${item.said}` : words.earlier) : item.standing === "refused" ? `${words.refused} ${item.said}` : item.ticket === onItsWay ? words.sending : words[item.standing];
    const n = item.photos?.length ?? 0;
    said.textContent = [where, n && (n === 1 ? words.photoOne : filled(words.photoMany, { n: number(n, config.language) })), standing].filter(Boolean).join(" · ");
    line.append(what, said);
    if (item.need) line.append(link(item.need.address, filled(words.number, { n: number(item.need.number, config.language).replace(/[٬,]/g, "") })));
    if (item.standing === "similar") {
      const list = document.createElement("ul");
      for (const one of item.similar) {
        const entry = document.createElement("li");
        const meta = document.createElement("span");
        meta.className = "meta small soft";
        meta.textContent = one.meta;
        entry.append(link(one.address, one.title), document.createElement("br"), meta);
        list.append(entry);
      }
      line.append(list);
    }
    if (item.standing === "sent") return line;
    const actions = document.createElement("div");
    actions.className = "actions";
    if (item.standing === "similar") {
      actions.append(button(words.another, async () => {
        await store.put({ ...item, isOther: true, standing: "waiting" });
        void send();
      }), button(words.same, () => remove(item)));
    }
    if (!item.need) actions.append(button(words.edit, () => edit(item)));
    if (item.standing !== "similar") actions.append(button(words.remove, () => remove(item)));
    line.append(actions);
    return line;
  };

  /** @param {Item} item */
  const remove = async (item) => {
    await store.remove(item.ticket);
    await draw();
    the("queue-title").focus();
  };

  /** @param {Item} item */
  const edit = async (item) => {
    of.reset();
    for (const [name, value] of Object.entries(item.values)) {
      const field = of.elements.namedItem(name);
      if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = Boolean(value);
      else if (field instanceof RadioNodeList || field instanceof HTMLInputElement || field instanceof HTMLSelectElement || field instanceof HTMLTextAreaElement) field.value = value;
    }
    ticketField.value = item.ticket;
    marking.set(item.values.geometry ?? "");
    photos.set(item.photos ?? []);
    if (!item.values.geometry) [the("f-lon").value, the("f-lat").value] = [item.values.lon ?? "", item.values.lat ?? ""];
    for (const details of of.querySelectorAll("details")) details.open = [...details.querySelectorAll("input, textarea")].some((field) => "value" in field && field.value);
    tellFaults(item.standing === "refused" ? [[item.field, item.said]] : []);
    if (item.standing !== "refused") the("f-place").focus();
  };

  const send = async () => {
    if (isSending) return;
    isSending = true;
    try {
      // Other windows of this browser have the same store: one of them sends.
      await withLock(async () => {
        halt = await sendWaiting({
          api,
          store,
          tell: (ticket) => { onItsWay = ticket; void draw(); },
          take: (item) => { if (item.standing === "sent") sent.push(item); void draw(); },
        });
      });
    } finally {
      isSending = false;
      onItsWay = "";
      await draw();
    }
  };

  of.addEventListener("submit", async (event) => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    const { ticket, seen, ...values } = valuesOf(of);
    const known = (await store.all()).find((item) => item.ticket === ticket);
    const kept = await store.put({
      ticket: ticket || uuid(),
      user: config.user,
      city: config.city,
      values,
      standing: "waiting",
      isOther: seen === "1" || Boolean(known?.isOther),
      said: "",
      field: "",
      isTried: Boolean(known?.isTried),
      isEdited: Boolean(known?.isTried),
      similar: [],
      need: null,
      photos: photos.chosen(),
      at: Date.now(),
    }).then(() => true, () => false);
    if (!kept) return tellFaults([["photos", words.full]]);
    // The next report is likely of the same area and for the same organisation.
    const [place, organisation] = [values.place, values.organisation];
    of.reset();
    ticketField.value = uuid();
    the("f-place").value = place;
    if (the("f-organisation")) the("f-organisation").value = organisation;
    marking.set("");
    photos.set([]);
    document.getElementById("similar")?.remove();
    await draw();
    the("queue").scrollIntoView({ block: "nearest" });
    the("queue-title").focus();
    void send();
  });
  the("queue-send").addEventListener("click", () => void send());
  const tellConnection = () => { the("offline").hidden = navigator.onLine; };
  addEventListener("online", () => { tellConnection(); void send(); });
  addEventListener("offline", tellConnection);
  setInterval(async () => {
    if (navigator.onLine && (await store.all()).some((item) => item.standing === "waiting")) void send();
  }, AGAIN_MS);
  tellConnection();
  if (!ticketField.value) ticketField.value = uuid();
  await draw();
  of.dataset.ready = "true";
  void send();
}

/** @param {() => Promise<void>} work */
async function withLock(work) {
  if (!navigator.locks) return work();
  await navigator.locks.request("mahalleh-needs", { ifAvailable: true }, (lock) => (lock ? work() : undefined));
}

/** @param {string} address @param {string} text */
function link(address, text) {
  const node = document.createElement("a");
  node.href = address;
  node.target = "_blank";
  node.rel = "noopener";
  node.textContent = text;
  return node;
}

/** @param {string} text @param {() => unknown} act */
function button(text, act) {
  const node = document.createElement("button");
  node.type = "button";
  node.className = "link";
  node.textContent = text;
  node.addEventListener("click", act);
  return node;
}
