// @ts-check
/** Lines of a text that somebody writes. Pure. */

/**
 * Return where a line of a text begins and ends.
 * @param {string} text
 * @param {number} line counted from 1
 * @returns {[number, number]}
 */
export function lineOf(text, line) {
  const before = text.split("\n").slice(0, Math.max(line - 1, 0));
  const begin = Math.min(before.reduce((sum, one) => sum + one.length + 1, 0), text.length);
  const end = text.indexOf("\n", begin);
  return [begin, end < 0 ? text.length : end];
}
