// @ts-check
/**
 * The live map's style: our own layers as a quiet base, the result over it, names on top. Pure: data in, a style out.
 *
 * @import { ExpressionSpecification as Expression, LayerSpecification, StyleSpecification as Style } from "maplibre-gl"
 * @import { FeatureCollection } from "geojson"
 * @import { Language } from "./numbers.js";
 *
 * @typedef {{code: string, role: string, kind: string, bounds?: [number, number, number, number]}} BaseLayer
 * @typedef {object} MapConfig
 * @property {Language} language
 * @property {{tiles: string}} urls
 * @property {BaseLayer[]} layers
 * @property {string[]} colours
 * @property {Record<string, number[]>} points place → [lon, lat, west, south, east, north]
 */

export const INK = "#1b2430";
export const SETTLEMENT = "#8a0f57";
export const FACILITY = "#0b3f6b";
const LAND = "#faf9f5";
const WATER = "#b9d7e6";
const FONT = ["Vazirmatn SemiBold"];

/** Widths by zoom of streets of a class: [at zoom 11, at zoom 15]. */
const ROADS = /** @type {const} */ ([
  ["fine", ["alley", "passage", "path", "service", "steps"], 14.5, 0.2, 2],
  ["minor", ["local", "residential"], 13.2, 0.4, 3.5],
  ["middle", ["collector", "tertiary", "street", "secondary"], 12.5, 0.7, 5],
  ["major", ["arterial", "highway", "primary", "trunk", "motorway", "ring"], 0, 1.4, 9],
]);

/**
 * Return the expression that paints a place by the class in its feature state.
 * @param {string[]} colours lightest first
 * @returns {Expression}
 */
export function fillColour(colours) {
  const cases = colours.flatMap((colour, index) => [index, colour]);
  return /** @type {any} */ (["match", ["coalesce", ["feature-state", "class"], -1], ...cases, "rgba(0,0,0,0)"]);
}

/**
 * Return the expression for places without a value.
 * @returns {Expression}
 */
export function hatchOpacity() {
  return ["case", ["==", ["coalesce", ["feature-state", "class"], 0], -1], 0.9, 0];
}

/**
 * Return the filter that keeps the features of a layer that provide a service.
 * @param {string} service
 * @returns {Expression}
 */
export function providing(service) {
  return ["in", `,${service},`, ["coalesce", ["get", "services"], ""]];
}

/**
 * Return the points where names stand, as GeoJSON. A name is drawn once, whatever tiles its place is cut into.
 * @param {Record<string, number[]>} points
 * @param {Record<string, {name: string, kind: string}>} places
 * @returns {FeatureCollection}
 */
export function labelPoints(points, places) {
  return {
    type: "FeatureCollection",
    features: Object.entries(points)
      .filter(([code]) => places[code])
      .map(([code, [lon, lat]]) => ({
        type: "Feature",
        properties: { code, name: places[code].name, kind: places[code].kind },
        geometry: { type: "Point", coordinates: [lon, lat] },
      })),
  };
}

/**
 * Return the padding with which a city is fitted into its pane so that the key in a lower corner covers as little of it as can be:
 * whatever room the city's own shape leaves goes to the key's side.
 * @param {[number, number, number, number]} bounds west, south, east, north
 * @param {{width: number, height: number}} pane
 * @param {{width: number, height: number}} key
 * @param {"left" | "right"} side where the key is
 */
export function fitPadding(bounds, pane, key, side) {
  const edge = 16;
  const [west, south, east, north] = bounds;
  /** @param {number} lat */
  const y = (lat) => Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360));
  const aspect = ((east - west) * Math.PI) / 180 / Math.max(y(north) - y(south), 1e-9);
  const room = { width: pane.width - 2 * edge, height: pane.height - 2 * edge };
  const padding = { top: edge, bottom: edge, left: edge, right: edge };
  if (aspect > room.width / room.height) padding.bottom += Math.max(0, Math.min(room.height - room.width / aspect, key.height));
  else padding[side] += Math.max(0, Math.min(room.width - room.height * aspect, key.width));
  return padding;
}

/**
 * Return everything outside the middle of a raster's bounds as one polygon with a hole. Beyond the data a hillshade shows the
 * raggedness of its edge, not relief, so the land fades to plain there.
 * @param {[number, number, number, number]} bounds
 * @returns {FeatureCollection}
 */
export function outside([west, south, east, north]) {
  const [dx, dy] = [(east - west) * 0.05, (north - south) * 0.05];
  /** @param {number} w @param {number} s @param {number} e @param {number} n */
  const ring = (w, s, e, n) => [[w, s], [e, s], [e, n], [w, n], [w, s]];
  const hole = ring(west + dx, south + dy, east - dx, north - dy).reverse();
  return { type: "FeatureCollection", features: [{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring(west - 5, south - 5, east + 5, north + 5), hole] } }] };
}

/**
 * Return the layers that fade the relief out towards the edge of its data.
 * @returns {LayerSpecification[]}
 */
function fade() {
  /** @param {number} share @returns {Expression} */
  const width = (share) => ["interpolate", ["exponential", 2], ["zoom"], 8, 8 * share, 18, 8192 * share];
  return [
    { id: "edge-fill", type: "fill", source: "edge", paint: { "fill-color": LAND, "fill-antialias": false } },
    { id: "edge-fade", type: "line", source: "edge", layout: { "line-join": "round" }, paint: { "line-color": LAND, "line-width": width(1.6), "line-blur": width(0.8) } },
  ];
}

/**
 * Build the style of a city's map.
 * @param {MapConfig} config
 * @param {Record<string, {name: string, kind: string}>} places
 * @param {string} origin of the page, because workers know no relative addresses
 * @returns {Style}
 */
export function cityStyle(config, places, origin) {
  const tiles = `${origin}${config.urls.tiles}`;
  /** @type {Style["sources"]} */
  const sources = {
    places: { type: "vector", url: `${tiles}places.json`, promoteId: "code" },
    names: { type: "geojson", data: labelPoints(config.points, places) },
  };
  for (const layer of config.layers) {
    sources[`base-${layer.code}`] =
      layer.role === "terrain" ? { type: "raster-dem", url: `${tiles}terrain.json`, encoding: "terrarium" } : { type: "vector", url: `${tiles}layers/${layer.code}.json` };
  }
  const terrain = config.layers.find((layer) => layer.role === "terrain");
  if (terrain?.bounds) sources.edge = { type: "geojson", data: outside(terrain.bounds) };
  /** @param {string} role */
  const having = (role) => config.layers.filter((layer) => layer.role === role);
  const isSettlement = /** @type {Expression} */ (["==", ["get", "kind"], "settlement"]);
  const isOther = /** @type {Expression} */ (["!=", ["get", "kind"], "settlement"]);
  const places_ = { source: "places", "source-layer": "places" };
  /** @type {LayerSpecification[]} */
  const layers = [
    { id: "land", type: "background", paint: { "background-color": LAND } },
    ...having("terrain").map((layer) => /** @type {LayerSpecification} */ ({
      id: "hillshade", type: "hillshade", source: `base-${layer.code}`,
      paint: { "hillshade-exaggeration": 0.35, "hillshade-shadow-color": "#4a4637", "hillshade-highlight-color": "rgba(255,255,255,0.6)", "hillshade-accent-color": "#8a8470", "hillshade-illumination-direction": 315 },
    })),
    ...(terrain?.bounds ? fade() : []),
    ...having("green").map((layer) => /** @type {LayerSpecification} */ ({
      id: `green-${layer.code}`, type: "fill", source: `base-${layer.code}`, "source-layer": "features", filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": "#dbe8d2", "fill-opacity": 0.8 },
    })),
    { id: "places-fill", type: "fill", ...places_, filter: isOther, paint: { "fill-color": fillColour(config.colours), "fill-opacity": ["interpolate", ["linear"], ["zoom"], 13, 0.9, 16, 0.6], "fill-antialias": true } },
    { id: "places-hatch", type: "fill", ...places_, filter: isOther, paint: { "fill-pattern": "hatch-none", "fill-opacity": hatchOpacity() } },
    { id: "settlements-fill", type: "fill", ...places_, filter: isSettlement, paint: { "fill-color": fillColour(config.colours), "fill-opacity": ["interpolate", ["linear"], ["zoom"], 13, 1, 16, 0.65] } },
    { id: "settlements-none", type: "fill", ...places_, filter: isSettlement, paint: { "fill-pattern": "hatch-none", "fill-opacity": hatchOpacity() } },
    ...having("water").flatMap((layer) => /** @type {LayerSpecification[]} */ ([
      { id: `water-${layer.code}`, type: "fill", source: `base-${layer.code}`, "source-layer": "features", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": WATER } },
      { id: `stream-${layer.code}`, type: "line", source: `base-${layer.code}`, "source-layer": "features", filter: ["==", ["geometry-type"], "LineString"], layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": WATER, "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 10, 1.5, 13, 4, 17, 24] } },
    ])),
    ...having("transit").map((layer) => /** @type {LayerSpecification} */ ({
      id: `transit-${layer.code}`, type: "line", source: `base-${layer.code}`, "source-layer": "features", layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": "#6d7886", "line-opacity": 0.5, "line-width": ["interpolate", ["linear"], ["zoom"], 11, 0.5, 15, 1.5] },
    })),
    ...having("roads").flatMap((layer) => roads(layer.code)),
    ...having("buildings").map((layer) => /** @type {LayerSpecification} */ ({
      id: "buildings", type: "fill", source: `base-${layer.code}`, "source-layer": "features", minzoom: 14.5,
      paint: { "fill-color": "#5b5548", "fill-opacity": ["interpolate", ["linear"], ["zoom"], 14.5, 0, 15.5, 0.35] },
    })),
    { id: "places-line", type: "line", ...places_, filter: isOther, layout: { "line-join": "round" }, paint: { "line-color": "#5d6673", "line-opacity": 0.75, "line-width": ["interpolate", ["linear"], ["zoom"], 10, 0.5, 14, 1.4] } },
    { id: "settlements-hatch", type: "fill", ...places_, filter: isSettlement, paint: { "fill-pattern": "hatch-settlement" } },
    { id: "settlements-casing", type: "line", ...places_, filter: isSettlement, layout: { "line-join": "round" }, paint: { "line-color": "#fff", "line-width": ["interpolate", ["linear"], ["zoom"], 11, 1.8, 14, 4.4] } },
    { id: "settlements-line", type: "line", ...places_, filter: isSettlement, layout: { "line-join": "round" }, paint: { "line-color": SETTLEMENT, "line-width": ["interpolate", ["linear"], ["zoom"], 11, 0.9, 14, 2.2] } },
    { id: "hover-line", type: "line", ...places_, layout: { "line-join": "round" }, paint: { "line-color": INK, "line-width": ["case", ["boolean", ["feature-state", "chosen"], false], 4, ["boolean", ["feature-state", "hover"], false], 2.5, 0] } },
    {
      id: "names", type: "symbol", source: "names", minzoom: 11,
      layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": ["interpolate", ["linear"], ["zoom"], 11, 10.5, 15, 15], "text-max-width": 7, "text-padding": 6, "symbol-sort-key": ["case", ["==", ["get", "kind"], "settlement"], 1, 2] },
      paint: { "text-color": ["case", ["==", ["get", "kind"], "settlement"], "#6b0a43", INK], "text-halo-color": "rgba(255,255,255,0.92)", "text-halo-width": 1.6 },
    },
  ];
  return { version: 8, sources, layers };
}

/**
 * Return the layers that draw a city's streets: grey casings below white, the wider the greater the class.
 * @param {string} code
 * @returns {LayerSpecification[]}
 */
function roads(code) {
  const from = { source: `base-${code}`, "source-layer": "features" };
  const layout = /** @type {const} */ ({ "line-cap": "round", "line-join": "round" });
  const casings = ROADS.map(([name, classes, minzoom, thin, thick]) => /** @type {LayerSpecification} */ ({
    id: `${name}-casing`, type: "line", ...from, minzoom, layout, filter: ["in", ["get", "class"], ["literal", classes]],
    paint: { "line-color": "#8f98a3", "line-opacity": 0.55, "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], 11, thin + 0.8, 16, thick + 1.5] },
  }));
  const streets = ROADS.map(([name, classes, minzoom, thin, thick]) => /** @type {LayerSpecification} */ ({
    id: `${name}-street`, type: "line", ...from, minzoom, layout, filter: ["in", ["get", "class"], ["literal", classes]],
    paint: { "line-color": "#fff", "line-opacity": 0.9, "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], 11, thin, 16, thick] },
  }));
  return [...casings, ...streets];
}

/**
 * Return the layers that draw the facilities of a service, whatever their geometry.
 * @param {string} source
 * @param {string} service
 * @returns {LayerSpecification[]}
 */
export function facilityLayers(source, service) {
  const from = { source, "source-layer": "features" };
  /** @param {string} type @returns {Expression} */
  const only = (type) => ["all", ["==", ["geometry-type"], type], providing(service)];
  return [
    { id: "facility-area", type: "fill", ...from, filter: only("Polygon"), paint: { "fill-color": FACILITY, "fill-opacity": 0.4 } },
    { id: "facility-edge", type: "line", ...from, filter: only("Polygon"), layout: { "line-join": "round" }, paint: { "line-color": FACILITY, "line-width": ["interpolate", ["linear"], ["zoom"], 10, 1.6, 14, 1.2] } },
    { id: "facility-line", type: "line", ...from, filter: only("LineString"), layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": FACILITY, "line-width": ["interpolate", ["linear"], ["zoom"], 10, 1, 15, 3] } },
    { id: "facility-point", type: "circle", ...from, filter: only("Point"), paint: { "circle-color": FACILITY, "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, 2.2, 13, 4, 16, 7], "circle-stroke-color": "#fff", "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 10, 0.8, 14, 1.6] } },
  ];
}
