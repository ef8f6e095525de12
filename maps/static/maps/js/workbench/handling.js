// @ts-check
/**
 * From the hand to the document: choosing, dragging, drawing with each tool. Whatever cannot be done is said where it happened,
 * and the document stays as it was.
 *
 * @import { MapMouseEvent } from "maplibre-gl"
 * @import { Doc, Handle } from "./document.js"
 * @import { Position } from "./geometry.js"
 * @import { WorkbenchMap } from "./map.js"
 * @import { Session, Tool } from "./session.js"
 * @import { Gap, Made } from "./tools.js"
 *
 * @typedef {object} Bench
 * @property {Session} session
 * @property {WorkbenchMap} view
 * @property {(code: string) => string} nameOf
 * @property {(text: string) => void} hint
 * @property {() => void} onCreated a place was made: its name is wanted
 * @property {(at: Position) => void} onShapeWanted
 * @property {(at: {x: number, y: number}) => boolean} onTaskClicked whether there was a task
 * @property {() => void} onHeld a vertex was held on to by touch: what can be done with it is wanted
 */

import { edgeSharers, inserted, isFace, isThere, moved, removed, sharers } from "./document.js";
import { EditError, isSame } from "./geometry.js";
import { makeGestures } from "./gestures.js";
import { input } from "./dom.js";
import { announce, explained, notify } from "./notices.js";
import { choose } from "./panel.js";
import { arcSource, nearest, shapeSource, without } from "./snapping.js";
import { cutFrom, filled, gapAt, gaps, holed, mergeable, merged, parted, settlementDrawn, splitBy } from "./tools.js";
import { comma, say } from "./words.js";

/** Tools that need a place first, and what the hand draws with each. */
const DRAWS = /** @type {Partial<Record<Tool, "line" | "ring">>} */ ({ draw: "ring", split: "line", cut: "ring", hole: "ring", part: "ring" });
const NEEDS_PLACE = new Set(/** @type {Tool[]} */ (["split", "merge", "cut", "hole", "part"]));

const REST_MS = 500;

/** @param {Bench} bench */
export function makeHandling(bench) {
  const { session, view, nameOf, hint } = bench;
  const { map } = view;
  let gesture = 0;
  let isRingBackwards = false;
  /** @type {Handle | null} the vertex under the hand */
  let dragged = null;
  /** @type {(() => void) | null} says why the vertex did not follow the hand */
  let lastWrong = null;

  /** Where the hand came down, and whether it has left there since: a finger never lies quite still. */
  let from = { x: 0, y: 0 };
  let hasLeft = false;
  let isFinger = false;
  const canvasBox = map.getCanvasContainer();
  canvasBox.addEventListener("pointerdown", ({ clientX: x, clientY: y, pointerType }) => {
    gesture++;
    isFinger = pointerType === "touch";
    from = { x, y };
    hasLeft = false;
  }, { capture: true });
  canvasBox.addEventListener("pointermove", ({ clientX: x, clientY: y, pointerType }) => {
    hasLeft ||= Math.hypot(x - from.x, y - from.y) > (pointerType === "touch" ? 8 : 1);
  }, { capture: true });

  /** From an index along the ring as drawn to the index of the handle, and back. @param {number} index */
  const own = (index) => (isRingBackwards ? (session.ring?.handles.length ?? 0) - 1 - index : index);

  const gestures = makeGestures({
    map,
    handlers: {
      snap,
      onDrag(index, at) {
        const { ring, chosen } = session;
        if (!ring || !chosen || !hasLeft) return;
        dragged ??= ring.handles[own(index)] ?? null;
        if (!dragged) return;
        session.vertex = own(index);
        attempt(() => {
          if (!mayMove(session.settled, chosen, /** @type {Handle} */ (dragged))) return;
          session.preview(moved(session.settled, chosen, ring, /** @type {Handle} */ (dragged), at));
        }, { isQuiet: true });
      },
      onDrop() {
        const doc = session.isLive ? session.doc : null;
        dragged = null;
        const wrong = lastWrong;
        lastWrong = null;
        if (doc) session.commit(doc, say("step-move"), `hand ${gesture}`);
        else session.settle();
        showRing({ force: true });
        wrong?.();
      },
      onInsert(after, at) {
        const { ring, chosen } = session;
        if (!ring || !chosen) return;
        const length = ring.handles.length;
        // Walked backwards, the vertex before the new one along the ring as drawn is the one after it along the place's ring.
        const position = isRingBackwards ? (length - 1 - (after + 1) + length) % length : after;
        const isDone = attempt(() => {
          if (!mayChange(edgeSharers(session.settled, chosen, ring.handles[position]))) return;
          session.vertex = position + 1;
          session.commit(inserted(session.settled, chosen, ring, position, at, { isChecked: false }), say("step-insert"), `hand ${gesture}`);
        });
        if (!isDone) showRing({ force: true });
      },
      onDrawn: (kind, points) => finishDrawing(kind, points),
      onDrawing: (points) => {
        sayHint();
        announce(say("pointsSet", { n: points }));
      },
    },
  });

  /**
   * Run an edit; say what is wrong with it. While a vertex is dragged the fault is said once the hand lets go.
   * @param {() => void} run
   * @param {{isQuiet?: boolean}} [how]
   * @returns {boolean} whether it worked
   */
  function attempt(run, { isQuiet = false } = {}) {
    try {
      run();
      if (isQuiet) lastWrong = null;
      return true;
    } catch (error) {
      if (!(error instanceof EditError)) throw error;
      const tell = () => notify(explained(error), { isWrong: true, where: error.where });
      if (isQuiet) lastWrong = tell;
      else tell();
      return false;
    }
  }

  /** @param {readonly string[]} codes */
  function mayChange(codes) {
    const not = codes.filter((code) => session.settled.facts[code]?.is_editable === false);
    if (!not.length) return true;
    throw new EditError("not_yours", null, { names: not.map(nameOf).join(comma()) });
  }
  /** @param {Doc} doc @param {string} code @param {Handle} handle */
  const mayMove = (doc, code, handle) => mayChange(sharers(doc, code, handle));

  /**
   * @param {Position} at
   * @param {number | null} index
   * @returns {Position | null}
   */
  function snap(at, index) {
    const radius_m = view.metresPerPixel() * (gestures.reach_px * 0.75);
    const held = index === null ? null : dragged?.at ?? session.ring?.handles[own(index)]?.at ?? null;
    const doc = session.settled;
    const { [session.chosen ?? ""]: _own, ...others } = doc.settlements;
    const found = nearest(at, [arcSource(doc.partition), shapeSource(index === null ? doc.settlements : others), ...(input("snap-layers").checked ? [view.linesNear(at, gestures.reach_px)] : [])], radius_m, held ? { isLeftOut: without(held) } : {});
    return found?.at ?? null;
  }

  /** Show the vertices of the chosen place where they can be held. @param {{force?: boolean}} [how] */
  function showRing(how) {
    const { chosen, ring, tool } = session;
    const mayHold = chosen !== null && tool === "select" && session.doc.facts[chosen]?.is_editable !== false;
    isRingBackwards = gestures.showRing(mayHold && ring ? ring.handles : null, { ...how, isSettlement: mayHold && !isFace(session.doc, chosen) });
  }

  // ---- drawing

  /** @param {Tool} tool */
  function take(tool) {
    gestures.stop();
    session.take(tool);
    showRing();
    const kind = DRAWS[tool];
    if (kind && (!NEEDS_PLACE.has(tool) || session.chosen)) {
      if (session.chosen && NEEDS_PLACE.has(tool) && !attempt(() => void mayChange([/** @type {string} */ (session.chosen)]))) return take("select");
      gestures.draw(kind);
    }
    sayHint();
  }

  function sayHint() {
    const { tool, chosen } = session;
    if (tool === "select") return hint("");
    if (NEEDS_PLACE.has(tool) && !chosen) return hint(say("hint-choose"));
    hint(say(`hint-${tool}`, { name: chosen ? nameOf(chosen) : "" }));
  }

  /**
   * @param {"line" | "ring"} kind
   * @param {Position[]} points
   */
  function finishDrawing(kind, points) {
    const { tool, chosen } = session;
    const isDone = attempt(() => {
      const made = madeBy(tool, chosen, points);
      if (made) finish(made, say(`step-${tool}`));
    });
    if (isDone) take("select");
    else {
      // What was drawn stays, to be mended and tried again.
      gestures.draw(kind);
      for (const at of kind === "ring" ? points.slice(0, -1) : points) gestures.addPoint(at);
    }
    if (isDone && tool !== "hole" && tool !== "part") bench.onCreated();
  }

  /**
   * @param {Tool} tool
   * @param {string | null} chosen
   * @param {Position[]} points
   * @returns {Made | null}
   */
  function madeBy(tool, chosen, points) {
    const { base, settled } = session;
    if (tool === "draw") return settlementDrawn(base, settled, [[points]], { fa: say("newSettlementFa"), en: say("newSettlementEn") });
    if (!chosen) return null;
    const names = { fa: say("partNameFa"), en: say("partNameEn") };
    if (tool === "split") return splitBy(base, settled, chosen, points, names);
    if (tool === "cut") return cutFrom(base, settled, chosen, [points], names);
    if (tool === "hole") return holed(settled, chosen, points);
    if (tool === "part") return parted(settled, chosen, points);
    return null;
  }

  /**
   * Take what a tool made, if all it changes may be changed.
   * @param {Made} made
   * @param {string} label
   */
  function finish({ doc, chosen }, label) {
    const before = session.chosen;
    session.commit(doc, label);
    session.choose(chosen);
    session.cameFrom = before;
    announce(label);
  }

  /**
   * Merge the chosen place with another, or ask which.
   * @param {string | null} [other]
   */
  async function merge(other = null) {
    const { chosen, settled } = session;
    if (!chosen) return;
    const isTile = isFace(settled, chosen);
    const candidates = mergeable(settled, chosen);
    // Two settlements that do not meet become one of several parts: only after that was said.
    const isApart = !isTile && candidates.some(({ code, lie }) => code === other && lie === "apart");
    const gone = other && !isApart ? other : (await choose({
      title: say("mergeTitle", { name: nameOf(chosen) }),
      text: isApart ? say("mergeApart", { name: nameOf(other ?? "") }) : say(isTile ? "mergeText" : "mergeTextFree", { name: nameOf(chosen) }),
      choices: candidates.filter(({ code }) => !isApart || code === other).map(({ code, lie }) => ({ code, name: nameOf(code), note: isTile ? "" : say(`lie-${lie}`) })),
      onPoint: (code) => view.mark(isTile ? "wb-faces" : "wb-settlements", "hover", code ? [code] : []),
    }));
    if (!gone) return;
    const isDone = attempt(() => {
      mayChange([chosen, gone]);
      finish(merged(session.base, settled, chosen, gone), say("step-merge"));
    });
    if (isDone) take("select");
  }

  /** @param {Gap | null} gap */
  async function fill(gap) {
    const { chosen } = session;
    const found = gap ?? (await gapAsked());
    if (!found) return notify(say("noGap"), { isWrong: true });
    const into =
      chosen && found.beside.includes(chosen)
        ? chosen
        : found.beside.length === 1
          ? found.beside[0]
          : await choose({ title: say("fillTitle"), text: say("fillText"), choices: found.beside.map((code) => ({ code, name: nameOf(code) })), onPoint: (code) => view.mark("wb-faces", "hover", code ? [code] : []) });
    if (!into) return;
    const isDone = attempt(() => {
      mayChange([into]);
      finish(filled(session.settled, found, into), say("step-fill"));
    });
    if (isDone) take("select");
  }

  /** @returns {Promise<Gap | null>} */
  async function gapAsked() {
    const all = gaps(session.settled);
    if (all.length < 2) return all[0] ?? null;
    const answer = await choose({ title: say("fillTitle"), text: say("whichGap"), choices: all.map((one, i) => ({ code: String(i), name: one.beside.map(nameOf).join(comma()) })) });
    return answer === null ? null : all[Number(answer)];
  }

  // ---- the pointer

  /** While merging, only of the chosen place's kind. @param {{x: number, y: number}} point @returns {string | null} */
  function placeUnder(point) {
    const { tool, chosen, settled } = session;
    const kinds = ["wb-settlements-fill", "wb-faces-fill"];
    const layers = tool === "merge" && chosen ? [kinds[isFace(settled, chosen) ? 1 : 0]] : kinds;
    const found = map.queryRenderedFeatures([point.x, point.y], { layers })[0];
    return found ? String(found.properties.id) : null;
  }

  /** @param {{x: number, y: number}} point @returns {number | null} the handle under it */
  function handleUnder(point) {
    const { ring } = session;
    if (!ring) return null;
    let [best, index] = [gestures.reach_px, /** @type {number | null} */ (null)];
    for (const [i, { at }] of ring.handles.entries()) {
      const { x, y } = map.project([at[0], at[1]]);
      const far = Math.hypot(x - point.x, y - point.y);
      if (far < best) [best, index] = [far, i];
    }
    return index;
  }

  /** @param {MapMouseEvent} event */
  function clicked(event) {
    const at = /** @type {Position} */ ([event.lngLat.lng, event.lngLat.lat]);
    const { tool, chosen } = session;
    if (gestures.isDrawing() || performance.now() - liftedAt < REST_MS) return;
    if (tool === "fill") return void fill(gapAt(session.settled, at));
    if (tool === "shape") return bench.onShapeWanted(at);
    const code = placeUnder(event.point);
    if (tool === "merge" && chosen && code && code !== chosen) return void merge(code);
    if (tool === "select") {
      const index = handleUnder(event.point);
      if (chosen && index !== null && session.doc.facts[chosen]?.is_editable !== false) return session.hold(index);
      if (bench.onTaskClicked(event.point)) return;
    }
    if (code === chosen && code) {
      session.hold(null);
      session.nearest(([lng, lat]) => {
        const { x, y } = map.project([lng, lat]);
        return Math.hypot(x - event.point.x, y - event.point.y);
      });
      showRing();
      return;
    }
    session.choose(code);
    if (NEEDS_PLACE.has(tool) && code) take(tool);
  }

  map.on("click", clicked);
  map.on("contextmenu", (event) => {
    if (session.tool !== "select" || gestures.isDrawing()) return;
    const index = handleUnder(event.point);
    if (index === null || isFinger) return; // a finger's long press holds it, below
    session.hold(index);
    removeVertex();
  });

  // A finger that rests on a vertex holds it, and what can be done with it opens once the finger lifts: it may be about to drag it.
  // Not every phone tells of a long press, so it is timed here.
  /** @type {{timer: number, point: {x: number, y: number}, isHeld: boolean} | null} */
  let resting = null;
  /** When it lifted: some browsers tell of a click then, which is none. */
  let liftedAt = -Infinity;
  const stopResting = () => {
    clearTimeout(resting?.timer);
    resting = null;
  };
  map.on("touchstart", ({ point: here, points }) => {
    stopResting();
    if (points.length !== 1 || session.tool !== "select" || gestures.isDrawing() || session.doc.facts[session.chosen ?? ""]?.is_editable === false) return;
    const index = handleUnder(here);
    if (index === null) return;
    const timer = window.setTimeout(() => {
      session.hold(index);
      if (resting) resting.isHeld = true;
      navigator.vibrate?.(15);
    }, REST_MS);
    resting = { timer, point: here, isHeld: false };
  });
  map.on("touchmove", ({ point: here }) => {
    if (resting && Math.hypot(here.x - resting.point.x, here.y - resting.point.y) > 10) stopResting();
  });
  map.on("touchcancel", stopResting);
  map.on("touchend", () => {
    const isHeld = resting?.isHeld;
    stopResting();
    if (!isHeld) return;
    liftedAt = performance.now();
    bench.onHeld();
  });
  /** @type {string | null} */
  let hovered = null;
  map.on("mousemove", (event) => {
    const code = gestures.isDrawing() ? null : placeUnder(event.point);
    if (code === hovered) return;
    hovered = code;
    point(code);
    if (!gestures.isDrawing()) map.getCanvas().style.cursor = code ? "pointer" : "";
  });
  map.on("mouseout", () => point((hovered = null)));

  /** Light a place up. @param {string | null} code */
  function point(code) {
    const doc = session.settled;
    view.mark("wb-faces", "hover", code && isFace(doc, code) ? [code] : []);
    view.mark("wb-settlements", "hover", code && isThere(doc, code) && !isFace(doc, code) ? [code] : []);
  }

  // ---- vertices without a pointer

  /**
   * Move the held vertex.
   * @param {Position} at
   * @param {string} [name] of the gesture, where it goes on
   */
  function moveVertex(at, name) {
    const { chosen, ring, handle } = session;
    if (!chosen || !ring || !handle) return false;
    return attempt(() => {
      mayMove(session.settled, chosen, handle);
      session.commit(moved(session.settled, chosen, ring, handle, at), say("step-move"), name);
      showRing();
    });
  }

  function removeVertex() {
    const { chosen, ring, handle } = session;
    if (!chosen || !ring || !handle) return;
    attempt(() => {
      mayMove(session.settled, chosen, handle);
      session.commit(removed(session.settled, chosen, ring, handle), say("step-remove"));
    });
    showRing({ force: true });
  }

  function insertVertex() {
    const { chosen, ring, vertex } = session;
    if (!chosen || !ring || vertex === null) return;
    const [a, b] = [ring.handles[vertex].at, ring.handles[(vertex + 1) % ring.handles.length].at];
    attempt(() => {
      mayChange(edgeSharers(session.settled, chosen, ring.handles[vertex]));
      const before = ring.handles.length;
      session.vertex = vertex + 1;
      session.commit(inserted(session.settled, chosen, ring, vertex, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]), say("step-insert"));
      if (session.ring && session.ring.handles.length > before && !isSame(session.ring.handles[vertex].at, a)) session.hold(null);
    });
    showRing({ force: true });
  }

  /** Finish what is being drawn, or say what it lacks. */
  function finishSketch() {
    const kind = DRAWS[session.tool];
    if (kind && gestures.points() < (kind === "ring" ? 3 : 2)) return notify(say(kind === "ring" ? "error-degenerate_ring" : "errorLine"), { isWrong: true });
    gestures.finish();
  }

  return { gestures, finishSketch, take, showRing, merge, fill, point, attempt, mayChange, finish, moveVertex, removeVertex, insertVertex, sayHint, kindOf: (/** @type {Tool} */ tool) => DRAWS[tool] ?? null };
}

/** @typedef {ReturnType<typeof makeHandling>} Handling */
