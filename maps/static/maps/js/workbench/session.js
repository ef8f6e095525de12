// @ts-check
/**
 * What is going on at the workbench: the document and its history, what is chosen, held and drawn. It knows nothing of the page;
 * whoever shows something of it listens.
 *
 * @import { Change, Doc, Handle, Ring } from "./document.js"
 * @import { Position } from "./geometry.js"
 * @import { History } from "./history.js"
 *
 * @typedef {"select" | "draw" | "split" | "merge" | "cut" | "hole" | "part" | "fill" | "shape"} Tool
 * @typedef {"doc" | "live" | "chosen" | "vertex" | "tool"} Happening
 * @typedef {{id: number, version: number, status: string} | null} ChangeSetRef
 */

import { changesOf, isThere, ringsOf } from "./document.js";
import { begin, canRedo, canUndo, present, record, redo, redoLabel, undo, undoLabel } from "./history.js";

export class Session {
  /** @type {Map<Happening, (() => void)[]>} */
  #listeners = new Map();
  /** @type {Doc | null} while a vertex is dragged */
  #live = null;

  /** @param {Doc} base */
  constructor(base) {
    /** What is in force. */
    this.base = base;
    /** What was saved last: nothing is unsaved while the document is this. */
    this.saved = base;
    this.history = begin(base);
    /** @type {string | null} */
    this.chosen = null;
    /** @type {{polygon: number, ring: number}} */
    this.ringAt = { polygon: 0, ring: 0 };
    /** @type {number | null} */
    this.vertex = null;
    /** @type {string | null} what was chosen before an edit made another place of it */
    this.cameFrom = null;
    /** @type {Tool} */
    this.tool = "select";
    /** @type {ChangeSetRef} */
    this.changeSet = null;
  }

  /** The document as of the last step. @returns {Doc} */
  get settled() {
    return present(this.history);
  }

  /** The document as it is shown: with the vertex that is being dragged where it is now. */
  get doc() {
    return this.#live ?? this.settled;
  }

  get isLive() {
    return this.#live !== null;
  }

  get isUnsaved() {
    return this.settled !== this.saved;
  }

  /** What Undo and Redo would do, in the reader's words; null where there is nothing. */
  get steps() {
    return { undo: canUndo(this.history) ? (undoLabel(this.history) ?? "") : null, redo: canRedo(this.history) ? (redoLabel(this.history) ?? "") : null };
  }

  /** @returns {Change[]} */
  get changes() {
    return changesOf(this.base, this.settled);
  }

  /**
   * @param {Happening} what
   * @param {() => void} run
   */
  on(what, run) {
    this.#listeners.set(what, [...(this.#listeners.get(what) ?? []), run]);
  }

  /** @param {Happening[]} what */
  #tell(...what) {
    for (const name of what) for (const run of this.#listeners.get(name) ?? []) run();
  }

  /**
   * Take a new document as one step; steps of the same gesture are one.
   * @param {Doc} doc
   * @param {string} label
   * @param {string} [gesture]
   */
  commit(doc, label, gesture) {
    this.#live = null;
    this.history = record(this.history, doc, label, gesture);
    this.#after();
  }

  /**
   * Show a document that is not yet a step.
   * @param {Doc | null} doc
   */
  preview(doc) {
    this.#live = doc;
    this.#tell("live");
  }

  /** Drop what was shown but not kept. */
  settle() {
    this.#live = null;
    this.#tell("doc");
  }

  undo() {
    this.#live = null;
    this.history = undo(this.history);
    this.#after();
  }

  redo() {
    this.#live = null;
    this.history = redo(this.history);
    this.#after();
  }

  /**
   * Start anew from what is in force and what is edited.
   * @param {Doc} base
   * @param {{doc?: Doc, history?: History<Doc>, saved?: Doc}} [how]
   */
  restart(base, { doc = base, history = begin(doc), saved = doc } = {}) {
    this.base = base;
    this.history = history;
    this.saved = saved;
    this.#live = null;
    this.#after();
  }

  /** The document as it is now is saved. */
  markSaved() {
    this.saved = this.settled;
    this.#tell("doc");
  }

  #after() {
    if (this.chosen && !isThere(this.settled, this.chosen)) {
      this.chosen = this.cameFrom && isThere(this.settled, this.cameFrom) ? this.cameFrom : null;
      this.ringAt = { polygon: 0, ring: 0 };
      this.vertex = null;
      this.#tell("doc", "chosen", "vertex");
      return;
    }
    const ring = this.ring;
    if (this.vertex !== null && (!ring || this.vertex >= ring.handles.length)) this.vertex = null;
    this.#tell("doc", "vertex");
  }

  /** @param {string | null} code */
  choose(code) {
    if (code === this.chosen) return;
    this.chosen = code;
    this.ringAt = { polygon: 0, ring: 0 };
    this.vertex = null;
    this.#tell("chosen", "vertex");
  }

  /** @param {Tool} tool */
  take(tool) {
    this.tool = tool;
    this.vertex = null;
    this.#tell("tool", "vertex");
  }

  /** @returns {Ring | null} the ring whose vertices can be held */
  get ring() {
    if (!this.chosen) return null;
    const rings = ringsOf(this.doc, this.chosen);
    return rings.find(({ polygon, ring }) => polygon === this.ringAt.polygon && ring === this.ringAt.ring) ?? rings[0] ?? null;
  }

  /** @returns {Handle | null} */
  get handle() {
    return this.vertex === null ? null : (this.ring?.handles[this.vertex] ?? null);
  }

  /**
   * Hold a vertex of the chosen place.
   * @param {number | null} index
   */
  hold(index) {
    this.vertex = index;
    this.#tell("vertex");
  }

  /**
   * Go to the ring of the chosen place that passes nearest to a position.
   * @param {(at: Position) => number} far how far a position is
   */
  nearest(far) {
    if (!this.chosen) return;
    let best = Infinity;
    for (const { polygon, ring, handles } of ringsOf(this.doc, this.chosen)) {
      for (const { at } of handles) {
        const here = far(at);
        if (here < best) [best, this.ringAt] = [here, { polygon, ring }];
      }
    }
  }
}

