// @ts-check
/**
 * Reports that wait on this phone until they are sent: kept in the browser's database, each under the ticket that it is sent with.
 *
 * @import { Photo } from "./photos.js"
 *
 * @typedef {"waiting" | "similar" | "refused" | "sent"} Standing
 * @typedef {object} Item
 * @property {string} ticket a UUID; sending twice under one makes one need
 * @property {string} user reports of one person are neither shown nor sent by another at the same phone
 * @property {string} city
 * @property {Record<string, string>} values the form as it was filled in
 * @property {Standing} standing
 * @property {boolean} isOther whether its writer saw those that are alike, and said that it is another
 * @property {string} said why it was not taken
 * @property {string} field of the form that is at fault; empty where none is
 * @property {boolean} isTried whether it may have arrived although no answer came
 * @property {boolean} isEdited whether it was changed after that
 * @property {{number: number, title: string, meta: string, address: string}[]} similar
 * @property {{number: number, address: string} | null} need what it became, or where an earlier version of it is
 * @property {boolean} [isEarlier] whether it is an earlier version that arrived
 * @property {Photo[]} [photos] those still to be sent, after the need
 * @property {number} at when it was written, in ms
 *
 * @typedef {object} Store
 * @property {() => Promise<Item[]>} all the oldest first
 * @property {(item: Item) => Promise<void>} put
 * @property {(ticket: string) => Promise<void>} remove
 */

const NAME = "mahalleh-needs";
const TABLE = "reports";

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/**
 * Open the store of a person and a city.
 * @param {{user: string, city: string}} whose
 * @returns {Promise<Store>}
 */
export async function openStore({ user, city }) {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE, { keyPath: "ticket" });
  const base = await done(opening);
  /** @template T @param {IDBTransactionMode} mode @param {(table: IDBObjectStore) => IDBRequest<T>} asked @returns {Promise<T>} */
  const ask = async (mode, asked) => {
    const transaction = base.transaction(TABLE, mode);
    const kept = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
    const answer = await done(asked(transaction.objectStore(TABLE)));
    await kept; // only then it survives the phone being switched off
    return answer;
  };
  return {
    async all() {
      const found = /** @type {Item[]} */ (await ask("readonly", (table) => table.getAll()));
      return found.filter((item) => item.user === user && item.city === city).sort((a, b) => a.at - b.at);
    },
    async put(item) {
      await ask("readwrite", (table) => table.put(item));
    },
    async remove(ticket) {
      await ask("readwrite", (table) => table.delete(ticket));
    },
  };
}
