/**
 * The map of a geometry in the admin: shows it on the tiles of its city and, where it may be edited, lets vertices be moved,
 * added and removed, parts be drawn, and a file be taken. The text of the form is the truth; the map follows it and writes to it.
 */
import { Map as MapLibreMap, Marker, NavigationControl, ScaleControl, setWorkerUrl } from 'maplibre-gl';
import { boundsOf, counted, extended, handles, inserted, moved, read, removed, write } from './shape.js';

const INK = '#1b2430';
const ACCENT = '#0f6b6b';
const BASE_PAINT = {
  river: { fill: '#cfe3ee', line: '#cfe3ee' },
  roads: { fill: '#fff', line: '#c9ced4' },
  buildings: { fill: '#e6e3de', line: '#e6e3de' },
};
const LONGEST_HISTORY = 100;
const REACH_PX = 6; // how near to a handle a finger must come
const NOTHING = { type: 'FeatureCollection', features: [] };

for (const element of document.querySelectorAll('[data-geometry-map]')) start(element);

function start(element) {
  const text = element.querySelector('[data-text]');
  const base = JSON.parse(element.dataset.base);
  setWorkerUrl(element.dataset.worker);
  const map = new MapLibreMap({
    container: element.querySelector('[data-canvas]'),
    style: styleOf(base),
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    ...startView(text.value, element.dataset.fault),
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }));
  map.addControl(new ScaleControl());
  map.on('load', () => {
    if (element.dataset.fault) new Marker({ color: '#a1260d' }).setLngLat(JSON.parse(element.dataset.fault)).addTo(map);
    if ('editable' in element.dataset) edit(element, map, text);
    else show(map, JSON.parse(text.value || 'null'));
  });
}

/** Everything that is on the map, from below upwards. */
function styleOf(base) {
  const sources = {
    shape: { type: 'geojson', data: NOTHING },
    handles: { type: 'geojson', data: NOTHING },
    drawing: { type: 'geojson', data: NOTHING },
  };
  const layers = [{ id: 'paper', type: 'background', paint: { 'background-color': '#fbfaf8' } }];
  for (const { url, kind } of base.layers ?? []) {
    const code = /layers\/([\w-]+)\.json$/.exec(url)[1];
    sources[code] = { type: 'vector', url: absolute(url) };
    const paint = BASE_PAINT[code];
    layers.push(
      kind === 'polygon'
        ? { id: code, type: 'fill', source: code, 'source-layer': 'features', paint: { 'fill-color': paint.fill } }
        : { id: code, type: 'line', source: code, 'source-layer': 'features', paint: { 'line-color': paint.line, 'line-width': ['interpolate', ['exponential', 2], ['zoom'], 11, 0.5, 18, 12] } },
    );
  }
  if (base.places) {
    sources.places = { type: 'vector', url: absolute(base.places) };
    layers.push({ id: 'places', type: 'line', source: 'places', 'source-layer': 'places', paint: { 'line-color': '#9aa4b0', 'line-width': 1 } });
  }
  layers.push(
    { id: 'fill', type: 'fill', source: 'shape', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': ACCENT, 'fill-opacity': 0.16 } },
    { id: 'outline', type: 'line', source: 'shape', paint: { 'line-color': ACCENT, 'line-width': 2 } },
    { id: 'spot', type: 'circle', source: 'shape', filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-color': ACCENT, 'circle-radius': 7, 'circle-stroke-color': '#fff', 'circle-stroke-width': 2 } },
    { id: 'drawn', type: 'line', source: 'drawing', paint: { 'line-color': INK, 'line-width': 2, 'line-dasharray': [2, 1] } },
    { id: 'drawn-vertices', type: 'circle', source: 'drawing', paint: { 'circle-color': INK, 'circle-radius': 4 } },
    { id: 'middles', type: 'circle', source: 'handles', minzoom: 13, filter: ['==', ['get', 'kind'], 'middle'], paint: { 'circle-color': '#fff', 'circle-radius': 3, 'circle-stroke-color': ACCENT, 'circle-stroke-width': 1 } },
    { id: 'vertices', type: 'circle', source: 'handles', filter: ['==', ['get', 'kind'], 'vertex'], paint: { 'circle-color': ['case', ['==', ['get', 'chosen'], true], INK, '#fff'], 'circle-radius': ['interpolate', ['linear'], ['zoom'], 10, 2, 14, 5], 'circle-stroke-color': ACCENT, 'circle-stroke-width': 2 } },
  );
  return { version: 8, sources, layers };
}

function startView(value, fault) {
  const bounds = boundsOf(geometryIn(value));
  if (bounds) return { bounds, fitBoundsOptions: { padding: 40, maxZoom: 17 } };
  return fault ? { center: JSON.parse(fault), zoom: 16 } : { center: [53, 33], zoom: 4 };
}

function geometryIn(value) {
  try {
    const found = JSON.parse(value);
    return found?.geometry ?? found?.features?.[0]?.geometry ?? found;
  } catch {
    return null;
  }
}

function show(map, geometry) {
  if (geometry) map.getSource('shape').setData({ type: 'Feature', geometry, properties: {} });
}

/** Wire up editing: every change goes through `put`, which keeps the map, the text, the buttons and the history in step. */
function edit(element, map, text) {
  const status = element.querySelector('[data-status]');
  const button = (name) => element.querySelector(`[data-do="${name}"]`);
  let shape = read(text.value) ?? [];
  let chosen = null;
  let drawing = null;
  let dragging = null;
  const past = [];

  const redraw = () => {
    map.getSource('shape').setData({ type: 'Feature', properties: {}, geometry: { type: 'MultiPolygon', coordinates: shape } });
    const points = handles(shape);
    if (chosen) for (const { properties } of points.features) if (properties.kind === 'vertex' && isSame(properties, chosen)) properties.chosen = true;
    map.getSource('handles').setData(points);
    const line = (drawing ?? []).map((at) => ({ type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: at } }));
    if (drawing?.length > 1) line.push({ type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates: drawing } });
    map.getSource('drawing').setData({ type: 'FeatureCollection', features: line });
    const { vertices, parts } = counted(shape);
    const number = new Intl.NumberFormat(document.documentElement.lang);
    status.textContent = drawing ? element.dataset.textDrawing : element.dataset.textCount.replace('%n', number.format(vertices)).replace('%p', number.format(parts));
    button('remove').disabled = !chosen;
    button('undo').disabled = !past.length;
    button('draw').setAttribute('aria-pressed', String(Boolean(drawing)));
  };
  const remember = () => {
    past.push(shape);
    if (past.length > LONGEST_HISTORY) past.shift();
  };
  const put = (next) => {
    shape = next;
    text.value = shape.length ? write(shape) : '';
    redraw();
  };
  const fit = () => {
    const bounds = boundsOf({ coordinates: shape });
    if (bounds) map.fitBounds(bounds, { padding: 40, maxZoom: 17, animate: false });
  };
  const removeChosen = () => {
    if (!chosen) return;
    remember();
    const where = chosen;
    chosen = null;
    put(removed(shape, where));
  };
  const undo = () => {
    if (!past.length) return;
    chosen = null;
    put(past.pop());
  };
  const takeText = () => {
    const found = read(text.value);
    if (!found) {
      status.textContent = element.dataset.textJson;
      return;
    }
    remember();
    shape = found;
    chosen = null;
    redraw();
    fit();
  };
  const finish = (isKept) => {
    const vertices = drawing ?? [];
    drawing = null;
    map.doubleClickZoom.enable();
    map.getCanvas().style.cursor = '';
    if (isKept && vertices.length > 2) {
      remember();
      put(extended(shape, vertices));
    } else redraw();
  };

  /** The handle under the pointer; a vertex before the middle of an edge, where both are near. */
  const handleAt = ({ x, y }) => {
    const near = [[x - REACH_PX, y - REACH_PX], [x + REACH_PX, y + REACH_PX]];
    return map.queryRenderedFeatures(near, { layers: ['vertices'] })[0] ?? map.queryRenderedFeatures(near, { layers: ['middles'] })[0];
  };
  const grab = (event) => {
    if (drawing || event.originalEvent.button > 0 || event.originalEvent.touches?.length > 1) return;
    const found = handleAt(event.point);
    if (!found) return;
    event.preventDefault(); // the map stays where it is
    remember();
    const { kind, polygon, ring, vertex } = found.properties;
    if (kind === 'middle') {
      shape = inserted(shape, { polygon, ring, vertex }, [event.lngLat.lng, event.lngLat.lat]);
      chosen = { polygon, ring, vertex: vertex + 1 };
    } else chosen = { polygon, ring, vertex };
    dragging = { hasMoved: kind === 'middle' };
    redraw();
  };
  const drag = (event) => {
    if (!dragging) return;
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
  map.on('mousedown', grab);
  map.on('touchstart', grab);
  for (const layer of ['vertices', 'middles']) {
    map.on('mouseenter', layer, () => { if (!drawing) map.getCanvas().style.cursor = 'move'; });
    map.on('mouseleave', layer, () => { if (!drawing) map.getCanvas().style.cursor = ''; });
  }
  map.on('mousemove', drag);
  map.on('touchmove', drag);
  map.on('mouseup', drop);
  map.on('touchend', drop);
  map.on('click', (event) => {
    if (!drawing) return;
    const last = drawing.at(-1);
    if (!last || last[0] !== event.lngLat.lng || last[1] !== event.lngLat.lat) drawing = [...drawing, [event.lngLat.lng, event.lngLat.lat]];
    redraw();
  });
  map.on('dblclick', () => { if (drawing) finish(true); });

  element.addEventListener('click', ({ target }) => {
    const action = target.closest('[data-do]')?.dataset.do;
    if (action === 'draw' && drawing) finish(true);
    else if (action === 'draw') {
      drawing = [];
      chosen = null;
      map.doubleClickZoom.disable();
      map.getCanvas().style.cursor = 'crosshair';
      map.getCanvas().focus();
      redraw();
    } else if (action === 'remove') removeChosen();
    else if (action === 'undo') undo();
    else if (action === 'fit') fit();
  });
  map.getCanvas().addEventListener('keydown', (event) => {
    if (drawing && (event.key === 'Enter' || event.key === 'Escape')) finish(event.key === 'Enter');
    else if (event.key === 'Delete' || event.key === 'Backspace') removeChosen();
    else if (event.key === 'z' && (event.ctrlKey || event.metaKey)) undo();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  text.addEventListener('change', takeText);
  element.querySelector('[data-file]').addEventListener('change', async ({ target }) => {
    if (!target.files.length) return;
    text.value = await target.files[0].text();
    takeText();
  });
  redraw();
}

function isSame(a, b) {
  return a.polygon === b.polygon && a.ring === b.ring && a.vertex === b.vertex;
}

function absolute(path) {
  return new URL(path, document.baseURI).href;
}
