// @ts-check
/**
 * Saving and proposing as the page does it: what is missing is asked for, what clashes is settled, what was done is said.
 *
 * @import { Api } from "../api.js"
 * @import { Said } from "./changes.js"
 * @import { Conflict } from "./conflict.js"
 * @import { Doc } from "./document.js"
 * @import { Session } from "./session.js"
 */

import { ApiError } from "../api.js";
import { settle } from "./conflict.js";
import { input } from "./dom.js";
import { tab } from "./forms.js";
import { explained, failed, notify, silent } from "./notices.js";
import { placesOf, withPlaces } from "./recovering.js";
import { makeSender } from "./sending.js";
import { readCity } from "./wire.js";
import { say } from "./words.js";

/**
 * @param {object} parts
 * @param {Api} parts.api
 * @param {string} parts.city
 * @param {string} parts.pages address that the pages of change sets are below
 * @param {Session} parts.session
 * @param {() => Said} parts.said
 * @param {(code: string) => string} parts.nameOf
 * @param {(text: string) => void} parts.wrong says below the form what is wrong
 * @param {() => void} parts.keep
 * @param {() => Promise<void>} parts.forget
 * @param {() => void} parts.openForm
 * @param {(id: number) => void} parts.onSaved
 * @param {() => void} parts.onProposed
 * @param {(base: Doc, version: string, doc: Doc) => void} parts.onSettled
 */
export function makeSubmitting({ api, city, pages, session, said, nameOf, wrong, keep, forget, openForm, onSaved, onProposed, onSettled }) {
  const sender = makeSender({ api, city, session, said, nameOf });

  /**
   * Ask for what is missing before the change set can be sent.
   * @param {string} id of the field
   * @param {string} text
   */
  function ask(id, text) {
    tab("changes");
    openForm();
    wrong(text);
    input(id).focus();
  }

  /** @param {"save" | "propose"} what */
  async function send(what) {
    silent();
    wrong("");
    const isSourceless = !said().source.trim() && session.changes.some(({ code, what: kind }) => kind === "new" && !session.settled.facts[code].source);
    if (isSourceless) return ask("change-source", say("sourceWanted"));
    if (what === "propose" && !said().title.trim()) return ask("change-title", say("titleWanted"));
    document.body.classList.add("is-sending");
    try {
      const outcome = await (what === "save" ? sender.save() : sender.propose());
      if (outcome.what === "nothing") return notify(say("changesNone"));
      if (outcome.what === "conflict") return void (await settleConflicts(outcome.conflicts ?? [], what, outcome.isOfSet === true));
      const id = /** @type {{id: number}} */ (session.changeSet).id;
      const link = { text: say("lookAtIt"), run: () => location.assign(`${pages}${id}/`) };
      if (outcome.what === "proposed") {
        await forget();
        onProposed();
        notify(say("proposed"), { link });
      } else {
        if (!session.isUnsaved) await forget();
        onSaved(id);
        const notes = Object.entries(outcome.body.notes ?? {}).map(([code, note]) => `${nameOf(code)}: ${note}`);
        notify([say("saved"), outcome.body.moved_m > 0 ? say("snapped") : "", ...notes].filter(Boolean).join(" "), { link });
      }
    } catch (error) {
      if (error instanceof ApiError && error.status === 0) keep();
      failed(error);
      wrong(explained(error));
    } finally {
      document.body.classList.remove("is-sending");
    }
  }

  /**
   * @param {Conflict[]} conflicts
   * @param {"save" | "propose"} what was asked for
   * @param {boolean} isOfSet
   */
  async function settleConflicts(conflicts, what, isOfSet) {
    const choices = await settle(conflicts);
    if (!choices) {
      keep();
      return notify(say("conflictLater"), { isWrong: true, link: { text: say("decideNow"), run: () => void send(what) } });
    }
    const { body } = await api("GET", `cities/${city}/partition`);
    const base = readCity(body);
    const chosen = new Map(choices.map((one) => [one.code, one]));
    const mine = placesOf(session.base, session.settled).flatMap((one) => {
      const answer = chosen.get(one.code);
      return answer?.choice === "theirs" ? [] : [answer ? { ...one, shape: answer.shape } : one];
    });
    if (isOfSet) await sender.again();
    // What another saved into the same change set stays in it; over what is in force, only mine is laid.
    const under = isOfSet && session.changeSet ? readCity((await api("GET", `cities/${city}/partition?change_set=${session.changeSet.id}`)).body) : base;
    onSettled(base, body.version, withPlaces(under, mine, session.settled.partition.origins));
    notify(say("settled"));
    if (session.changes.length) await send(what);
  }

  return send;
}
