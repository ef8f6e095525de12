// @ts-check
/**
 * Work that is not saved yet is kept twice: in this browser at once, on the server soon after. Whatever dies, one of them is left.
 *
 * @import { Api } from "../api.js"
 *
 * @typedef {object} Kept
 * @property {any} document
 * @property {Record<string, number | null>} based_on edition by place
 * @property {string} saved_at
 *
 * @typedef {"nothing" | "keeping" | "kept" | "here" | "failed"} KeepState here: in this browser only, because the server cannot be reached
 */

import { ApiError } from "../api.js";
import { after } from "./dom.js";

const DATABASE = "mahalleh-workbench";
const STORE = "copies";
const PAUSE_MS = 1500;
const AGAIN_MS = 8000;

/** @returns {Promise<IDBDatabase>} */
function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @template T
 * @param {"readonly" | "readwrite"} how
 * @param {(store: IDBObjectStore) => IDBRequest<T>} run
 * @returns {Promise<T>}
 */
async function stored(how, run) {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, how);
      const request = run(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

/**
 * @param {object} parts
 * @param {Api} parts.api
 * @param {string} parts.city
 * @param {string} parts.user copies of one user are not shown to another at the same machine
 * @param {(state: KeepState, at: Date) => void} parts.tell
 */
export function makeKeeper({ api, city, user, tell }) {
  const key = `${user}/${city}`;
  const path = `cities/${city}/working-copy`;
  // What this page kept and then saved is over, even where it is left before the copies are gone.
  const page = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  const over = `workbench-over/${key}`;
  /** @type {Kept | null} */
  let waiting = null;
  let isUnderWay = false;
  let isHere = false;
  /** @type {Promise<unknown>} */
  let local = Promise.resolve();

  const send = async () => {
    if (isUnderWay || !waiting) return;
    const copy = waiting;
    isUnderWay = true;
    try {
      await api("PUT", path, { body: { document: copy.document, based_on: copy.based_on } });
      if (waiting === copy) {
        waiting = null;
        tell("kept", new Date());
      } else soon();
    } catch (error) {
      tell(isHere ? "here" : "failed", new Date());
      if (!(error instanceof ApiError) || error.status === 0 || error.status >= 500) again();
      else if (waiting === copy) waiting = null; // refused: to ask the same again would be refused again
    } finally {
      isUnderWay = false;
    }
  };
  const soon = after(() => void send(), PAUSE_MS);
  const again = after(() => void send(), AGAIN_MS);
  addEventListener("online", () => void send());
  // A page that is put away may never come back: what waits goes out with it.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden" || !waiting) return;
    const text = JSON.stringify(waiting.document);
    void api("PUT", path, { body: { document: waiting.document, based_on: waiting.based_on }, keepalive: text.length < 60_000 }).catch(() => {});
  });

  return {
    /**
     * Keep a copy.
     * @param {any} document
     * @param {Record<string, number | null>} based_on
     */
    keep(document, based_on) {
      waiting = { document: { ...document, kept_by: page }, based_on, saved_at: new Date().toISOString() };
      const copy = waiting;
      tell("keeping", new Date());
      local = local.then(() => stored("readwrite", (store) => store.put(copy, key))).then(
        () => (isHere = true),
        () => (isHere = false),
      );
      soon();
    },
    /** Forget both copies: the work is saved, or was not wanted. */
    async forget() {
      waiting = null;
      soon.cancel();
      again.cancel();
      tell("nothing", new Date());
      try {
        localStorage.setItem(over, JSON.stringify({ page, at: new Date().toISOString() }));
      } catch {
        // Without storage the copies alone tell.
      }
      await local;
      await Promise.allSettled([stored("readwrite", (store) => store.delete(key)), api("DELETE", path, { keepalive: true })]);
    },
    /**
     * Return the newest copy there is.
     * @returns {Promise<Kept | null>}
     */
    async found() {
      const [here, there] = await Promise.allSettled([stored("readonly", (store) => store.get(key)), api("GET", path)]);
      const copies = /** @type {(Kept | null | undefined)[]} */ ([here.status === "fulfilled" ? here.value : null, there.status === "fulfilled" ? there.value.body : null]);
      const last = lastOver(over);
      const isOver = (/** @type {any} */ document) => last !== null && document.kept_by === last.page && String(document.kept_at ?? "") <= last.at;
      return copies.filter((copy) => copy?.document && !isOver(copy.document)).sort((a, b) => String(b?.document.kept_at ?? "").localeCompare(String(a?.document.kept_at ?? "")))[0] ?? null;
    },
    isWaiting: () => waiting !== null,
  };
}

/** @param {string} key @returns {{page: string, at: string} | null} */
function lastOver(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/** @typedef {ReturnType<typeof makeKeeper>} Keeper */
