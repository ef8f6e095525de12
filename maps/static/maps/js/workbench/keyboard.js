// @ts-check
/**
 * The workbench without a mouse. Letters are told by their place on the keyboard, so that they work in a Persian layout too.
 *
 * @import { Handling } from "./handling.js"
 * @import { WorkbenchMap } from "./map.js"
 * @import { Session, Tool } from "./session.js"
 */

import { input } from "./dom.js";
import { metresPerDegree } from "./measure.js";

const TOOLS = /** @type {Record<string, Tool>} */ ({ KeyV: "select", KeyD: "draw", KeyS: "split", KeyM: "merge", KeyC: "cut", KeyH: "hole", KeyA: "part", KeyG: "fill", KeyU: "shape" });
const PAUSE_MS = 1500;
const STEPS = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] });

/** @param {EventTarget | null} target */
export function isWriting(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) && !(target instanceof HTMLInputElement && /^(radio|checkbox|button)$/.test(target.type));
}

/**
 * @param {object} parts
 * @param {Session} parts.session
 * @param {Handling} parts.handling
 * @param {WorkbenchMap} parts.view
 * @param {(name: string) => void} parts.run a command by its name
 */
export function listen({ session, handling, view, run }) {
  const { gestures } = handling;
  const canvas = view.map.getCanvas();
  /** Nudges of a vertex that follow closely are one step of the history. */
  let nudges = { series: 0, vertex: -1, at: 0 };

  /** Put a vertex under the keys. @param {number} step */
  const walk = (step) => {
    const { ring, vertex } = session;
    if (!ring) return;
    const next = vertex === null ? 0 : (vertex + step + ring.handles.length) % ring.handles.length;
    session.hold(next);
    const { at } = ring.handles[next];
    view.pan([at[0], at[1]]);
    canvas.focus();
  };

  /** @param {KeyboardEvent} event @returns {boolean} whether the key meant something */
  const pressed = (event) => {
    const { key, code, shiftKey } = event;
    const isOnMap = document.activeElement === canvas || document.activeElement === document.body;
    if (event.ctrlKey || event.metaKey) {
      if (code === "KeyZ") return run(shiftKey ? "redo" : "undo"), true;
      if (code === "KeyY") return run("redo"), true;
      if (code === "KeyS") return run("save"), true;
      return false;
    }
    if (event.altKey) return false;
    if (key === "Escape") {
      if (gestures.isDrawing() || session.tool !== "select") handling.take("select");
      else if (session.vertex !== null) session.hold(null);
      else if (session.chosen) session.choose(null);
      else return false;
      return true;
    }
    if (key === "?" || key === "؟") return run("keys"), true;
    if (key === "/") return run("find"), true;
    if (gestures.isDrawing() && isOnMap) {
      if (key === " ") {
        const { lng, lat } = view.map.getCenter();
        gestures.addPoint([lng, lat], { isExact: false });
        return true;
      }
      if (key === "Enter") return handling.finishSketch(), true;
      if (key === "Backspace") return gestures.undoPoint(), true;
    }
    if (session.vertex !== null && isOnMap) {
      const step = STEPS[key];
      const { handle } = session;
      if (step && handle) {
        const [x_m, y_m] = metresPerDegree(handle.at[1]);
        const metres = shiftKey ? 10 : 1;
        const isSame = nudges.vertex === session.vertex && event.timeStamp - nudges.at < PAUSE_MS;
        nudges = { series: nudges.series + (isSame ? 0 : 1), vertex: session.vertex ?? -1, at: event.timeStamp };
        handling.moveVertex([handle.at[0] + (step[0] * metres) / x_m, handle.at[1] + (step[1] * metres) / y_m], `nudge ${nudges.series}`);
        if (session.handle) view.pan([session.handle.at[0], session.handle.at[1]]);
        return true;
      }
      if (key === "Enter") return input("vertex-lon").focus(), input("vertex-lon").select(), true;
      if (key === "Delete" || key === "Backspace") return handling.removeVertex(), true;
      if (code === "KeyI") return handling.insertVertex(), true;
    }
    if (session.chosen && !gestures.isDrawing()) {
      if (code === "Comma") return walk(-1), true;
      if (code === "Period") return walk(1), true;
      if (code === "KeyE") return walk(0), true;
    }
    if (shiftKey) return false;
    if (code === "KeyT") return run("trace"), true;
    if (code === "KeyM" && session.chosen && session.tool !== "merge") return void handling.merge(), true;
    const tool = TOOLS[code];
    if (tool) return run(`tool:${tool}`), true;
    return false;
  };

  // Before the site's own keys, which know nothing of drawing.
  document.addEventListener(
    "keydown",
    (event) => {
      if (document.querySelector("dialog[open]")) return;
      const isCommand = (event.ctrlKey || event.metaKey) && ["KeyS"].includes(event.code);
      if (isWriting(event.target) && !isCommand) {
        if (event.key === "Escape" && event.target instanceof HTMLElement) {
          event.target.blur();
          canvas.focus();
        }
        return;
      }
      // The arrow keys and Enter belong to whatever has the focus; only the map shares them.
      if (event.target instanceof HTMLElement && event.target.closest("button, a, summary, [role=tab]") && /^(Enter| |Arrow|Backspace|Delete)/.test(event.key)) return;
      if (!pressed(event)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    { capture: true },
  );
}
