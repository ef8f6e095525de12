// @ts-check
/**
 * The map of an upload: what is in the file, what is wrong with it, what a repair makes of it; or the layer it became.
 *
 * @import { LayerSpecification, SourceSpecification } from "maplibre-gl"
 * @import { MapConfig } from "../style.js"
 *
 * @typedef {[number, number, number, number]} Bounds
 * @typedef {object} Extra
 * @property {Bounds | null} bounds
 * @property {{code: string, kind: string, release: number} | null} stored
 * @property {{tiles: string, worker: string, preview: string | null, problems: string | null, repairs: string | null}} urls
 */

import { LngLatBounds, Marker } from "maplibre-gl";
import { liveMap } from "../livemap.js";
import { cityStyle } from "../style.js";

const FILE = "#0b3f6b";
const BAD = "#a1260d";
const MENDED = "#0a4f4f";

/** Tell whether this browser can draw the map at all. */
export const canDraw = () => document.createElement("canvas").getContext("webgl2") !== null;

/**
 * Return the layers that draw features of any kind from one source.
 * @param {string} name
 * @param {string} colour
 * @param {{inner?: string, width?: number, dash?: number[], opacity?: number, radius?: number}} [looks]
 * @returns {LayerSpecification[]}
 */
export function drawn(name, colour, { inner, width = 1.5, dash, opacity = 0.25, radius = 4 } = {}) {
  const from = inner ? { source: name, "source-layer": inner } : { source: name };
  /** @param {string} type */
  const only = (type) => /** @type {any} */ (["==", ["geometry-type"], type]);
  return /** @type {LayerSpecification[]} */ ([
    { id: `${name}-fill`, type: "fill", ...from, filter: only("Polygon"), paint: { "fill-color": colour, "fill-opacity": opacity } },
    { id: `${name}-line`, type: "line", ...from, filter: ["!=", ["geometry-type"], "Point"], layout: { "line-join": "round" }, paint: { "line-color": colour, "line-width": width, ...(dash ? { "line-dasharray": dash } : {}) } },
    { id: `${name}-point`, type: "circle", ...from, filter: only("Point"), paint: { "circle-color": colour, "circle-radius": radius, "circle-opacity": 0.8, "circle-stroke-color": "#fff", "circle-stroke-width": 1 } },
  ]);
}

/**
 * Make the map.
 * @param {HTMLElement} container
 * @param {MapConfig & Extra} config
 * @param {Record<string, string | undefined>} words
 */
export async function makeMap(container, config, words) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = liveMap({
    container,
    style: cityStyle(config, {}, location.origin),
    ...(config.bounds ? { bounds: config.bounds, fitBoundsOptions: { padding: 32, maxZoom: 16 } } : {}),
    maxZoom: 20,
    fadeDuration: calm ? 0 : 150,
    cooperativeGestures: true,
  }, config, words);
  for (const name of ["hatch-none", "hatch-settlement"]) map.addImage(name, { width: 1, height: 1, data: new Uint8Array(4) });

  /** @param {string} name @param {SourceSpecification} source @param {LayerSpecification[]} layers */
  const put = (name, source, layers) => {
    map.addSource(name, source);
    for (const layer of layers) map.addLayer(layer, "names");
  };
  map.on("load", async () => {
    const { preview, problems, repairs } = config.urls;
    if (config.stored?.kind && config.stored.kind !== "raster") {
      put("stored", { type: "vector", url: `${location.origin}${config.urls.tiles}layers/${config.stored.code}.json` }, drawn("stored", FILE, { inner: "features" }));
    }
    /** @param {string | null} address */
    const read = async (address) => {
      const answer = address ? await fetch(address, { headers: { Accept: "application/geo+json" } }) : null;
      const none = { type: "FeatureCollection", features: [] };
      return answer?.ok ? answer.json() : none;
    };
    const [inFile, faults, after] = await Promise.all([read(preview), read(problems), read(repairs)]);
    if (preview) put("file", { type: "geojson", data: inFile }, drawn("file", FILE));
    if (problems) put("faults", { type: "geojson", data: faults }, drawn("faults", BAD, { width: 2.5, opacity: 0.3, radius: 6 }));
    if (repairs && after.features.length) {
      put("after", { type: "geojson", data: after }, drawn("after", MENDED, { width: 2, dash: [3, 2], opacity: 0 }));
      for (const key of document.querySelectorAll(".key-after-line")) if (key instanceof HTMLElement) key.hidden = false;
    }
    container.dataset.features = String(inFile.features.length);
    container.dataset.faults = String(faults.features.length);
    map.once("idle", () => {
      container.classList.add("is-ready");
      const own = ["stored", "file"].flatMap((name) => ["fill", "line", "point"].map((kind) => `${name}-${kind}`)).filter((id) => map.getLayer(id));
      container.dataset.drawn = String(map.queryRenderedFeatures({ layers: own }).length);
    });
  });
  map.on("error", ({ error }) => console.error(`The map: ${error?.message ?? error}`));
  map.on("moveend", () => {
    const { lng, lat } = map.getCenter();
    container.dataset.view = `${map.getZoom().toFixed(2)}/${lat.toFixed(5)}/${lng.toFixed(5)}`;
  });
  const pin = new Marker({ color: BAD });
  return {
    /** @param {number} lon @param {number} lat */
    show: (lon, lat) => {
      if (!Number.isFinite(lon) || !Number.isFinite(lat)) return;
      pin.setLngLat([lon, lat]).addTo(map);
      const seen = map.getBounds();
      const zoom = Math.max(map.getZoom(), 15);
      map.easeTo({ center: [lon, lat], zoom, duration: calm || !new LngLatBounds(seen.getSouthWest(), seen.getNorthEast()).contains([lon, lat]) ? 0 : 500 });
      container.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
    },
  };
}
