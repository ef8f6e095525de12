/**
 * Draws a published map. It reads numbers from #drawing and text from the cells of the table, and never makes markup of either:
 * names go to the page by textContent alone. It runs inside the page, after Leaflet; the import below is resolved when the page is made.
 */
import { makeChoosable, makeSortable, markRow } from "./table.js";

const L = window.L;
const map = window.published_map;
const drawing = JSON.parse(document.getElementById("drawing").textContent);
const words = JSON.parse(document.getElementById("words").textContent);
const table = /** @type {HTMLTableElement} */ (document.getElementById("places"));
const rows = [...table.tBodies[0].rows];
const headings = [...table.tHead.rows[0].cells].slice(1).map((cell) => ({ text: cell.textContent.trim(), isMain: cell.classList.contains("pub-shown") }));
const isPersian = document.documentElement.lang === "fa";
const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;

// In a frame of ours that has title and table around it, the map stands alone.
if (location.hash === "#bare") document.documentElement.classList.add("bare");

/** Latin digits as the reader writes them. */
function digits(text) {
  return isPersian ? text.replace(/\d/g, (digit) => "۰۱۲۳۴۵۶۷۸۹"[Number(digit)]).replace(".", "٫") : text;
}

/** Whole steps x, y, x, y … from the origin to Leaflet's [lat, lon] pairs. */
function points(steps) {
  const line = [];
  let [x, y] = drawing.origin;
  for (let i = 0; i < steps.length; i += 2) {
    x += steps[i];
    y += steps[i + 1];
    line.push([y / drawing.units, x / drawing.units]);
  }
  return line;
}

function pane(name, zIndex, isInteractive) {
  const made = map.createPane(name);
  made.style.zIndex = String(zIndex);
  if (!isInteractive) made.style.pointerEvents = "none";
  return name;
}

const bounds = L.latLngBounds([drawing.bounds[1], drawing.bounds[0]], [drawing.bounds[3], drawing.bounds[2]]);
const PADDING = 14;
let isWhole = true;
/** Show all of the city. A frame that has no size yet, or a hidden one, is left alone: it asks again when it gets one. */
function wholeCity() {
  map.invalidateSize({ animate: false, pan: false });
  const size = map.getSize();
  if (Math.min(size.x, size.y) < 4 * PADDING) return;
  map.setMinZoom(0);
  map.fitBounds(bounds, { padding: [PADDING, PADDING], animate: false });
  map.setMinZoom(map.getZoom() - 1);
  isWhole = true;
}
map.setMaxZoom(18);
map.setMaxBounds(bounds.pad(0.6));
wholeCity();
for (const gesture of ["wheel", "keydown", "dblclick", "touchmove", "mousedown"]) {
  map.getContainer().addEventListener(gesture, () => {
    isWhole = false;
  }, { passive: true });
}
new ResizeObserver(() => (isWhole ? wholeCity() : map.invalidateSize({ animate: false }))).observe(map.getContainer());

// Backdrops: land and green below the result, water and streets above it, none of them answering the pointer.
const under = pane("under", 310, false);
const over = pane("over", 420, false);
const LINES = {
  "road-1": { color: "#fff", weight: 2.6, opacity: 0.95, casing: "#8b95a1" },
  "road-2": { color: "#fff", weight: 1.5, opacity: 0.85 },
  "road-3": { color: "#fff", weight: 0.8, opacity: 0.7 },
  transit: { color: "#fff", weight: 1, opacity: 0.8 },
};
const AREAS = {
  outline: { pane: under, color: "#5a6572", weight: 1.2, opacity: 1, fillColor: "#fbfaf7", fillOpacity: 1 },
  green: { pane: under, stroke: false, fillColor: "#d5e3c8", fillOpacity: 1 },
  water: { pane: over, color: "#7fb2d6", weight: 2, opacity: 0.9, fillColor: "#a9cde6", fillOpacity: 0.9 },
};
for (const kind of ["outline", "green", "water"]) {
  const [areas, lines] = drawing.backdrops[kind] ?? [[], []];
  if (areas.length) L.polygon(areas.map((rings) => rings.map(points)), { interactive: false, ...AREAS[kind] }).addTo(map);
  if (lines.length) L.polyline(lines.map(points), { interactive: false, ...AREAS[kind], fill: false }).addTo(map);
}
const lines = [];
for (const kind of ["road-3", "transit", "road-2", "road-1"]) {
  const paths = (drawing.backdrops[kind] ?? []).map(points);
  if (!paths.length) continue;
  const { casing, ...style } = LINES[kind];
  if (casing) lines.push([L.polyline(paths, { pane: over, interactive: false, ...style, color: casing }).addTo(map), style.weight, 1.2]);
  lines.push([L.polyline(paths, { pane: over, interactive: false, ...style }).addTo(map), style.weight, 0]);
}
/** Streets are as wide as the zoom allows: thin over the whole city, so that its places stay in sight. */
function sizeLines() {
  const scale = Math.min(2.5, Math.max(0.4, 2 ** ((map.getZoom() - 14) / 1.6)));
  for (const [line, weight, casing] of lines) line.setStyle({ weight: weight * scale + casing * Math.min(1, scale) });
}

// The places. Settlements lie over neighbourhoods, each with a white edge under its own, so that it shows on any colour.
const places = pane("places", 400, true);
const settlements = pane("settlements", 430, true);
const marked = pane("marked", 440, false);
const FILLS = { "-1": "url(#no-data)", "-2": "url(#withheld)" };

/** What a tooltip says: the cells of the place's row. */
function tip(index) {
  const box = document.createElement("div");
  box.dir = document.documentElement.dir;
  const name = document.createElement("strong");
  name.textContent = rows[index].querySelector(".pub-place").textContent;
  const kind = rows[index].querySelector(".pub-kind");
  box.append(name);
  if (kind) box.append(Object.assign(document.createElement("span"), { textContent: kind.textContent }));
  const list = document.createElement("dl");
  [...rows[index].cells].slice(1).forEach((cell, column) => {
    const [term, value] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = headings[column].text;
    value.textContent = cell.textContent;
    if (headings[column].isMain) term.className = value.className = "is-main";
    list.append(term, value);
  });
  box.append(list);
  return box;
}

const shapes = drawing.shapes.map(([classIndex, isSettlement, [x, y], polygons], index) => {
  const latLngs = polygons.map((rings) => rings.map(points));
  const centre = L.latLng((y + drawing.origin[1]) / drawing.units, (x + drawing.origin[0]) / drawing.units);
  const fillColor = FILLS[classIndex] ?? drawing.fills[classIndex];
  const shape = L.polygon(latLngs, {
    pane: isSettlement ? settlements : places, color: isSettlement ? "#fff" : "#66707b", weight: isSettlement ? 4.5 : 0.9, opacity: isSettlement ? 0.95 : 0.8,
    fillColor, fillOpacity: isSettlement ? 1 : 0.92, lineJoin: "round",
  }).addTo(map);
  if (isSettlement) L.polygon(latLngs, { pane: settlements, interactive: false, color: "#8a0f57", weight: 2, opacity: 1, fillColor: "url(#settlement)", fillOpacity: 0.75 }).addTo(map);
  shape.on("mouseover mousemove", ({ latlng }) => {
    if (!isPointerAtRest) tell(index, latlng);
  });
  shape.on("mouseout", () => {
    if (!isPointerAtRest) tellChosen();
  });
  shape.on("click", ({ latlng }) => {
    isPointerAtRest = false;
    chosen = index;
    tell(index, latlng);
  });
  return { shape, centre, latLngs };
});

const facilities = pane("facilities", 450, false);
const dots = (drawing.backdrops.facility ?? []).map(([x, y]) =>
  L.circleMarker([(y + drawing.origin[1]) / drawing.units, (x + drawing.origin[0]) / drawing.units], { pane: facilities, interactive: false, color: "#fff", weight: 1, fillColor: "#1b2430", fillOpacity: 1, radius: 3 }).addTo(map));
function sizeDots() {
  const crowded = dots.length > 150 ? 1 : 0;
  const radius = Math.max(1.6, Math.min(6, map.getZoom() - 9.5 - crowded));
  for (const dot of dots) dot.setRadius(radius);
}

// One place at a time is marked and told about: the one under the pointer, else the one that was chosen.
let chosen = -1;
let told = -1;
let halo = null;
const tooltip = L.tooltip({ className: "map-tip", opacity: 1, offset: [0, 0] });
// When the page scrolls or the map moves under a pointer that lies still, the browser says the pointer came in; the reader did not.
let isPointerAtRest = false;
addEventListener("pointermove", (event) => {
  if (event.movementX || event.movementY) isPointerAtRest = false;
}, { capture: true, passive: true });

function mark(index) {
  markRow(table, index);
  halo?.remove();
  halo = index < 0 ? null : L.polygon(shapes[index].latLngs, { pane: marked, interactive: false, fill: false, color: "#1b2430", weight: 3 }).addTo(map);
}
function tell(index, latLng, direction = "auto") {
  tooltip.options.direction = direction;
  if (index !== told) {
    tooltip.setContent(tip(index));
    mark(index);
    told = index;
  }
  tooltip.setLatLng(latLng);
  if (!map.hasLayer(tooltip)) map.openTooltip(tooltip);
}
function tellNothing() {
  told = -1;
  mark(-1);
  map.closeTooltip(tooltip);
}
/** The middle of a place's upper edge: what is told there hides nothing of it. */
function topOf(index) {
  const area = shapes[index].shape.getBounds();
  return area.isValid() ? L.latLng(area.getNorth(), area.getCenter().lng) : shapes[index].centre;
}
function tellChosen() {
  if (chosen < 0) tellNothing();
  else tell(chosen, topOf(chosen), "top");
}

function show(index) {
  if (!shapes[index]) return;
  isWhole = false;
  isPointerAtRest = true;
  chosen = index;
  const area = shapes[index].shape.getBounds();
  const above = map.getSize().y > 360 ? 190 : 70; // room for what is told
  if (area.isValid()) map.fitBounds(area, { paddingTopLeft: [60, above], paddingBottomRight: [60, 50], maxZoom: Math.max(15, map.getMinZoom() + 3), animate: !isCalm });
  tellChosen();
}
map.getContainer().addEventListener("mouseleave", tellChosen);
addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  chosen = -1;
  tellNothing();
});

// Names, where they fit inside their place and do not meet another.
const ink = document.createElement("canvas").getContext("2d");
ink.font = "12px Vazirmatn, Tahoma, sans-serif";
const labels = pane("labels", 460, false);
const names = shapes.map(({ shape, centre }, index) => {
  const text = document.createElement("span");
  text.textContent = rows[index].querySelector(".pub-place").textContent;
  text.dir = "auto";
  const marker = L.marker(centre, { pane: labels, interactive: false, keyboard: false, icon: L.divIcon({ className: "map-label", html: text, iconSize: [0, 0] }) });
  return { marker, area: shape.getBounds(), centre, text: text.textContent, width: 0 };
});
const largestFirst = names.filter((name) => name.area.isValid()).sort((a, b) => size(b.area) - size(a.area));
function size(area) {
  return (area.getNorth() - area.getSouth()) * (area.getEast() - area.getWest());
}
function placeNames() {
  const taken = [];
  for (const name of largestFirst) {
    name.width ||= ink.measureText(name.text).width;
    const [a, b] = [map.latLngToLayerPoint(name.area.getNorthWest()), map.latLngToLayerPoint(name.area.getSouthEast())];
    const at = map.latLngToLayerPoint(name.centre);
    const box = [at.x - name.width / 2 - 3, at.y - 9, at.x + name.width / 2 + 3, at.y + 9];
    const fits = name.width < b.x - a.x && 16 < b.y - a.y;
    const isFree = fits && !taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
    if (isFree) {
      taken.push(box);
      name.marker.addTo(map);
    } else {
      name.marker.remove();
    }
  }
}

// Controls with our own words: zoom, whole city, north, scale.
const side = isPersian ? { start: "right", end: "left" } : { start: "left", end: "right" };
function control(position, element) {
  const made = new L.Control({ position });
  made.onAdd = () => {
    L.DomEvent.disableClickPropagation(element);
    return element;
  };
  made.addTo(map);
}
function button(text, title, act, className = "") {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text, title, className });
  made.setAttribute("aria-label", title);
  made.addEventListener("click", act);
  return made;
}
function zoomBy(steps) {
  isWhole = false;
  map.setZoom(map.getZoom() + steps * map.options.zoomDelta);
}
const zoom = Object.assign(document.createElement("div"), { className: "map-control" });
zoom.append(button("+", words.zoomIn, () => zoomBy(1)), button("−", words.zoomOut, () => zoomBy(-1)), button(words.whole, words.whole, () => {
  chosen = -1;
  tellNothing();
  wholeCity();
}, "map-word"));
control(`top${side.start}`, zoom);

const SVG = "http://www.w3.org/2000/svg";
const north = Object.assign(document.createElement("div"), { className: "map-north" });
const arrow = document.createElementNS(SVG, "svg");
for (const [name, value] of [["width", "18"], ["height", "24"], ["viewBox", "0 0 18 24"], ["aria-hidden", "true"]]) arrow.setAttribute(name, value);
for (const [shape, fill] of [["M9 1 L16 23 L9 18 Z", "#1b2430"], ["M9 1 L2 23 L9 18 Z", "#fff"]]) {
  const half = document.createElementNS(SVG, "path");
  for (const [name, value] of [["d", shape], ["fill", fill], ["stroke", "#1b2430"], ["stroke-linejoin", "round"]]) half.setAttribute(name, value);
  arrow.append(half);
}
north.append(Object.assign(document.createElement("span"), { textContent: words.north }), arrow);
control(`top${side.end}`, north);

const scale = Object.assign(document.createElement("div"), { className: "map-scale" });
const scaleText = document.createElement("span");
scaleText.dir = "auto";
const scaleBar = Object.assign(document.createElement("div"), { className: "map-scale-bar" });
scale.append(scaleText, scaleBar);
control(`bottom${side.start}`, scale);
function sizeScale() {
  const middle = map.getSize().y / 2;
  const metres = map.distance(map.containerPointToLatLng([0, middle]), map.containerPointToLatLng([120, middle]));
  const power = 10 ** Math.floor(Math.log10(metres));
  const round = power * (metres / power >= 5 ? 5 : metres / power >= 2 ? 2 : 1);
  scaleBar.style.width = `${(120 * round) / metres}px`;
  scaleText.textContent = digits(round >= 1000 ? `${round / 1000} ${words.km}` : `${round} ${words.m}`);
}

function redraw() {
  sizeLines();
  sizeDots();
  placeNames();
  sizeScale();
}
map.on("zoomend moveend", redraw);
redraw();
document.fonts?.ready.then(() => {
  for (const name of names) name.width = 0;
  redraw();
});

// The wheel belongs to the page until the reader turns to the map.
map.on("focus click", () => map.scrollWheelZoom.enable());
map.on("blur", () => map.scrollWheelZoom.disable());
function drawForPrint() {
  tellNothing();
  wholeCity();
}
addEventListener("beforeprint", drawForPrint);
matchMedia("print").addEventListener("change", drawForPrint); // now the sheet's size is known

makeSortable(table, words);
makeChoosable(table, words, (index) => {
  show(index);
  map.getContainer().scrollIntoView({ block: "nearest", behavior: isCalm ? "auto" : "smooth" });
});
// A page that holds this one in a frame may name a row to show; nothing else is heeded.
addEventListener("message", (event) => {
  const index = event.source === parent && event.data?.kind === "show-place" ? event.data.row : null;
  if (Number.isInteger(index)) show(index);
});
document.documentElement.dataset.ready = "true";
