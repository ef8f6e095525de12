// @ts-check
/**
 * Work that is not saved stays in this browser's tab: it survives a reload and a lost connection, and is nobody else's to read.
 *
 * @import { Change } from "./model.js"
 *
 * @typedef {object} Work
 * @property {Change[]} changes
 * @property {Record<string, any>} question
 * @property {string} name
 * @property {string} note
 * @property {boolean} is_shared
 * @property {number | null} version of the scenario that it is based on
 */

/**
 * @param {{user: string, city: string}} of work of one person is not shown to another at the same machine
 */
export function makeKeeper({ user, city }) {
  /** @param {number | null} scenario */
  const key = (scenario) => `what-if/${user}/${city}/${scenario ?? "new"}`;
  return {
    /** @param {number | null} scenario @param {Work} work */
    keep(scenario, work) {
      try {
        sessionStorage.setItem(key(scenario), JSON.stringify(work));
      } catch {
        // Without storage the page works, but forgets on reload.
      }
    },
    /** @param {number | null} scenario */
    forget(scenario) {
      try {
        sessionStorage.removeItem(key(scenario));
      } catch {
        // As above.
      }
    },
    /** @param {number | null} scenario @returns {Work | null} */
    found(scenario) {
      try {
        const work = JSON.parse(sessionStorage.getItem(key(scenario)) ?? "null");
        return work && Array.isArray(work.changes) && typeof work.question === "object" ? work : null;
      } catch {
        return null;
      }
    },
  };
}
