// @ts-check
/**
 * Who else edits this city, and where.
 *
 * @import { Api } from "../api.js"
 *
 * @typedef {{user: string, places: string[], seen_at: string}} Person
 */

import { make, part } from "./dom.js";
import { clock, comma, say } from "./words.js";

const EVERY_MS = 20_000;

/**
 * @param {object} parts
 * @param {Api} parts.api
 * @param {string} parts.city
 * @param {() => string[]} parts.placesOf what is being edited here
 * @param {(code: string) => string} parts.nameOf
 */
export function makePresence({ api, city, placesOf, nameOf }) {
  let timer = 0;
  const tell = async () => {
    clearTimeout(timer);
    try {
      const { body } = await api("PUT", `cities/${city}/presence`, { body: { places: placesOf() } });
      show(body.others);
    } catch {
      show([]); // who is here is a help, not a need: what goes wrong is asked again later
    }
    timer = window.setTimeout(() => void tell(), document.hidden ? 3 * EVERY_MS : EVERY_MS);
  };
  /** @param {Person[]} people */
  const show = (people) => {
    part("people").hidden = people.length === 0;
    part("people-count").textContent = say("others", { n: people.length });
    part("people-list").replaceChildren(...people.map((one) => make("li", {}, make("b", {}, one.user), one.places.length ? ` ${one.places.slice(0, 4).map(nameOf).join(comma())}` : "", one.seen_at ? make("span", { className: "note" }, clock(one.seen_at)) : null)));
  };
  void tell();
  return { tell: () => void tell() };
}
