// @ts-check
/**
 * A need as it is reported from a phone: others that may say the same are asked for first, its photos follow it.
 *
 * @import { Api } from "../api.js"
 * @import { Kind } from "../offline/kinds.js"
 * @import { Item, Store } from "../offline/store.js"
 */

import { ApiError } from "../api.js";
import { haltOf, reasonOf } from "../offline/sending.js";
import { geometryTyped, isPointAtFault, isTyped, whole } from "../offline/values.js";
import { photoPath } from "./photos.js";

const NUMBERS = ["round", "organisation", "severity", "people_affected"];
const GROUPS = ["women", "children", "older", "disabled"];
const TEXTS = ["place", "sector", "approach", "text_fa", "text_en", "service"];

/** @type {Kind} */
export const need = {
  name: "need",
  store: "mahalleh-needs",
  path: "/needs",
  lists: [],

  bodyOf({ values, ticket }) {
    /** @type {Record<string, any>} */
    const body = { ticket, geometry: geometryTyped(values) };
    for (const name of TEXTS) body[name] = (values[name] ?? "").trim();
    for (const name of NUMBERS) body[name] = whole(values[name]) ?? 0;
    for (const name of GROUPS) body[name] = whole(values[name]);
    return body;
  },

  // In the order of the form; an amendment has its round and organisation.
  faultsOf({ values }, isNew) {
    const faults = (isNew ? ["round", "organisation", "place"] : ["place"]).filter((name) => !isTyped(values, name));
    if (!isTyped(values, "text_fa") && !isTyped(values, "text_en")) faults.push("text_fa");
    for (const name of ["sector", "severity", "approach"]) if (!isTyped(values, name)) faults.push(name);
    const people = whole(values.people_affected);
    if (!people) faults.push("people_affected");
    for (const name of GROUPS) if (isTyped(values, name) && (whole(values[name]) === null || (people && Number(whole(values[name])) > people))) faults.push(name);
    if (isPointAtFault(values)) faults.push("geometry");
    return faults;
  },

  about: ({ values }, labels) => [labels.place[values.place], labels.sector[values.sector]],

  similarTo: async (body, api) => (await api("POST", "/similar", { body })).body.similar,

  restSent: photosSent,
};

/**
 * Send the photos of a need that is there, one after the other; each that has arrived is forgotten at once.
 * @param {Item} item @param {Api} api @param {Store} store
 * @returns {Promise<Item | null>}
 */
async function photosSent(item, api, store) {
  const made = /** @type {{number: number, address: string}} */ (item.made);
  const told = { title: item.values.photos_title ?? "", keepsLocation: Boolean(item.values.keeps_location) };
  let after = item;
  for (const photo of item.photos ?? []) {
    const others = (after.photos ?? []).filter((one) => one.ticket !== photo.ticket);
    if (after === item && !(await store.renew({ ...item, standing: "waiting" }))) return null;
    try {
      await api("POST", photoPath(made.number, photo, told), { body: photo.file });
      after = { ...after, photos: others };
    } catch (error) {
      if (!(error instanceof ApiError) || haltOf(error)) throw error;
      after = { ...after, photos: [...others, { ...photo, said: reasonOf(error) }] };
    }
    if (!(await store.renew({ ...after, standing: "waiting" }))) return null;
  }
  const refused = (after.photos ?? []).find((photo) => photo.said);
  if (refused) return { ...after, standing: "refused", said: refused.said ?? "", field: "" };
  return { ...after, standing: after.isEarlier ? "refused" : "sent" };
}
