// @ts-check
/**
 * Which pieces of path are chosen, and all that was chosen before: pure, so that undo and redo can be trusted.
 *
 * @typedef {object} Edit
 * @property {ReadonlySet<string>} chosen names of pieces
 * @property {readonly ReadonlySet<string>[]} past the newest last
 * @property {readonly ReadonlySet<string>[]} future the next last
 */

const MOST_STEPS = 500;

/**
 * Begin with pieces.
 * @param {Iterable<string>} pieces
 * @returns {Edit}
 */
export const begun = (pieces) => ({ chosen: new Set(pieces), past: [], future: [] });

/**
 * Choose other pieces; nothing happens where they are the same.
 * @param {Edit} edit
 * @param {Iterable<string>} pieces
 * @returns {Edit}
 */
export function replaced(edit, pieces) {
  const chosen = new Set(pieces);
  if (chosen.size === edit.chosen.size && [...chosen].every((name) => edit.chosen.has(name))) return edit;
  return { chosen, past: [...edit.past, edit.chosen].slice(-MOST_STEPS), future: [] };
}

/**
 * Add a piece, or take it away where it is chosen.
 * @param {Edit} edit
 * @param {string} name
 * @returns {Edit}
 */
export function toggled(edit, name) {
  const chosen = new Set(edit.chosen);
  if (!chosen.delete(name)) chosen.add(name);
  return replaced(edit, chosen);
}

/** @param {Edit} edit @returns {Edit} */
export function undone(edit) {
  const before = edit.past.at(-1);
  return before ? { chosen: before, past: edit.past.slice(0, -1), future: [...edit.future, edit.chosen] } : edit;
}

/** @param {Edit} edit @returns {Edit} */
export function redone(edit) {
  const next = edit.future.at(-1);
  return next ? { chosen: next, past: [...edit.past, edit.chosen], future: edit.future.slice(0, -1) } : edit;
}

/**
 * Return what has to be drawn anew between two choices.
 * @param {ReadonlySet<string>} before
 * @param {ReadonlySet<string>} after
 */
export function difference(before, after) {
  return { added: [...after].filter((name) => !before.has(name)), gone: [...before].filter((name) => !after.has(name)) };
}

/**
 * Return the nearest points to a point, the nearest first; good for a few hundred metres.
 * @template {{lon: number, lat: number}} T
 * @param {readonly T[]} points
 * @param {[number, number]} at
 * @param {number} most
 * @returns {T[]}
 */
export function nearest(points, [lon, lat], most) {
  const east = Math.cos((lat * Math.PI) / 180);
  /** @param {T} one */
  const away = (one) => Math.hypot((one.lon - lon) * east, one.lat - lat);
  return points.map((one) => ({ one, far: away(one) })).sort((a, b) => a.far - b.far).slice(0, most).map(({ one }) => one);
}
