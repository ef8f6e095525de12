// @ts-check
/**
 * How long to wait before asking again how far something is. Pure.
 *
 * What has just moved is asked for soon; what stands still ever more rarely; a server that cannot be reached more rarely still.
 */

const SOONEST_MS = 400;
const LONGEST_MS = 5_000;
const LONGEST_AWAY_MS = 20_000;
const GROWTH = 1.5;

/** How long to wait the first time. */
export const FIRST_MS = SOONEST_MS;

/**
 * Return the next wait.
 * @param {number} before the wait before this answer
 * @param {"moved" | "still" | "away"} answer
 */
export function nextWait(before, answer) {
  if (answer === "moved") return SOONEST_MS;
  return Math.min(Math.max(before, SOONEST_MS) * GROWTH, answer === "away" ? LONGEST_AWAY_MS : LONGEST_MS);
}
