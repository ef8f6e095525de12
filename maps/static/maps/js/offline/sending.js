// @ts-check
/**
 * Sending what waits, one report after the other: where that is asked, whether it was told already comes first; what is refused stays
 * with its reason. Knows neither the page nor the browser's database, so that it can be tested with both put in.
 *
 * @import { Api } from "../api.js"
 * @import { Kind } from "./kinds.js"
 * @import { Item, Store } from "./store.js"
 *
 * @typedef {"" | "unreachable" | "signed-out" | "reload"} Halt why sending stopped before the end
 */

import { ApiError } from "../api.js";

/**
 * Send what waits of one kind.
 * @param {{kind: Kind, api: Api, store: Store, tell: (ticket: string) => void, take: (item: Item) => void}} parts
 *   `api` asks below the kind's address; `tell` is told which report is on its way, `take` what became of each
 * @returns {Promise<Halt>}
 */
export async function sendWaiting({ kind, api, store, tell, take }) {
  for (const item of await store.all()) {
    if (item.standing !== "waiting") continue;
    tell(item.ticket);
    /** @type {Item | null} */
    let after;
    try {
      after = await sent(item, kind, api, store);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const halt = haltOf(error);
      if (halt) return halt;
      after = { ...item, standing: "refused", said: reasonOf(error), field: fieldOf(error) };
    }
    if (!after) continue;
    // What was changed or deleted meanwhile is not overwritten: the change waits, and learns that an earlier version arrived.
    const isSame = after.standing === "sent" ? await store.finish(after) : await store.renew(after);
    if (isSame || after.standing === "sent") take(after);
  }
  return "";
}

/**
 * Return why nothing more can be sent now; empty where a report was refused for itself.
 * @param {ApiError} error
 * @returns {Halt}
 */
export function haltOf(error) {
  if (error.status === 0 || error.status >= 500 || error.status === 429) return "unreachable";
  if (error.status === 401) return "signed-out";
  return error.problem.code === "csrf" ? "reload" : "";
}

/** What is wrong and what to do, for a reader who is led to the field. @param {ApiError} error */
export const reasonOf = ({ message, problem }) => [problem.title, problem.remedy].filter(Boolean).join(" ") || message;

/** The field of the form that an error is about. @param {ApiError} error */
function fieldOf(error) {
  const steps = String(error.problem.where ?? "").replace(/\[.*?\]/g, "").split(/[.,]\s*/);
  return steps.some((step) => step === "geometry" || step === "point") ? "geometry" : steps.at(-1) ?? "";
}

/**
 * @param {Item} item @param {Kind} kind @param {Api} api @param {Store} store
 * @returns {Promise<Item | null>} null where it was changed or deleted meanwhile
 */
async function sent(item, kind, api, store) {
  // A report that has arrived waits for what follows it alone.
  const after = item.made ? item : await recordSent(item, kind, api, store);
  if (!after?.made) return after;
  if (kind.restSent) return kind.restSent(after, api, store);
  return { ...after, standing: after.isEarlier ? "refused" : "sent" };
}

/** @param {Item} item @param {Kind} kind @param {Api} api @param {Store} store @returns {Promise<Item | null>} */
async function recordSent(item, kind, api, store) {
  const body = kind.bodyOf(item);
  if (kind.similarTo && !item.isOther) {
    const similar = await kind.similarTo(body, api);
    if (similar.length) return { ...item, standing: "similar", similar };
  }
  // From here on it may arrive although the answer is lost: what is changed afterwards would not be in it.
  if (!(await store.renew({ ...item, isTried: true }))) return null;
  const { number, address, is_new } = (await api("POST", "", { body })).body;
  return { ...item, isTried: true, said: "", field: "", made: { number, address }, isEarlier: !is_new && item.isEdited };
}
