// @ts-check
/**
 * Undo and redo as a list of values. Values share what did not change, so a step costs what it changed. Pure: each function returns a new history.
 *
 * @template T
 * @typedef {object} Step
 * @property {T} value
 * @property {string} label  what led to the value, for the reader
 * @property {string} [gesture]  steps of one gesture follow each other as one
 */

/**
 * @template T
 * @typedef {object} History
 * @property {readonly Step<T>[]} steps  the first is what was loaded
 * @property {number} at  index of the present step
 */

/** So many steps are kept; older ones can no longer be undone. */
export const MAX_STEPS = 500;

/**
 * Begin with what was loaded.
 * @template T
 * @param {T} value
 * @param {string} [label]
 * @returns {History<T>}
 */
export function begin(value, label = "") {
  return { steps: [{ value, label }], at: 0 };
}

/**
 * Return the present value.
 * @template T
 * @param {History<T>} history
 */
export function present(history) {
  return history.steps[history.at].value;
}

/**
 * Record an edit. What had been undone before it is forgotten. An edit that changed nothing is not recorded.
 * @template T
 * @param {History<T>} history
 * @param {T} value
 * @param {string} label
 * @param {string} [gesture] with the name of the step before, as while an arrow key is held, the edit takes its place
 * @returns {History<T>}
 */
export function record(history, value, label, gesture) {
  if (value === present(history)) return history;
  const isContinued = gesture !== undefined && history.at > 0 && history.steps[history.at].gesture === gesture;
  const kept = history.steps.slice(0, history.at + (isContinued ? 0 : 1));
  if (kept.length >= MAX_STEPS) kept.splice(1, kept.length - MAX_STEPS + 1); // what was loaded stays the first
  const step = gesture === undefined ? { value, label } : { value, label, gesture };
  return { steps: [...kept, step], at: kept.length };
}

/** @param {History<any>} history */
export function canUndo(history) {
  return history.at > 0;
}

/** @param {History<any>} history */
export function canRedo(history) {
  return history.at < history.steps.length - 1;
}

/**
 * Go back one step; at the first, stay.
 * @template T
 * @param {History<T>} history
 * @returns {History<T>}
 */
export function undo(history) {
  return canUndo(history) ? { ...history, at: history.at - 1 } : history;
}

/**
 * Go forward one step; at the last, stay.
 * @template T
 * @param {History<T>} history
 * @returns {History<T>}
 */
export function redo(history) {
  return canRedo(history) ? { ...history, at: history.at + 1 } : history;
}

/**
 * What would be undone? Null if nothing.
 * @param {History<any>} history
 */
export function undoLabel(history) {
  return canUndo(history) ? history.steps[history.at].label : null;
}

/**
 * What would be done again? Null if nothing.
 * @param {History<any>} history
 */
export function redoLabel(history) {
  return canRedo(history) ? history.steps[history.at + 1].label : null;
}

/**
 * How values are written: the first whole, each other as what it changes.
 * @template T
 * @typedef {object} Codec
 * @property {(value: T) => any} write
 * @property {(json: any) => T} read
 * @property {(before: T, after: T) => any} difference
 * @property {(before: T, difference: any) => T} changed
 */

/**
 * Write a history for autosave.
 * @template T
 * @param {History<T>} history
 * @param {Codec<T>} codec
 * @param {number} [most] steps to keep at most, the present one among them; the rest is one step from what was loaded
 */
export function toJson({ steps, at }, codec, most = MAX_STEPS) {
  const from = Math.max(1, Math.min(at, steps.length - most + 1));
  const kept = [steps[0], ...steps.slice(from)];
  const written = kept.slice(1).map(({ value, label, gesture }, i) => ({ label, gesture, change: codec.difference(kept[i].value, value) }));
  return { first: codec.write(steps[0].value), label: steps[0].label, steps: written, at: at === 0 ? 0 : at - from + 1 };
}

/**
 * Read a history that was saved.
 * @template T
 * @param {any} json
 * @param {Codec<T>} codec
 * @returns {History<T>}
 */
export function fromJson(json, codec) {
  /** @type {Step<T>[]} */
  const steps = [{ value: codec.read(json.first), label: json.label }];
  for (const { label, gesture, change } of json.steps) {
    const value = codec.changed(steps[steps.length - 1].value, change);
    steps.push(gesture === undefined ? { value, label } : { value, label, gesture });
  }
  return { steps, at: Math.max(0, Math.min(json.at, steps.length - 1)) };
}
