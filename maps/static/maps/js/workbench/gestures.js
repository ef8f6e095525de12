// @ts-check
/**
 * The hand on the map: dragging the vertices of one ring, and drawing a line or a ring. Terra Draw knows the gestures and draws the
 * handles; what a gesture means is decided by whoever made this, who also says where each vertex truly is.
 *
 * @import { Map as LiveMap } from "maplibre-gl"
 * @import { Position } from "./geometry.js"
 *
 * @typedef {{at: Position, isNode: boolean}} Vertex
 *
 * @typedef {object} Handlers
 * @property {(index: number, at: Position) => void} onDrag a vertex is being moved
 * @property {() => void} onDrop the hand let go
 * @property {(after: number, at: Position) => void} onInsert a vertex was put between `after` and the next
 * @property {(kind: "line" | "ring", points: Position[]) => void} onDrawn
 * @property {(points: number) => void} onDrawing how many points are set so far
 * @property {(at: Position, index: number | null) => Position | null} snap where a point goes instead; `index` of the vertex being moved
 */

import { TerraDraw, TerraDrawLineStringMode, TerraDrawModeUndoRedo, TerraDrawPolygonMode, TerraDrawSelectMode } from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import { turning } from "./geometry.js";
import { SETTLEMENT } from "../style.js";
import { ACCENT } from "./layers.js";

const PRECISION = 9;
const INK = "#1b2430";
const MODES = { line: "linestring", ring: "polygon" };
const TINY_PX = 0.5;

/** @param {Position} at @returns {[number, number]} */
const shortened = ([x, y]) => [Number(x.toFixed(PRECISION)), Number(y.toFixed(PRECISION))];

/**
 * @param {object} parts
 * @param {LiveMap} parts.map
 * @param {Handlers} parts.handlers
 */
export function makeGestures({ map, handlers }) {
  const isCoarse = matchMedia("(pointer: coarse)").matches;
  const reach_px = isCoarse ? 24 : 14;
  let isFree = false;
  /** @type {string | null} */
  let ringId = null;
  /** @type {[number, number][]} as Terra Draw has them */
  let given = [];
  /** @type {Vertex[]} */
  let vertices = [];
  let spacing_px = 100;
  /** @type {"line" | "ring" | null} */
  let drawing = null;
  let points = 0;
  /** @type {any} */
  let colour = ACCENT;

  map.getCanvasContainer().addEventListener("pointermove", (event) => (isFree = event.altKey), { capture: true });

  /** @param {{lng: number, lat: number}} event @param {number | null} index */
  const snapped = (event, index) => {
    const at = isFree ? null : handlers.snap([event.lng, event.lat], index);
    return at ? shortened(at) : undefined;
  };
  const drawSnapping = { toCustom: (/** @type {any} */ event) => snapped(event, null) };
  const isTight = () => spacing_px < 18;

  const accent = /** @type {`#${string}`} */ (ACCENT);
  const white = /** @type {const} */ ("#ffffff");
  const drawStyles = {
    fillColor: accent, fillOpacity: 0.15, outlineColor: accent, outlineWidth: 3,
    lineStringColor: accent, lineStringWidth: 3,
    closingPointWidth: isCoarse ? 9 : 6, closingPointColor: white, closingPointOutlineColor: accent, closingPointOutlineWidth: 3,
    coordinatePointWidth: 4, coordinatePointColor: white, coordinatePointOutlineColor: accent, coordinatePointOutlineWidth: 2,
    snappingPointWidth: 7, snappingPointColor: accent, snappingPointOutlineColor: white, snappingPointOutlineWidth: 2,
  };
  const select = new TerraDrawSelectMode({
    pointerDistance: reach_px,
    allowManualSelection: false,
    allowManualDeselection: false,
    keyEvents: null,
    dragEventThrottle: 3,
    flags: { held: { feature: { draggable: false, selfIntersectable: true, coordinates: { draggable: true, deletable: false, midpoints: { draggable: true }, snappable: { toCustom: (event, context) => snapped(event, context.currentCoordinate ?? null) } } } } },
    styles: {
      selectedPolygonColor: () => colour, selectedPolygonFillOpacity: 0.08, selectedPolygonOutlineColor: () => colour, selectedPolygonOutlineWidth: 3,
      selectionPointColor: (feature) => (vertices[Number(feature.properties.index)]?.isNode ? INK : "#ffffff"),
      selectionPointOutlineColor: (feature) => (vertices[Number(feature.properties.index)]?.isNode ? "#ffffff" : colour),
      selectionPointOutlineWidth: () => (isTight() ? 1 : 2),
      selectionPointWidth: () => (isTight() ? 3 : isCoarse ? 9 : 6),
      midPointColor: () => colour, midPointOutlineColor: "#ffffff", midPointOutlineWidth: () => (isTight() ? 0 : 1.5),
      midPointWidth: () => (isTight() ? 0 : isCoarse ? 6 : 3.5),
    },
  });
  const modes = {
    line: new TerraDrawLineStringMode({ pointerDistance: reach_px, snapping: drawSnapping, styles: drawStyles, showCoordinatePoints: true }),
    ring: new TerraDrawPolygonMode({ pointerDistance: reach_px, snapping: drawSnapping, styles: drawStyles, showCoordinatePoints: true }),
  };
  const draw = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({ map, coordinatePrecision: PRECISION, prefixId: "hand", renderBelowLayerId: "wb-vertex" }),
    modes: [select, modes.line, modes.ring, new TerraDrawPolygonMode({ modeName: "held" })], // rings that are held are no drawings: they have handles of their own
    undoRedo: { modeLevel: new TerraDrawModeUndoRedo() },
  });
  draw.start();
  draw.setMode("select");

  const measureSpacing = () => {
    if (!given.length) return;
    const lengths = given.map((at, i) => {
      const one = map.project(at);
      const next = map.project(given[(i + 1) % given.length]);
      return Math.hypot(one.x - next.x, one.y - next.y);
    });
    lengths.sort((a, b) => a - b);
    const was = isTight();
    spacing_px = lengths[Math.floor(lengths.length / 2)];
    if (was !== isTight() && ringId) redrawRing();
  };
  map.on("zoomend", measureSpacing);

  function redrawRing() {
    if (ringId) draw.updateFeatureGeometry(ringId, { type: "Polygon", coordinates: [closed()] });
  }
  const closed = () => [...given, given[0]];

  draw.on("change", (ids, type, context) => {
    if (context && "origin" in context) return;
    if (drawing) {
      const now = committed();
      if (now !== points) handlers.onDrawing((points = now));
      return;
    }
    if (type !== "update" || ringId === null || !ids.includes(ringId)) return;
    const feature = draw.getSnapshotFeature(ringId);
    if (feature?.geometry.type !== "Polygon") return;
    const now = /** @type {[number, number][]} */ (feature.geometry.coordinates[0].slice(0, -1));
    const at = now.findIndex((point, i) => !given[i] || point[0] !== given[i][0] || point[1] !== given[i][1]);
    if (at < 0) return;
    const isInserted = now.length === given.length + 1;
    given = now;
    if (isInserted) {
      vertices = [...vertices.slice(0, at), { at: now[at], isNode: false }, ...vertices.slice(at)];
      handlers.onInsert(at - 1, now[at]);
    } else {
      handlers.onDrag(at, now[at]);
    }
  });

  draw.on("finish", (id, context) => {
    if (context.action === "dragCoordinate") {
      handlers.onDrop();
    } else if (context.action === "draw" && drawing) {
      const feature = draw.getSnapshotFeature(id);
      const kind = drawing;
      if (!feature || feature.geometry.type === "Point") return;
      const found = /** @type {any} */ (feature.geometry.type === "Polygon" ? feature.geometry.coordinates[0] : feature.geometry.coordinates);
      // The mode still holds the feature while it tells of its end.
      queueMicrotask(() => {
        if (draw.hasFeature(id)) draw.removeFeatures([id]);
        handlers.onDrawn(kind, found);
      });
    }
  });

  /** How many points of the sketch are set: what follows the pointer does not count. */
  function committed() {
    const sketch = draw.getSnapshot().find(({ properties }) => properties.currentlyDrawing === true);
    if (!sketch) return 0;
    return sketch.geometry.type === "LineString" ? sketch.geometry.coordinates.length - 1 : Number(sketch.properties.committedCoordinateCount ?? 0);
  }

  /** @param {Position} at @returns {any} an event as a click there would be */
  function clickAt(at) {
    const [lng, lat] = shortened(at);
    const { x, y } = map.project([lng, lat]);
    return { lng, lat, containerX: x, containerY: y, button: "left", heldKeys: [], isContextMenu: false };
  }

  return {
    reach_px,
    /**
     * Show a ring with handles, or none. A ring that is already shown so is left alone, and with it the hand that holds it.
     * @param {readonly Vertex[] | null} ring without its closing position, in either direction
     * @param {{force?: boolean, isSettlement?: boolean}} [how]
     * @returns {boolean} whether the ring is walked backwards here: then `index` counts from the end
     */
    showRing(ring, { force = false, isSettlement = false } = {}) {
      colour = isSettlement ? SETTLEMENT : ACCENT;
      if (!ring || ring.length < 3) {
        if (ringId) {
          draw.deselectFeature(ringId);
          draw.removeFeatures([ringId]);
        }
        ringId = null;
        given = [];
        vertices = [];
        return false;
      }
      const isBackwards = turning([...ring.map(({ at }) => at), ring[0].at]) < 0;
      const wanted = isBackwards ? [...ring].reverse() : [...ring];
      const now = wanted.map(({ at }) => shortened(at));
      const isSame = now.length === given.length && now.every((at, i) => at[0] === given[i][0] && at[1] === given[i][1]);
      vertices = wanted;
      if (ringId && isSame && !force) return isBackwards;
      given = now;
      if (ringId) {
        redrawRing();
      } else {
        ringId = String(draw.getFeatureId());
        const [result] = draw.addFeatures([{ id: ringId, type: "Feature", geometry: { type: "Polygon", coordinates: [closed()] }, properties: { mode: "held" } }]);
        if (!result?.valid) {
          ringId = null;
          throw new Error(result?.reason ?? "The ring cannot be shown.");
        }
        draw.selectFeature(ringId);
      }
      measureSpacing();
      return isBackwards;
    },
    /**
     * Start to draw.
     * @param {"line" | "ring"} kind
     */
    draw(kind) {
      this.showRing(null);
      drawing = kind;
      points = 0;
      draw.setMode(MODES[kind]);
    },
    /** Stop drawing; what is not finished is gone. */
    stop() {
      drawing = null;
      points = 0;
      if (draw.getMode() !== "select") draw.setMode("select");
    },
    isDrawing: () => drawing !== null,
    points: () => points,
    /**
     * Put a point exactly there, as a click would.
     * @param {Position} at
     * @param {{isExact?: boolean}} [how]
     */
    addPoint(at, { isExact = true } = {}) {
      if (!drawing) return;
      const mode = modes[drawing];
      if (isExact) mode.updateOptions({ pointerDistance: TINY_PX, snapping: {} });
      const event = clickAt(at);
      mode.onMouseMove(event);
      mode.onClick(event);
      if (isExact) mode.updateOptions({ pointerDistance: reach_px, snapping: drawSnapping });
    },
    /** Finish what is being drawn. */
    finish() {
      if (drawing) modes[drawing].onKeyUp({ key: "Enter", heldKeys: [], preventDefault: () => {} });
    },
    /** Take the last point back; false where there is none. */
    undoPoint: () => drawing !== null && draw.canUndo() && draw.undo(),
    redoPoint: () => drawing !== null && draw.canRedo() && draw.redo(),
  };
}

/** @typedef {ReturnType<typeof makeGestures>} Gestures */
