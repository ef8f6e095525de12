// @ts-check
/**
 * Saving a change set and proposing it. A save that somebody's change has made stale is not an error but a question: mine, theirs, or both.
 *
 * @import { Api } from "../api.js"
 * @import { Conflict } from "./conflict.js"
 * @import { Session } from "./session.js"
 * @import { Said } from "./changes.js"
 *
 * @typedef {object} Outcome
 * @property {"saved" | "proposed" | "nothing" | "conflict"} what
 * @property {any} [body]
 * @property {Conflict[]} [conflicts]
 * @property {boolean} [isOfSet] whether they are with another save of the same change set, not with what is in force
 */

import { ApiError } from "../api.js";
import { nextCode, recoded } from "./document.js";
import { shapeFrom, editsOf } from "./wire.js";
import { say } from "./words.js";

const MOST_TRIES = 50;

/**
 * @param {object} parts
 * @param {Api} parts.api
 * @param {string} parts.city
 * @param {Session} parts.session
 * @param {() => Said} parts.said
 * @param {(code: string) => string} parts.nameOf
 */
export function makeSender({ api, city, session, said, nameOf }) {
  /** @param {number} [tries] @returns {Promise<Outcome>} */
  const save = async (tries = 0) => {
    const { base, settled, changeSet } = session;
    const words = said();
    const edits = editsOf(base, settled, words);
    if (!edits.length) return { what: "nothing" };
    const body = { title: words.title.trim(), comment: words.comment.trim(), valid_from: words.valid_from || null, edits };
    try {
      const { body: answer } = changeSet ? await api("PUT", `change-sets/${changeSet.id}`, { body, version: changeSet.version }) : await api("POST", `cities/${city}/change-sets`, { body });
      take(answer);
      if (session.settled === settled) session.markSaved();
      return { what: "saved", body: answer };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { status, problem } = error;
      const taken = problem.code === "code_taken" ? /^place (\S+)$/.exec(problem.where)?.[1] : undefined;
      if (taken && tries < MOST_TRIES) {
        // Somebody else has made a place under the same code meanwhile: ours takes the next, and nobody need care.
        const offered = problem.free_code;
        const next = offered && !settled.facts[offered] && !base.facts[offered] ? offered : nextCode(base, settled, taken);
        if (session.chosen === taken) session.cameFrom = next;
        session.commit(recoded(settled, taken, next), say("step-code"));
        return save(tries + 1);
      }
      const conflicts = status === 412 || status === 409 ? readConflicts(problem) : [];
      if (conflicts.length) return { what: "conflict", conflicts, isOfSet: status === 412 };
      throw error;
    }
  };

  /** @param {any} answer */
  const take = (answer) => {
    session.changeSet = { id: answer.id, version: answer.version, status: answer.status };
  };

  /** @param {any} problem @returns {Conflict[]} */
  const readConflicts = (problem) =>
    Object.entries(/** @type {Record<string, any>} */ (problem.conflicts ?? {})).map(([code, one]) => ({ code, name: nameOf(code), mine: orNull(one.mine), theirs: orNull(one.theirs), ancestor: orNull(one.ancestor), edition: one.edition }));
  /** @param {any} geometry */
  const orNull = (geometry) => (geometry ? shapeFrom(geometry) : null);

  return {
    save: () => save(),
    /** Learn the version of the change set anew: somebody else saved it. */
    async again() {
      if (session.changeSet) take((await api("GET", `change-sets/${session.changeSet.id}`)).body);
    },
    /** @returns {Promise<Outcome>} */
    async propose() {
      if (session.isUnsaved || !session.changeSet) {
        const saved = await save();
        if (saved.what !== "saved") return saved;
      }
      const set = session.changeSet;
      if (!set) return { what: "nothing" };
      const { body } = await api("POST", `change-sets/${set.id}/propose`, { body: { comment: said().comment.trim() }, version: set.version });
      take(body);
      return { what: "proposed", body };
    },
  };
}
