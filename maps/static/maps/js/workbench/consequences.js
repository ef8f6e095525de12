// @ts-check
/**
 * What an edit does to people and neighbours, from the server: asked a moment after the hand rests, and only the last question counts.
 *
 * @import { Api } from "./api.js"
 * @import { Doc } from "./document.js"
 * @import { Answered } from "./panel.js"
 * @import { Task } from "./tasks.js"
 *
 * @typedef {{gained_m2: number, lost_m2: number, people: number | null}} Change
 * @typedef {object} Consequences
 * @property {Doc} doc the document that was asked about
 * @property {Record<string, Answered>} places
 * @property {Record<string, Change>} touched
 * @property {Task[]} findings
 */

import { after } from "./dom.js";
import { say } from "./words.js";
import { measuredEdits } from "./wire.js";

const PAUSE_MS = 120;

/**
 * Read findings as the server tells them.
 * @param {any[]} found
 * @param {(code: string) => string} nameOf
 * @returns {Task[]}
 */
export function readFindings(found, nameOf) {
  return found.map(({ key, kind, codes, area_m2, width_m, where, geometry, repairs }) => ({
    key,
    kind,
    codes,
    area_m2,
    width_m,
    where,
    geometry,
    repairs: repairs.map((/** @type {any} */ repair) => ({ key: repair.key, into: repair.into, text: say(`repair-${repair.label_code}`, { name: repair.into ? nameOf(repair.into) : "" }) })),
  }));
}

/**
 * @param {object} parts
 * @param {Api} parts.api
 * @param {string} parts.city
 * @param {() => {base: Doc, doc: Doc, chosen: string | null}} parts.what
 * @param {(code: string) => string} parts.nameOf
 * @param {(found: Consequences) => void} parts.take
 * @param {(isBusy: boolean, problem: string) => void} parts.tell
 */
export function makeConsequences({ api, city, what, nameOf, take, tell }) {
  /** @type {AbortController | null} */
  let current = null;
  const ask = async () => {
    const { base, doc, chosen } = what();
    const edits = measuredEdits(base, doc, chosen);
    current?.abort();
    if (!edits.length) {
      take({ doc, places: {}, touched: {}, findings: [] });
      tell(false, "");
      return;
    }
    const controller = (current = new AbortController());
    try {
      const { body } = await api("POST", `cities/${city}/readout`, { body: { edits }, signal: controller.signal });
      if (controller !== current) return;
      take(readConsequences(body, doc, nameOf));
      tell(false, "");
    } catch (error) {
      if (controller.signal.aborted || controller !== current) return;
      tell(false, error instanceof Error ? error.message : String(error));
    }
  };
  const soon = after(() => void ask(), PAUSE_MS);
  return {
    ask() {
      tell(true, "");
      soon();
    },
  };
}

/**
 * @param {any} body
 * @param {Doc} doc
 * @param {(code: string) => string} nameOf
 * @returns {Consequences}
 */
function readConsequences(body, doc, nameOf) {
  const touched = Object.entries(/** @type {Record<string, any>} */ (body.touched)).map(([code, one]) => [code, { gained_m2: one.gained_m2, lost_m2: one.lost_m2, people: one.people_gained === null ? null : one.people_gained - one.people_lost }]);
  return { doc, places: body.places, touched: Object.fromEntries(touched), findings: readFindings(body.findings, nameOf) };
}
