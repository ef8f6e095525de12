// @ts-check
/**
 * A capacity as it is recorded from a phone.
 *
 * @import { Kind } from "../offline/kinds.js"
 */

import { geometryTyped, isPointAtFault, isTyped, whole } from "../offline/values.js";

const TEXTS = ["place", "kind", "text_fa", "text_en", "contact"];

/** @type {Kind} */
export const capacity = {
  name: "capacity",
  store: "mahalleh-capacities",
  path: "/capacities",
  lists: ["sectors"],

  bodyOf({ values, lists, ticket }) {
    /** @type {Record<string, any>} */
    const body = { ticket, geometry: geometryTyped(values), sectors: lists?.sectors ?? [] };
    for (const name of TEXTS) body[name] = (values[name] ?? "").trim();
    return { ...body, organisation: whole(values.organisation) ?? 0, amount: whole(values.amount) };
  },

  // In the order of the form; an amendment has its organisation.
  faultsOf({ values }, isNew) {
    const faults = (isNew ? ["organisation", "place", "kind"] : ["place", "kind"]).filter((name) => !isTyped(values, name));
    if (!isTyped(values, "text_fa") && !isTyped(values, "text_en")) faults.push("text_fa");
    if (isTyped(values, "amount") && whole(values.amount) === null) faults.push("amount");
    if (isPointAtFault(values)) faults.push("geometry");
    return faults;
  },

  about: ({ values }, labels) => [labels.place[values.place], labels.kind[values.kind]],
};
