// @ts-check
/**
 * The map of a geometry in the admin: shows it on the tiles of its city and, where it may be edited, lets vertices be moved,
 * added and removed, parts be drawn, and a file be taken. The text of the form is the truth; the map follows it and writes to it.
 *
 * @import { GeoJSONSource, MapMouseEvent, MapOptions, MapTouchEvent } from "maplibre-gl"
 * @import { Feature } from "geojson"
 * @import { Position, Shape, Where } from "./shape.js"
 */
import { Map as MapLibreMap, Marker, NavigationControl, ScaleControl, setWorkerUrl } from "maplibre-gl";
import { boundsOf, counted, extended, geometryIn, handles, inserted, moved, read, removed, write } from "./shape.js";
import { styleOf } from "./style.js";

const LONGEST_HISTORY = 100;
const REACH_PX = 6; // how near to a handle a finger must come
const FIT = { padding: 40, maxZoom: 17 };

for (const element of document.querySelectorAll("[data-geometry-map]")) start(/** @type {HTMLElement} */ (element));

/** @param {HTMLElement} element */
function start(element) {
  const { base = "{}", fault = "", worker = "" } = element.dataset;
  const text = /** @type {HTMLTextAreaElement} */ (part(element, "[data-text]"));
  const canvas = part(element, "[data-canvas]");
  setWorkerUrl(worker);
  const map = new MapLibreMap({
    container: canvas,
    style: styleOf(JSON.parse(base), document.baseURI),
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    ...startView(text.value, fault),
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }));
  map.addControl(new ScaleControl());
  map.on("dataloading", () => canvas.setAttribute("aria-busy", "true"));
  map.on("idle", () => canvas.setAttribute("aria-busy", "false"));
  map.on("load", () => {
    if (fault) new Marker({ color: "#a1260d" }).setLngLat(JSON.parse(fault)).addTo(map);
    if ("editable" in element.dataset) edit(element, map, text);
    else setData(map, "shape", [{ type: "Feature", properties: {}, geometry: geometryIn(text.value) }]);
  });
}

/**
 * @param {string} value
 * @param {string} fault
 * @returns {Partial<MapOptions>}
 */
function startView(value, fault) {
  const bounds = boundsOf(geometryIn(value));
  if (bounds) return { bounds, fitBoundsOptions: FIT };
  return fault ? { center: JSON.parse(fault), zoom: 16 } : { center: [53, 33], zoom: 4 };
}

/**
 * Wire up editing: every change goes through `put`, which keeps the map, the text, the buttons and the history in step.
 * @param {HTMLElement} element
 * @param {MapLibreMap} map
 * @param {HTMLTextAreaElement} text
 */
function edit(element, map, text) {
  const status = part(element, "[data-status]");
  const number = new Intl.NumberFormat(document.documentElement.lang);
  /** @param {string} name */
  const button = (name) => /** @type {HTMLButtonElement} */ (part(element, `[data-do="${name}"]`));
  /** @type {Shape} */
  let shape = read(text.value) ?? [];
  /** @type {Where | null} */
  let chosen = null;
  /** @type {Position[] | null} the vertices of the part that is being drawn */
  let drawing = null;
  /** @type {{hasMoved: boolean} | null} */
  let dragging = null;
  /** @type {Shape[]} */
  const past = [];

  const redraw = () => {
    setData(map, "shape", [{ type: "Feature", properties: {}, geometry: { type: "MultiPolygon", coordinates: shape } }]);
    setData(map, "handles", handles(shape, chosen).features);
    setData(map, "drawing", drawn(drawing ?? []));
    const { vertices, parts } = counted(shape);
    const { textCount = "", textDrawing = "" } = element.dataset;
    status.textContent = drawing ? textDrawing : textCount.replace("%n", number.format(vertices)).replace("%p", number.format(parts));
    button("remove").disabled = !chosen;
    button("undo").disabled = !past.length;
    button("draw").setAttribute("aria-pressed", String(Boolean(drawing)));
  };
  const remember = () => {
    past.push(shape);
    if (past.length > LONGEST_HISTORY) past.shift();
  };
  /** @param {Shape} next */
  const put = (next) => {
    shape = next;
    text.value = shape.length ? write(shape) : "";
    redraw();
  };
  const fit = () => {
    const bounds = boundsOf({ coordinates: shape });
    if (bounds) map.fitBounds(bounds, { ...FIT, animate: false });
  };
  const removeChosen = () => {
    if (!chosen) return;
    const where = chosen;
    remember();
    chosen = null;
    put(removed(shape, where));
  };
  const undo = () => {
    const before = past.pop();
    if (!before) return;
    chosen = null;
    put(before);
  };
  const takeText = () => {
    const found = read(text.value);
    if (!found) {
      status.textContent = element.dataset.textJson ?? "";
      return;
    }
    remember();
    shape = found;
    chosen = null;
    redraw();
    fit();
  };
  const begin = () => {
    drawing = [];
    chosen = null;
    map.doubleClickZoom.disable();
    map.getCanvas().style.cursor = "crosshair";
    map.getCanvas().focus();
    redraw();
  };
  /** @param {boolean} isKept */
  const finish = (isKept) => {
    const vertices = drawing ?? [];
    drawing = null;
    map.doubleClickZoom.enable();
    map.getCanvas().style.cursor = "";
    if (isKept && vertices.length > 2) {
      remember();
      put(extended(shape, vertices));
    } else redraw();
  };

  /**
   * Return the handle under the pointer; a vertex before the middle of an edge, where both are near.
   * @param {{x: number, y: number}} pointer
   */
  const handleAt = ({ x, y }) => {
    /** @type {[[number, number], [number, number]]} */
    const near = [[x - REACH_PX, y - REACH_PX], [x + REACH_PX, y + REACH_PX]];
    return map.queryRenderedFeatures(near, { layers: ["vertices"] })[0] ?? map.queryRenderedFeatures(near, { layers: ["middles"] })[0];
  };
  /** @param {MapMouseEvent | MapTouchEvent} event */
  const grab = (event) => {
    const { originalEvent } = event;
    if (drawing || ("touches" in originalEvent ? originalEvent.touches.length > 1 : originalEvent.button > 0)) return;
    const found = handleAt(event.point);
    if (!found) return;
    event.preventDefault(); // the map stays where it is
    remember();
    const { kind, polygon, ring, vertex } = /** @type {Where & {kind: string}} */ (found.properties);
    if (kind === "middle") shape = inserted(shape, { polygon, ring, vertex }, [event.lngLat.lng, event.lngLat.lat]);
    chosen = { polygon, ring, vertex: kind === "middle" ? vertex + 1 : vertex };
    dragging = { hasMoved: kind === "middle" };
    redraw();
  };
  /** @param {MapMouseEvent | MapTouchEvent} event */
  const drag = (event) => {
    if (!dragging || !chosen) return;
    dragging.hasMoved = true;
    shape = moved(shape, chosen, [event.lngLat.lng, event.lngLat.lat]);
    redraw();
  };
  const drop = () => {
    if (!dragging) return;
    if (dragging.hasMoved) put(shape);
    else past.pop(); // a click only chooses
    dragging = null;
    redraw();
  };
  map.on("mousedown", grab);
  map.on("touchstart", grab);
  map.on("mousemove", drag);
  map.on("touchmove", drag);
  map.on("mouseup", drop);
  map.on("touchend", drop);
  for (const layer of ["vertices", "middles"]) {
    map.on("mouseenter", layer, () => { if (!drawing) map.getCanvas().style.cursor = "move"; });
    map.on("mouseleave", layer, () => { if (!drawing) map.getCanvas().style.cursor = ""; });
  }
  map.on("click", ({ lngLat: { lng, lat } }) => {
    if (!drawing) return;
    const last = drawing.at(-1);
    if (!last || last[0] !== lng || last[1] !== lat) drawing = [...drawing, [lng, lat]];
    redraw();
  });
  map.on("dblclick", () => { if (drawing) finish(true); });

  /** @type {Record<string, () => void>} */
  const actions = { draw: () => (drawing ? finish(true) : begin()), remove: removeChosen, undo, fit };
  for (const [name, act] of Object.entries(actions)) button(name).addEventListener("click", act);
  map.getCanvas().addEventListener("keydown", (event) => {
    if (drawing && (event.key === "Enter" || event.key === "Escape")) finish(event.key === "Enter");
    else if (event.key === "Delete" || event.key === "Backspace") removeChosen();
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) undo();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  text.addEventListener("change", takeText);
  const file = /** @type {HTMLInputElement} */ (part(element, "[data-file]"));
  file.addEventListener("change", async () => {
    const chosenFile = file.files?.[0];
    if (!chosenFile) return;
    text.value = await chosenFile.text();
    takeText();
  });
  redraw();
}

/**
 * Return the part that is being drawn as its vertices and the line through them.
 * @param {Position[]} vertices
 * @returns {Feature[]}
 */
function drawn(vertices) {
  /** @type {Feature[]} */
  const features = vertices.map((coordinates) => ({ type: "Feature", properties: {}, geometry: { type: "Point", coordinates } }));
  if (vertices.length > 1) features.push({ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: vertices } });
  return features;
}

/**
 * @param {MapLibreMap} map
 * @param {string} source
 * @param {Feature[]} features
 */
function setData(map, source, features) {
  /** @type {GeoJSONSource} */ (map.getSource(source)).setData({ type: "FeatureCollection", features });
}

/**
 * Return a part of the widget, which its template always has.
 * @param {HTMLElement} element
 * @param {string} selector
 * @returns {HTMLElement}
 */
function part(element, selector) {
  return /** @type {HTMLElement} */ (element.querySelector(selector));
}
