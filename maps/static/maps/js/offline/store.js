// @ts-check
/**
 * Reports that wait on this phone until they are sent: kept in the browser's database, each under the ticket that it is sent with.
 *
 * @import { Photo } from "../needs/photos.js"
 *
 * @typedef {"waiting" | "similar" | "refused" | "sent"} Standing
 * @typedef {{number: number, title: string, meta: string, address: string}} Similar
 * @typedef {object} Item
 * @property {string} ticket a UUID; sending twice under one makes one record
 * @property {string} user reports of one person are neither shown nor sent by another at the same phone
 * @property {string} city
 * @property {Record<string, string>} values the form as it was filled in
 * @property {Record<string, string[]>} [lists] what was ticked in it, where several may be
 * @property {Standing} standing
 * @property {boolean} isOther whether its writer saw those that are alike, and said that it is another
 * @property {string} said why it was not taken
 * @property {string} field of the form that is at fault; empty where none is
 * @property {boolean} isTried whether it may have arrived although no answer came
 * @property {boolean} isEdited whether it was changed after that
 * @property {Similar[]} similar
 * @property {{number: number, address: string} | null} made what it became, or where an earlier version of it is
 * @property {boolean} [isEarlier] whether it is an earlier version that arrived
 * @property {Photo[]} [photos] those still to be sent, after the rest
 * @property {number} at when it was written, in ms
 *
 * @typedef {object} Store
 * @property {() => Promise<Item[]>} all the oldest first
 * @property {(item: Item) => Promise<void>} put
 * @property {(item: Item) => Promise<boolean>} renew puts it in place of itself; false where it was changed or deleted meanwhile
 * @property {(item: Item) => Promise<boolean>} finish deletes it; false where it was changed or deleted meanwhile
 * @property {(ticket: string) => Promise<void>} remove
 */

const TABLE = "reports";

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** An item as it is read: what phones kept under an earlier name has that of today. @param {any} kept @returns {Item} */
export const itemOf = ({ need, ...kept }) => ({ ...kept, made: kept.made ?? need ?? null });

/**
 * Open the store of a person and a city.
 * @param {{name: string, user: string, city: string}} whose and the database's name
 * @returns {Promise<Store>}
 */
export async function openStore({ name, user, city }) {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE, { keyPath: "ticket" });
  const base = await done(opening);
  /** @template T @param {IDBTransactionMode} mode @param {(table: IDBObjectStore) => Promise<T>} work @returns {Promise<T>} */
  const within = async (mode, work) => {
    const transaction = base.transaction(TABLE, mode);
    const kept = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
    const answer = await work(transaction.objectStore(TABLE));
    await kept; // only then it survives the phone being switched off
    return answer;
  };
  /** @param {Item} item @param {(table: IDBObjectStore) => IDBRequest} act */
  const ifSame = (item, act) => within("readwrite", async (table) => {
    const there = await done(table.get(item.ticket));
    if (there?.at !== item.at) return false;
    await done(act(table));
    return true;
  });
  return {
    async all() {
      const found = await within("readonly", (table) => done(table.getAll()));
      return found.map(itemOf).filter((item) => item.user === user && item.city === city).sort((a, b) => a.at - b.at);
    },
    put: (item) => within("readwrite", async (table) => void (await done(table.put(item)))),
    renew: (item) => ifSame(item, (table) => table.put(item)),
    finish: (item) => ifSame(item, (table) => table.delete(item.ticket)),
    remove: (ticket) => within("readwrite", async (table) => void (await done(table.delete(ticket)))),
  };
}
