// @ts-check
/**
 * What an answer says of each place: how it is, how it would be, who gains and who loses. Pure.
 *
 * @import { Language } from "../numbers.js"
 *
 * @typedef {{name: string, kind: string, people: number, score: number | null, rank: number, services: Record<string, [number | null, number]>}} BasePlace
 * @typedef {object} Base the city as it is
 * @property {string} travel
 * @property {boolean} is_time
 * @property {string} population code of the source of people
 * @property {string} population_name
 * @property {{code: string, name: string, threshold_m: number, weight: number, layer: string}[]} services
 * @property {Record<string, BasePlace>} places
 * @property {Record<string, {uncovered_people: number, uncovered_share: number | null}>} totals
 *
 * @typedef {object} Answer only what differs from the base
 * @property {string} since
 * @property {Base} [base]
 * @property {Record<string, {score: number | null, rank: number, services: Record<string, [number | null, number, number, number]>}>} places
 * @property {Record<string, {uncovered_people: number, uncovered_share: number | null, gained: number, lost: number}>} totals
 * @property {string[]} warnings
 * @property {number} server_ms
 *
 * @typedef {"uncovered" | "change" | "priority"} Show
 *
 * @typedef {object} PlaceNow
 * @property {number | null} before share of people without the service as it is
 * @property {number | null} share as it would be
 * @property {number} gained people
 * @property {number} lost people
 * @property {number | null} score
 * @property {number} rankBefore
 * @property {number} rank
 *
 * @typedef {{code: string, name: string, isSettlement: boolean, gained: number, lost: number, rankBefore: number, rank: number, scoreBefore: number | null, score: number | null}} Effect
 */

import { DASH, number } from "../numbers.js";

/**
 * Return what an answer says of a place and a service.
 * @param {Base} base
 * @param {Answer | null} answer
 * @param {string} code
 * @param {string} service
 * @returns {PlaceNow}
 */
export function placeNow(base, answer, code, service) {
  const was = base.places[code];
  const now = answer?.places[code];
  const [before] = was.services[service] ?? [null, 0];
  const [share, , gained, lost] = now?.services[service] ?? [before, 0, 0, 0];
  return { before, share, gained, lost, score: now ? now.score : was.score, rankBefore: was.rank, rank: now ? now.rank : was.rank };
}

/**
 * Return the number that the colour of a place shows; a change is in percentage points, above 0 better.
 * @param {PlaceNow} place
 * @param {Show} show
 * @returns {number | null}
 */
export function shownValue(place, show) {
  if (show === "priority") return place.score;
  if (show === "uncovered") return place.share;
  return place.before === null || place.share === null ? null : (place.before - place.share) * 100;
}

/**
 * Return the class of a number, -1 where there is none: a class holds its lower bound.
 * @param {number | null} value
 * @param {readonly number[]} bounds those between classes, ascending
 */
export function classOf(value, bounds) {
  if (value === null || !Number.isFinite(value)) return -1;
  return bounds.filter((bound) => bound <= value).length;
}

/**
 * Return the places for which something changes: those with most people concerned first, or those that change rank most.
 * Where nobody gains or loses the service, as with other weights, it is by rank.
 * @param {Base} base
 * @param {Answer | null} answer
 * @param {string} service
 * @param {{byRank?: boolean}} [how]
 * @returns {Effect[]}
 */
export function effectsOf(base, answer, service, { byRank = false } = {}) {
  const all = Object.entries(answer?.places ?? {}).map(([code, { rank, score, services }]) => {
    const [, , gained, lost] = services[service] ?? [null, 0, 0, 0];
    const { name, kind, rank: rankBefore, score: scoreBefore } = base.places[code];
    return { code, name, isSettlement: kind === "settlement", gained: Math.round(gained), lost: Math.round(lost), rankBefore, rank, scoreBefore, score };
  });
  const isByRank = byRank || !all.some(({ gained, lost }) => gained + lost > 0);
  /** @param {Effect} one */
  const moved = (one) => (isByRank ? Math.abs(one.rank - one.rankBefore) : one.gained + one.lost);
  return all.filter((one) => moved(one) > 0).sort((a, b) => moved(b) - moved(a) || (a.code < b.code ? -1 : 1));
}

/**
 * Return people and places by class; settlements lie over neighbourhoods and are not counted again.
 * @param {Base} base
 * @param {ReadonlyMap<string, number>} classes by place
 */
export function byClass(base, classes) {
  const isAll = !Object.values(base.places).some(({ kind }) => kind !== "settlement");
  /** @type {Map<number, {people: number, places: number}>} */
  const found = new Map();
  for (const [code, index] of classes) {
    const { kind, people } = base.places[code];
    const row = found.get(index) ?? { people: 0, places: 0 };
    found.set(index, { people: row.people + (isAll || kind !== "settlement" ? people : 0), places: row.places + 1 });
  }
  return found;
}

/**
 * Return the people of the city, those of settlements within neighbourhoods once.
 * @param {Base} base
 */
export function totalPeople(base) {
  const all = Object.values(base.places);
  const counted = all.filter(({ kind }) => kind !== "settlement");
  return (counted.length ? counted : all).reduce((sum, { people }) => sum + people, 0);
}

/**
 * Write a share as per cent, as maps/pages/formats.py does: one that is nearly none or nearly all is never rounded to it.
 * @param {number | null} share
 * @param {Language} language
 */
export function percent(share, language) {
  if (share === null || !Number.isFinite(share)) return DASH;
  let [value, decimals] = [share * 100, 0];
  if ((value > 0 && value < 1) || (value > 99 && value < 100)) [value, decimals] = [Math.min(Math.max(value, 0.1), 99.9), 1];
  return number(value, language, decimals) + (language === "fa" ? "٪" : "%");
}
