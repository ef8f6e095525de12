// @ts-check
/**
 * Sending what waits, one report after the other: whether it was told already is asked first, and what is refused stays with its reason.
 * Knows neither the page nor the browser's database, so that it can be tested with both put in.
 *
 * @import { Api } from "../api.js"
 * @import { Item, Store } from "./queue.js"
 *
 * @typedef {"" | "unreachable" | "signed-out" | "reload"} Halt why sending stopped before the end
 */

import { ApiError } from "../api.js";
import { parse } from "../numbers.js";
import { photoPath } from "./photos.js";

const NUMBERS = ["round", "organisation", "severity", "people_affected"];
const GROUPS = ["women", "children", "older", "disabled"];
const TEXTS = ["place", "sector", "approach", "text_fa", "text_en", "service"];

/**
 * Return what is sent of a form: numbers as numbers, the point whose degrees were typed as a geometry.
 * @param {Record<string, string>} values
 * @param {string} ticket
 */
export function bodyOf(values, ticket) {
  /** @type {Record<string, any>} */
  const body = { ticket, geometry: values.geometry ? JSON.parse(values.geometry) : null };
  for (const name of TEXTS) body[name] = (values[name] ?? "").trim();
  for (const name of NUMBERS) body[name] = whole(values[name]) ?? 0;
  for (const name of GROUPS) body[name] = whole(values[name]);
  const [lon, lat] = [values.lon, values.lat].map((text) => (text?.trim() ? parse(text) : null));
  if (!body.geometry && lon !== null && lat !== null) body.geometry = { type: "Point", coordinates: [lon, lat] };
  return body;
}

/**
 * Read a whole number in digits of any script, with or without separators; null where nothing is typed or it is none.
 * @param {string | undefined} text
 */
export function whole(text) {
  const value = text?.trim() ? parse(text) : null;
  return value !== null && Number.isInteger(value) && value >= 0 ? value : null;
}

/**
 * Return the fields of a form that are at fault, in the order of the form, before anything is sent.
 * @param {Record<string, string>} values
 * @param {boolean} isNew an amendment has its round and organisation
 */
export function faultsOf(values, isNew) {
  const faults = [];
  const is = (/** @type {string} */ name) => Boolean((values[name] ?? "").trim());
  for (const name of isNew ? ["round", "organisation", "place"] : ["place"]) if (!is(name)) faults.push(name);
  if (!is("text_fa") && !is("text_en")) faults.push("text_fa");
  for (const name of ["sector", "severity", "approach"]) if (!is(name)) faults.push(name);
  const people = whole(values.people_affected);
  if (!people) faults.push("people_affected");
  for (const name of GROUPS) if (is(name) && (whole(values[name]) === null || (people && Number(whole(values[name])) > people))) faults.push(name);
  const typed = [values.lon, values.lat].map((text) => (text?.trim() ? parse(text) : undefined));
  const isPoint = typed.every((value) => typeof value === "number" && Number.isFinite(value)) && Math.abs(Number(typed[0])) <= 180 && Math.abs(Number(typed[1])) <= 90;
  if (!values.geometry && typed.some((value) => value !== undefined) && !isPoint) faults.push("geometry");
  return faults;
}

/**
 * Send what waits.
 * @param {{api: Api, store: Store, tell: (ticket: string) => void, take: (item: Item) => void}} parts
 *   `tell` is told which report is on its way, `take` what became of each
 * @returns {Promise<Halt>}
 */
export async function sendWaiting({ api, store, tell, take }) {
  for (const item of await store.all()) {
    if (item.standing !== "waiting") continue;
    tell(item.ticket);
    /** @type {Item} */
    let after;
    try {
      after = await sent(item, api, store);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 0 || error.status >= 500 || error.status === 429) return "unreachable";
      if (error.status === 401) return "signed-out";
      if (error.problem.code === "csrf") return "reload";
      const where = String(error.problem.where ?? "").split(/[.,]\s*/).at(-1) ?? "";
      after = { ...item, standing: "refused", said: error.message, field: where === "point" ? "geometry" : where };
    }
    // What was edited or deleted meanwhile is not overwritten.
    const now = (await store.all()).find((one) => one.ticket === item.ticket);
    if (!now || now.at !== item.at) {
      if (after.standing === "sent" && now) await store.remove(item.ticket);
      if (after.standing === "sent") take(after);
      continue;
    }
    if (after.standing === "sent") await store.remove(item.ticket);
    else await store.put(after);
    take(after);
  }
  return "";
}

/** @param {Item} item @param {Api} api @param {Store} store @returns {Promise<Item>} */
async function sent(item, api, store) {
  // A need that is there waits for its photos alone.
  const after = item.need ? item : await needSent(item, api, store);
  return after.need ? photosSent(after, api, store) : after;
}

/**
 * Send the photos of a need that is there, one after the other; each that has arrived is forgotten at once.
 * @param {Item} item @param {Api} api @param {Store} store @returns {Promise<Item>}
 */
async function photosSent(item, api, store) {
  const need = /** @type {{number: number, address: string}} */ (item.need);
  const told = { title: item.values.photos_title ?? "", keepsLocation: Boolean(item.values.keeps_location) };
  let after = item;
  for (const photo of item.photos ?? []) {
    const others = (after.photos ?? []).filter((one) => one.ticket !== photo.ticket);
    if (after === item) await kept({ ...item, standing: "waiting" }, store);
    try {
      await api("POST", photoPath(need.number, photo, told), { body: photo.file });
      after = { ...after, photos: others };
    } catch (error) {
      const isFinal = error instanceof ApiError && error.status >= 400 && error.status < 500 && ![401, 429].includes(error.status) && error.problem.code !== "csrf";
      if (!isFinal) throw error;
      after = { ...after, photos: [...others, { ...photo, said: error.message }] };
    }
    await kept({ ...after, standing: "waiting" }, store);
  }
  const refused = (after.photos ?? []).find((photo) => photo.said);
  if (refused) return { ...after, standing: "refused", said: refused.said ?? "", field: "" };
  return { ...after, standing: after.isEarlier ? "refused" : "sent" };
}

/** Keep how far a report is, unless it was deleted meanwhile. @param {Item} item @param {Store} store */
async function kept(item, store) {
  if ((await store.all()).some((one) => one.ticket === item.ticket && one.at === item.at)) await store.put(item);
}

/** @param {Item} item @param {Api} api @param {Store} store @returns {Promise<Item>} */
async function needSent(item, api, store) {
  const body = bodyOf(item.values, item.ticket);
  if (!item.isOther) {
    const { similar } = (await api("POST", "/similar", { body })).body;
    if (similar.length) return { ...item, standing: "similar", similar };
  }
  // From here on it may arrive although the answer is lost: what is changed afterwards would not be in it.
  await store.put({ ...item, isTried: true });
  const { number, address, is_new } = (await api("POST", "", { body })).body;
  const need = { number, address };
  return { ...item, said: "", field: "", need, isEarlier: !is_new && item.isEdited };
}
