// @ts-check
/**
 * What an edit does to people and neighbours, from the server. A question goes out at once where none is under way; while one is, only
 * the newest waits. So the numbers follow the hand as fast as the server answers, and the server never has two questions of one person.
 *
 * @import { Api } from "../api.js"
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

import { say } from "./words.js";
import { measuredEdits } from "./wire.js";

const MOST_MS = 10_000;

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
 * @param {() => {base: Doc, doc: Doc, chosen: string | null}} parts.what what to ask about, at the moment of asking
 * @param {(code: string) => string} parts.nameOf
 * @param {(found: Consequences) => void} parts.take
 * @param {(isBusy: boolean, problem: string) => void} parts.tell
 */
export function makeConsequences({ api, city, what, nameOf, take, tell }) {
  let isUnderWay = false;
  let isWanted = false;

  async function ask() {
    if (isUnderWay) {
      isWanted = true;
      return;
    }
    isWanted = false;
    const { base, doc, chosen } = what();
    const edits = measuredEdits(base, doc, chosen);
    if (!edits.length) {
      take({ doc, places: {}, touched: {}, findings: [] });
      tell(false, "");
      return;
    }
    isUnderWay = true;
    tell(true, "");
    let problem = "";
    try {
      // A question that is lost on the way must not keep the next ones waiting.
      const { body } = await api("POST", `cities/${city}/readout`, { body: { edits }, signal: AbortSignal.timeout(MOST_MS) });
      isUnderWay = false;
      // What the hand does meanwhile is asked next, before the answer to the last question is shown.
      if (isWanted) void ask();
      take(readConsequences(body, doc, nameOf));
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
      isUnderWay = false;
      if (isWanted) void ask();
    }
    if (!isUnderWay) tell(false, problem);
  }

  return { ask: () => void ask() };
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
