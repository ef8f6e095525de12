// @ts-check
/**
 * Keeping what was tried as a scenario: saved, saved again, saved by two people at once.
 *
 * @import { Api } from "../api.js"
 * @import { Change } from "./model.js"
 *
 * @typedef {object} Content
 * @property {string} name
 * @property {string} note
 * @property {boolean} is_shared
 * @property {Record<string, any>} question
 * @property {Change[]} changes
 *
 * @typedef {Content & {id: number, version: number, may_save: boolean, newer_releases: string[], draft: (Content & {based_on: number}) | null}} Scenario
 */

import { ApiError } from "../api.js";
import { dialog, input, part } from "../workbench/dom.js";
import { count, say } from "../workbench/words.js";
import { notice, versionOf } from "./panel.js";

/**
 * @param {object} parts
 * @param {Api} parts.api
 * @param {string} parts.city
 * @param {{page: string, city: string, compare: string}} parts.urls
 * @param {Scenario | null} parts.scenario that is open
 * @param {() => {question: Record<string, any>, changes: Change[]}} parts.content as it would be saved
 * @param {(content: {question: Record<string, any>, changes: Change[]}) => void} parts.take another content
 * @param {(scenario: Scenario, before: number | null, sent: {question: Record<string, any>, changes: Change[]}) => void} parts.onSaved sent: what was saved; it may have been changed since
 * @param {() => void} parts.onEdit name, note or sharing were edited
 * @param {(change: Change) => string} parts.describe
 */
export function makeSaver({ api, city, urls, scenario, content, take, onSaved, onEdit, describe }) {
  let open = scenario;
  const form = /** @type {HTMLFormElement} */ (part("save-form"));
  const [name, note, shared] = [input("name"), /** @type {HTMLTextAreaElement} */ (/** @type {unknown} */ (part("note"))), input("is-shared")];
  const state = part("save-state");
  const [save, saveNew] = [/** @type {HTMLButtonElement} */ (part("save")), /** @type {HTMLButtonElement} */ (part("save-new"))];
  form.hidden = false;
  let isSending = false;

  /** @returns {Content} */
  const body = () => ({ name: name.value.trim(), note: note.value.trim(), is_shared: shared.checked, ...content() });

  const arrange = () => {
    part("scenario-line").hidden = !open;
    part("scenario-name").textContent = open?.name ?? "";
    save.hidden = open !== null && !open.may_save;
    saveNew.hidden = open === null;
    part("saved-links").hidden = open === null;
    if (!open) return;
    /** @type {HTMLAnchorElement} */ (part("link-compare")).href = `${urls.compare}?with=now,${open.id}`;
    /** @type {HTMLAnchorElement} */ (part("link-city")).href = `${urls.city}?scenario=${open.id}`;
  };

  /** @param {string} text @param {boolean} [isWrong] */
  const tell = (text, isWrong = false) => {
    state.textContent = text;
    state.classList.toggle("is-wrong", isWrong);
  };

  /** @param {Scenario} saved @param {{question: Record<string, any>, changes: Change[]}} sent */
  const done = (saved, sent) => {
    const before = open?.id ?? null;
    open = saved;
    const address = new URL(location.href);
    address.searchParams.set("scenario", String(saved.id));
    history.replaceState(null, "", address);
    tell(say("saved"));
    arrange();
    onSaved(saved, before, sent);
  };

  /** @param {() => Promise<{body: any}>} ask */
  const send = async (ask) => {
    if (isSending) return;
    isSending = true;
    tell(say("computing"));
    const sent = content();
    try {
      done((await ask()).body, sent);
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) decide(error.problem);
      else tell(error instanceof ApiError && error.status === 0 ? say("offline") : `${say("failed")} ${error instanceof Error ? error.message : ""}`, true);
    } finally {
      isSending = false;
    }
  };

  /** @param {number | null} version null to make another scenario */
  const put = (version) => {
    if (!name.value.trim()) {
      tell(say("nameNeeded"), true);
      name.focus();
      return;
    }
    void send(() => (version === null || !open ? api("POST", `cities/${city}/scenarios`, { body: body() }) : api("PUT", `scenarios/${open.id}`, { body: body(), version })));
  };

  /** @param {number} id */
  const dropDraft = (id) => api("DELETE", `scenarios/${id}/draft`).catch(() => {});

  /** Somebody saved in between: both versions stand side by side until it is decided. @param {Record<string, any>} problem */
  const decide = (problem) => {
    tell("");
    const box = dialog("stale");
    const { mine, theirs, version } = /** @type {{mine: Content, theirs: Content, version: number}} */ (problem);
    part("versions").replaceChildren(versionOf(say("yours"), mine, describe), versionOf(say("theirs", { n: count(version) }), theirs, describe));
    const id = /** @type {Scenario} */ (open).id;
    const buttons = { mine: part("stale-mine"), new: part("stale-new"), theirs: part("stale-theirs"), later: part("stale-later") };
    buttons.mine.onclick = () => {
      box.close();
      put(version);
    };
    buttons.new.onclick = () => {
      box.close();
      void send(async () => {
        const made = await api("POST", `cities/${city}/scenarios`, { body: body() });
        await dropDraft(id);
        return made;
      });
    };
    buttons.theirs.onclick = () => {
      box.close();
      void dropDraft(id);
      [name.value, note.value, shared.checked] = [theirs.name, theirs.note, theirs.is_shared];
      take(theirs); // what was here before stays one Undo away
      done({ .../** @type {Scenario} */ (open), ...theirs, version }, content());
    };
    buttons.later.onclick = () => box.close();
    box.showModal();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    put(open && open.may_save ? open.version : null);
  });
  saveNew.addEventListener("click", () => put(null));
  form.addEventListener("input", () => {
    tell("");
    onEdit();
  });
  arrange();

  const draft = scenario?.draft;
  if (scenario && draft) {
    notice(say("draft"), "plain", [
      [say("draftOpen"), () => {
        [name.value, note.value, shared.checked] = [draft.name, draft.note, draft.is_shared];
        take(draft);
      }],
      [say("draftDrop"), () => void dropDraft(scenario.id)],
    ]);
  }
  if (scenario?.newer_releases.length) notice(say("newer"));

  return {
    /** @returns {Scenario | null} */
    get open() {
      return open;
    },
    /** @returns {{name: string, note: string, is_shared: boolean}} */
    get said() {
      return { name: name.value, note: note.value, is_shared: shared.checked };
    },
    /** @param {{name: string, note: string, is_shared: boolean}} said */
    write(said) {
      [name.value, note.value, shared.checked] = [said.name, said.note, said.is_shared];
    },
    /** @param {number | null} version on which the work that was put back is based */
    basedOn(version) {
      if (open && version !== null) open = { ...open, version };
    },
    isEdited() {
      const { name: n, note: t, is_shared: s } = { name: name.value.trim(), note: note.value.trim(), is_shared: shared.checked };
      return n !== (open?.name ?? "") || t !== (open?.note ?? "") || s !== (open?.is_shared ?? false);
    },
  };
}
