// @ts-check
/**
 * What can be reported from a phone: each kind knows what is sent of its form and where, and has a store of its own.
 *
 * @import { Api } from "../api.js"
 * @import { Item, Similar, Store } from "./store.js"
 *
 * @typedef {object} Kind
 * @property {string} name
 * @property {string} store the name of its database on the phone, and of the lock under which it is sent
 * @property {string} path of its interface, below that of the city
 * @property {string[]} lists fields of which several may be ticked
 * @property {(item: Pick<Item, "ticket" | "values" | "lists">) => Record<string, any>} bodyOf what is sent
 * @property {(filled: Pick<Item, "values" | "lists">, isNew: boolean) => string[]} faultsOf fields at fault, before anything is sent
 * @property {(item: Pick<Item, "values" | "lists">, labels: Record<string, Record<string, string>>) => (string | undefined)[]} about what it is about, in words
 * @property {(body: Record<string, any>, api: Api) => Promise<Similar[]>} [similarTo] asked before it is sent
 * @property {(item: Item, api: Api, store: Store) => Promise<Item | null>} [restSent] sends what follows it; null where it was changed meanwhile
 */

import { capacity } from "../capacities/kind.js";
import { need } from "../needs/kind.js";

export const KINDS = /** @type {Kind[]} */ ([need, capacity]);
