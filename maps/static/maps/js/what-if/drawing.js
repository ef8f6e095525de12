// @ts-check
/**
 * What lies on the live map for a what-if: facilities that can be taken and moved, streets that were drawn, the line being drawn.
 *
 * @import { GeoJSONSource, Map as LiveMap, MapMouseEvent } from "maplibre-gl"
 * @import { Feature } from "geojson"
 * @import { At, Shown, StreetKind } from "./model.js"
 */

import { FACILITY, INK } from "../style.js";

const FONT = ["Vazirmatn SemiBold"];
/** How near a pointer takes a facility, in pixels; a finger is broader than a mouse. */
const REACH_PX = { mouse: 13, touch: 26 };
const NEW = "#0f6b6b";
const CLOSED = "#6b7280";

/** Add sources and layers. @param {LiveMap} live */
function prepare(live) {
  for (const id of ["wi-lines", "wi-streets", "wi-facilities", "wi-sketch"]) live.addSource(id, { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  const isState = (/** @type {string} */ state) => /** @type {any} */ (["==", ["get", "state"], state]);
  const byState = (/** @type {any} */ closed, /** @type {any} */ added, /** @type {any} */ other) => /** @type {any} */ (["case", isState("closed"), closed, isState("added"), added, other]);
  const radius = /** @type {any} */ (["interpolate", ["linear"], ["zoom"], 10, ["case", ["==", ["get", "state"], "stays"], 4, 6], 13, ["case", ["==", ["get", "state"], "stays"], 6, 8], 16, 10]);
  const round = /** @type {const} */ ({ "line-cap": "round", "line-join": "round" });
  live.addLayer({ id: "wi-street-casing", type: "line", source: "wi-streets", layout: round, paint: { "line-color": "#fff", "line-width": 8 } });
  live.addLayer({ id: "wi-street", type: "line", source: "wi-streets", filter: ["!", ["in", ["get", "kind"], ["literal", ["path", "stairs"]]]], layout: round, paint: { "line-color": NEW, "line-width": ["case", ["==", ["get", "kind"], "bridge"], 6, 4] } });
  for (const [kind, dashes] of /** @type {const} */ ([["path", [2, 1]], ["stairs", [0.4, 0.4]]])) {
    live.addLayer({ id: `wi-${kind}`, type: "line", source: "wi-streets", filter: ["==", ["get", "kind"], kind], paint: { "line-color": NEW, "line-width": 4, "line-dasharray": [...dashes] } });
  }
  live.addLayer({ id: "wi-line", type: "line", source: "wi-lines", paint: { "line-color": INK, "line-width": 1.6, "line-dasharray": [2, 2] } });
  live.addLayer({ id: "wi-ghost", type: "circle", source: "wi-lines", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 5, "circle-color": "rgba(255,255,255,0.7)", "circle-stroke-color": INK, "circle-stroke-width": 1.4 } });
  live.addLayer({ id: "wi-chosen", type: "circle", source: "wi-facilities", filter: ["get", "isChosen"], paint: { "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, 11, 16, 16], "circle-color": "rgba(255,255,255,0.55)", "circle-stroke-color": INK, "circle-stroke-width": 2.5 } });
  live.addLayer({ id: "wi-facility", type: "circle", source: "wi-facilities", paint: { "circle-radius": radius, "circle-color": byState("#fff", NEW, FACILITY), "circle-stroke-color": byState(CLOSED, "#fff", "#fff"), "circle-stroke-width": ["case", isState("moved"), 3, 1.6] } });
  live.addLayer({
    id: "wi-mark", type: "symbol", source: "wi-facilities", filter: ["in", ["get", "state"], ["literal", ["closed", "added"]]],
    layout: { "text-field": byState("×", "+", ""), "text-font": FONT, "text-size": 15, "text-allow-overlap": true, "text-ignore-placement": true },
    paint: { "text-color": byState("#a1260d", "#fff", "#fff") },
  });
  live.addLayer({ id: "wi-sketch-line", type: "line", source: "wi-sketch", layout: round, paint: { "line-color": NEW, "line-width": 3, "line-dasharray": [1, 1.5] } });
  live.addLayer({ id: "wi-sketch-point", type: "circle", source: "wi-sketch", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 5, "circle-color": "#fff", "circle-stroke-color": NEW, "circle-stroke-width": 2.5 } });
}

/**
 * @param {At | At[]} coordinates
 * @param {Record<string, any>} [properties]
 * @returns {Feature}
 */
function feature(coordinates, properties = {}) {
  const isLine = Array.isArray(coordinates[0]);
  return { type: "Feature", properties, geometry: /** @type {any} */ ({ type: isLine ? "LineString" : "Point", coordinates }) };
}

/**
 * Let facilities on a map be taken, moved and put down; and tell where it is pressed.
 * @param {object} parts
 * @param {LiveMap} parts.live loaded
 * @param {(key: string) => void} parts.onTake
 * @param {(key: string, at: At, moment: number) => void} parts.onDrag moment: when the pointer moved, as performance.now() tells it
 * @param {(key: string, at: At | null) => void} parts.onDrop null where it was only pressed, or the drag was given up
 * @param {(at: At) => void} parts.onPress the map was pressed where no facility is
 * @param {(at: At) => void} parts.onDouble
 */
export function drawOn({ live, onTake, onDrag, onDrop, onPress, onDouble }) {
  prepare(live);
  const container = live.getCanvasContainer();
  /** @type {Shown[]} */
  let shown = [];
  /** @type {{key: string, id: number, dx: number, dy: number, x: number, y: number, isMoved: boolean} | null} */
  let held = null;
  let wasHeld = false;
  let canTake = true;

  /** @type {Map<string, string>} what each source has */
  const given = new Map();
  /** @param {string} id @param {Feature[]} features */
  const put = (id, features) => {
    const text = JSON.stringify(features);
    if (given.get(id) === text) return;
    given.set(id, text);
    /** @type {GeoJSONSource | undefined} */ (live.getSource(id))?.setData({ type: "FeatureCollection", features });
  };

  // What is held lies over the map as an element of the page: it follows the pointer without the map being drawn again.
  const [floating, trail] = [document.createElement("span"), document.createElement("span")];
  floating.className = "wi-held";
  trail.className = "wi-trail";
  floating.hidden = trail.hidden = true;
  container.append(trail, floating);
  /** @param {Shown | undefined} one */
  const float = (one) => {
    floating.hidden = one === undefined;
    trail.hidden = !one?.from;
    if (!one) return;
    const { x, y } = live.project(one.at);
    floating.style.transform = `translate(${x}px, ${y}px)`;
    floating.dataset.state = one.state;
    if (!one.from) return;
    const start = live.project(one.from);
    trail.style.transform = `translate(${start.x}px, ${start.y}px) rotate(${Math.atan2(y - start.y, x - start.x)}rad)`;
    trail.style.width = `${Math.hypot(x - start.x, y - start.y)}px`;
  };

  /** @param {{clientX: number, clientY: number}} event */
  const pixel = (event) => {
    const box = container.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  /** @param {{x: number, y: number}} at @param {number} reach */
  const nearest = (at, reach) => {
    let best = reach;
    /** @type {Shown | null} */
    let found = null;
    for (const one of shown) {
      const { x, y } = live.project(one.at);
      const far = Math.hypot(x - at.x, y - at.y);
      if (far <= best) [best, found] = [far, one];
    }
    return found;
  };

  /** @param {PointerEvent | {clientX: number, clientY: number}} event @returns {At} */
  const under = (event) => {
    const { x, y } = pixel(event);
    const { lng, lat } = live.unproject([x + (held?.dx ?? 0), y + (held?.dy ?? 0)]);
    return [lng, lat];
  };

  container.addEventListener(
    "pointerdown",
    (event) => {
      wasHeld = false;
      if (!canTake || held || (event.pointerType === "mouse" && event.button !== 0)) return;
      const at = pixel(event);
      const one = nearest(at, event.pointerType === "mouse" ? REACH_PX.mouse : REACH_PX.touch);
      if (!one) return;
      const { x, y } = live.project(one.at);
      held = { key: one.key, id: event.pointerId, dx: x - at.x, dy: y - at.y, x: event.clientX, y: event.clientY, isMoved: false };
      container.setPointerCapture(event.pointerId);
      event.stopPropagation();
      onTake(one.key);
    },
    { capture: true },
  );
  container.addEventListener(
    "pointermove",
    (event) => {
      if (!held || event.pointerId !== held.id) {
        if (!held && canTake && event.pointerType === "mouse") container.classList.toggle("can-take", nearest(pixel(event), REACH_PX.mouse) !== null);
        return;
      }
      event.stopPropagation();
      if (!held.isMoved && Math.hypot(event.clientX - held.x, event.clientY - held.y) < 4) return;
      const one = shown.find(({ key }) => key === held?.key);
      if (one?.state === "closed") return;
      held.isMoved = true;
      container.classList.add("is-held");
      onDrag(held.key, under(event), event.timeStamp);
    },
    { capture: true },
  );
  /** @param {PointerEvent} event @param {boolean} isDone */
  const end = (event, isDone) => {
    if (!held || event.pointerId !== held.id) return;
    const { key, isMoved } = held;
    const at = under(event);
    held = null;
    wasHeld = true;
    container.classList.remove("is-held");
    onDrop(key, isDone && isMoved ? at : null);
  };
  container.addEventListener("pointerup", (event) => end(event, true), { capture: true });
  container.addEventListener("pointercancel", (event) => end(event, false), { capture: true });
  // While a facility is held, the map neither pans nor zooms, nor does the page scroll.
  for (const type of /** @type {const} */ (["mousedown", "touchstart", "touchmove", "touchend"])) {
    container.addEventListener(
      type,
      (event) => {
        if (!held && !(type === "touchend" && wasHeld)) return;
        event.stopPropagation();
        if (event.cancelable) event.preventDefault();
      },
      { capture: true, passive: false },
    );
  }
  container.addEventListener("click", (event) => wasHeld && event.stopPropagation(), { capture: true });

  live.on("click", (/** @type {MapMouseEvent} */ event) => onPress([event.lngLat.lng, event.lngLat.lat]));
  live.on("dblclick", (/** @type {MapMouseEvent} */ event) => onDouble([event.lngLat.lng, event.lngLat.lat]));

  return {
    /** Whether facilities can be taken now. @param {boolean} can */
    letTake(can) {
      canTake = can;
      container.classList.remove("can-take");
      if (can) live.doubleClickZoom.enable();
      else live.doubleClickZoom.disable();
    },
    /**
     * @param {Shown[]} facilities
     * @param {string | null} chosen
     */
    facilities(facilities, chosen) {
      shown = facilities;
      const up = held?.isMoved ? held.key : null;
      float(facilities.find(({ key }) => key === up));
      const lying = facilities.filter(({ key }) => key !== up);
      put("wi-facilities", [...lying].sort((a, b) => Number(a.state !== "stays") - Number(b.state !== "stays")).map(({ key, at, state }) => feature(at, { key, state, isChosen: key === chosen })));
      put("wi-lines", lying.flatMap(({ at, from }) => (from ? [feature([from, at]), feature(from)] : [])));
    },
    /** @param {{kind: StreetKind, coordinates: At[]}[]} streets */
    streets: (streets) => put("wi-streets", streets.map(({ kind, coordinates }) => feature(coordinates, { kind }))),
    /** @param {At[]} line */
    sketch: (line) => put("wi-sketch", [...(line.length > 1 ? [feature(line)] : []), ...line.map((at) => feature(at))]),
    /** @returns {At} */
    middle() {
      const { lng, lat } = live.getCenter();
      return [lng, lat];
    },
    isHolding: () => held !== null,
  };
}

/** @typedef {ReturnType<typeof drawOn>} Drawn */
