// @ts-check
/**
 * From where a facility is within the limit, drawn over the city's map: an illustration, asked of the server when a facility
 * is clicked or named in the address.
 *
 * @import { GeoJSONSource, Map as LiveMap } from "maplibre-gl"
 *
 * @typedef {object} Reach
 * @property {{type: "MultiPolygon", coordinates: unknown[]}} geometry
 * @property {{facility: string, limit_m: number, people: number | null, lon: number, lat: number, travel: string}} properties
 */

import { fetchJson } from "./fetching.js";

const LAYERS = ["reach-fill", "reach-edge"];
const EMPTY = /** @type {const} */ ({ type: "FeatureCollection", features: [] });

/**
 * Return the address that answers with a facility's reach.
 * @param {string} base of the city's measures, such as /api/v1/cities/khorramabad/
 * @param {{service: string, number: string, limit_m: number, methods: Readonly<Record<string, string>>}} asked
 */
export function reachAddress(base, { service, number, limit_m, methods }) {
  const query = new URLSearchParams({ of: service, number, limit: String(limit_m) });
  for (const key of ["travel", "population", "scenario"]) if (methods[key]) query.set(key, methods[key]);
  return `${base}isochrone?${query}`;
}

/**
 * Make what draws reaches on a map; the last one asked for wins.
 * @param {LiveMap} map
 * @param {object} parts
 * @param {(found: Reach) => void} parts.take
 * @param {(error: unknown) => void} parts.fail
 * @returns {{show: (address: string) => Promise<void>, clear: () => void}}
 */
export function reachOn(map, { take, fail }) {
  /** @type {AbortController | null} */
  let current = null;
  /** @param {unknown} data */
  const put = (data) => {
    const source = map.getSource("reach");
    if (source) /** @type {GeoJSONSource} */ (source).setData(/** @type {any} */ (data));
    else {
      map.addSource("reach", { type: "geojson", data: /** @type {any} */ (data) });
      const below = map.getLayer("facility-area") ? "facility-area" : "names";
      map.addLayer({ id: LAYERS[0], type: "fill", source: "reach", paint: { "fill-color": "#0b3f6b", "fill-opacity": 0.14 } }, below);
      map.addLayer({ id: LAYERS[1], type: "line", source: "reach", layout: { "line-join": "round" }, paint: { "line-color": "#0b3f6b", "line-width": 2, "line-dasharray": [2, 1.5] } }, below);
    }
  };
  return {
    show: async (address) => {
      current?.abort();
      const controller = (current = new AbortController());
      try {
        const found = /** @type {Reach} */ (await fetchJson(address, controller.signal));
        if (controller.signal.aborted) return;
        put(found);
        take(found);
      } catch (error) {
        if (!controller.signal.aborted) fail(error);
      }
    },
    clear: () => {
      current?.abort();
      if (map.getSource("reach")) put(EMPTY);
    },
  };
}
