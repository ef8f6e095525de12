// @ts-check
/**
 * What stands beside the map: changes, who gains and who loses, facilities to choose from, and the chosen one.
 *
 * @import { Effect } from "./effects.js"
 * @import { Change, Shown } from "./model.js"
 */

import { make, part, walkable } from "../workbench/dom.js";
import { count, isolate, metres, say } from "../workbench/words.js";
import { apart_m, length_m } from "./model.js";

const MOST_EFFECTS = 10;
const MOST_LISTED = 60;

/**
 * Return what a facility is called.
 * @param {Pick<Shown, "name" | "order" | "state">} facility
 * @param {string} service its name as it stands in a sentence
 */
export function nameOf({ name, order, state }, service) {
  if (name) return name;
  return say(state === "added" ? "newOne" : "unnamed", { service, n: order });
}

/**
 * Say what a change does.
 * @param {Change} change
 * @param {(service: string) => Shown[]} shown facilities of a service as they would be, without taking part in closing
 * @param {(service: string) => string} word
 */
export function described(change, shown, word) {
  if (change.type === "street-drawn") return say(`street-${change.kind}`, { distance: metres(length_m(change.coordinates)) });
  const key = change.type === "facility-added" ? `+${change.id}` : `#${change.number}`;
  const one = shown(change.service).find((facility) => facility.key === key);
  const name = one ? nameOf(one, word(change.service)) : say("unnamed", { service: word(change.service), n: change.type === "facility-added" ? 0 : change.number });
  if (change.type === "facility-added") return say("added", { name });
  if (change.type === "facility-closed") return say("closed", { name });
  if (change.type === "capacity-changed") return say("capacity", { name, n: count(change.capacity) });
  const from = one?.from ?? change.was;
  return say("moved", { name, distance: from ? metres(apart_m(from, [change.lon, change.lat])) : "" });
}

/**
 * Show the list of changes, each of which can be taken back.
 * @param {readonly Change[]} changes
 * @param {(change: Change) => string} describe
 * @param {(index: number) => void} remove
 * @param {(index: number) => void} point
 * @param {readonly {text: string, back: () => void}[]} asked limits, weights and needs that are not the city's
 */
export function showChanges(changes, describe, remove, point, asked) {
  part("changes-none").hidden = changes.length + asked.length > 0;
  const list = part("changes");
  const focused = [...list.querySelectorAll("button")].indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
  list.replaceChildren(
    ...changes.map((change, index) => {
      const text = describe(change);
      const back = make("button", { type: "button", className: "link", "aria-label": say("removeThis", { what: text }), onclick: () => remove(index) }, say("remove"));
      return make("li", {}, make("button", { type: "button", className: "wi-what", onclick: () => point(index) }, text), back);
    }),
    ...asked.map(({ text, back }) => make("li", {}, make("span", { className: "wi-what" }, text), make("button", { type: "button", className: "link", "aria-label": say("removeThis", { what: text }), onclick: back }, say("remove")))),
  );
  const buttons = list.querySelectorAll("button");
  if (focused >= 0) (buttons[Math.min(focused, buttons.length - 1)] ?? part("undo")).focus();
}

let isWhole = false;
part("effects-all").addEventListener("click", () => {
  isWhole = !isWhole;
  part("effects-all").dispatchEvent(new CustomEvent("whole", { bubbles: true }));
});

/**
 * Show who gains and who loses.
 * @param {readonly Effect[]} effects
 * @param {string} places address below which places are
 */
export function showEffects(effects, places) {
  document.getElementById("effects-more")?.remove();
  part("effects-none").hidden = effects.length > 0;
  part("effects-scroll").hidden = effects.length === 0;
  const all = part("effects-all");
  all.hidden = effects.length <= MOST_EFFECTS;
  all.textContent = isWhole ? say("showFewer") : say("showAll", { n: effects.length });
  part("effects").replaceChildren(
    ...effects.slice(0, isWhole ? effects.length : MOST_EFFECTS).map(({ code, name, isSettlement, gained, lost, rankBefore, rank, scoreBefore, score }) => {
      const mark = isSettlement && make("span", { className: "kind", title: say("settlement") }, " ◆", make("span", { className: "visually-hidden" }, say("settlement")));
      const [ranks, scores] = [became(count(rankBefore), count(rank)), became(count(scoreBefore, 1), count(score, 1))];
      return make(
        "tr",
        { dataset: { code } },
        make("th", { scope: "row" }, make("a", { href: `${places}${encodeURIComponent(code)}/` }, make("bdi", {}, name)), mark),
        make("td", { className: "num gain" }, gained ? count(gained) : ""),
        make("td", { className: "num lose" }, lost ? count(lost) : ""),
        make("td", { className: "num" }, ranks, " ", make("span", { className: "under" }, scores)),
      );
    }),
  );
}

/** @param {string} before @param {string} after */
const became = (before, after) => (before === after ? before : say("ranks", { before, after }));

const facilityList = part("facilities");
const walking = walkable(facilityList);

/**
 * Show the facilities to choose from, by a part of their name.
 * @param {readonly Shown[]} shown
 * @param {{chosen: string | null, word: string, text: string, choose: (key: string) => void}} how
 */
export function showFacilities(shown, { chosen, word, text, choose }) {
  part("facilities-count").textContent = say("facilitiesN", { n: shown.length });
  const wanted = text.trim().toLocaleLowerCase();
  const found = shown.map((one) => ({ one, name: nameOf(one, word) })).filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
  const rows = found.slice(0, MOST_LISTED).map(({ one, name }) => {
    const state = one.state === "stays" ? null : make("span", { className: "note" }, say(`state-${one.state}`));
    return make("li", {}, make("button", { type: "button", "aria-current": one.key === chosen ? "true" : null, dataset: { key: one.key }, onclick: () => choose(one.key) }, make("bdi", {}, name), state));
  });
  if (!found.length) rows.push(make("li", { className: "soft" }, say("noFacilities")));
  if (found.length > MOST_LISTED) rows.push(make("li", { className: "soft" }, say("moreFacilities", { n: found.length - MOST_LISTED })));
  const focused = document.activeElement instanceof HTMLElement && facilityList.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  facilityList.replaceChildren(...rows);
  walking.settle();
  if (focused) /** @type {HTMLElement | null} */ (facilityList.querySelector(`[data-key="${CSS.escape(focused)}"]`))?.focus();
}

/**
 * Show the chosen facility and what may be done with it.
 * @param {Shown | null} one
 * @param {string} word
 * @param {number} most the capacity to which the slider goes
 */
export function showCard(one, word, most) {
  part("card").hidden = one === null;
  if (!one) return;
  part("card-name").textContent = nameOf(one, word);
  part("card-where").textContent = one.from ? say("where", { distance: metres(apart_m(one.from, one.at)) }) : one.state === "stays" ? "" : say(`state-${one.state}`);
  const isClosed = one.state === "closed";
  part("close-it").textContent = say(one.state === "added" ? "removeIt" : isClosed ? "reopenIt" : "closeIt");
  part("put-back").hidden = one.state !== "moved";
  part("put-back").textContent = say("putBack");
  /** @type {HTMLButtonElement} */ (part("mover")).disabled = isClosed;
  const capacity = /** @type {HTMLInputElement} */ (part("capacity"));
  capacity.disabled = /** @type {HTMLButtonElement} */ (part("capacity-set")).disabled = isClosed;
  if (document.activeElement !== capacity) capacity.value = one.capacity === null ? "" : count(one.capacity);
  const slide = /** @type {HTMLInputElement} */ (part("capacity-slide"));
  slide.disabled = isClosed;
  slide.setAttribute("aria-valuetext", count(one.capacity));
  slide.max = String(Math.max(most, one.capacity ?? 0));
  slide.value = String(one.capacity ?? 0);
}

/** @param {string} text @param {"wrong" | "plain"} [kind] @param {[string, () => void][]} [steps] */
export function notice(text, kind = "plain", steps = []) {
  const line = make("p", { className: `notice-line${kind === "wrong" ? " is-wrong" : ""}` }, make("span", {}, text));
  for (const [label, run] of steps) {
    line.append(
      make("button", { type: "button", className: "link", onclick: () => {
        line.remove();
        run();
      } }, label),
    );
  }
  line.append(make("button", { type: "button", className: "close", "aria-label": say("close"), onclick: () => line.remove() }, "×"));
  part("notices").append(line);
  return line;
}

/** @param {string} title @param {{name: string, note: string, is_shared: boolean, changes: readonly Change[]}} version @param {(change: Change) => string} describe */
export function versionOf(title, { name, note, is_shared, changes }, describe) {
  return make(
    "section",
    {},
    make("h3", {}, title),
    make("p", {}, isolate(name)),
    note && make("p", { className: "small" }, note),
    make("p", { className: "small soft" }, `${say(is_shared ? "shared" : "private")} · ${say("changesN", { n: changes.length })}`),
    make("ol", { className: "small" }, ...changes.map((change) => make("li", {}, describe(change)))),
  );
}
