// @ts-check
/**
 * The live map of a plan: people newly reached and people left, the facilities of today, the new sites with their numbers.
 *
 * @import { Language } from "../numbers.js";
 * @import { BaseLayer } from "../style.js";
 *
 * @typedef {object} PlanConfig
 * @property {Language} language
 * @property {{tiles: string, worker: string}} urls
 * @property {[number, number, number, number]} bounds
 * @property {BaseLayer[]} layers
 * @property {string[]} colours
 * @property {Record<string, number[]>} points
 * @property {{people: GeoJSON.FeatureCollection, existing: GeoJSON.FeatureCollection, sites: GeoJSON.FeatureCollection}} plan
 *
 * @typedef {object} PlanMap
 * @property {(number: number | null) => void} choose
 * @property {(at: [number, number]) => void} reveal
 */

import { Marker } from "maplibre-gl";

import { liveMap } from "../livemap.js";
import { keepScale } from "../scalebar.js";
import { cityStyle } from "../style.js";

const REACHED = "#0f6b6b";
const LEFT = "#d95f0e";

/**
 * Make the map.
 * @param {object} parts
 * @param {HTMLElement} parts.container
 * @param {HTMLElement} parts.scaleBar
 * @param {PlanConfig} parts.config
 * @param {Record<string, string | undefined>} parts.words
 * @param {(number: number) => void} parts.onChoose
 * @returns {PlanMap}
 */
export function makeMap({ container, scaleBar, config, words, onChoose }) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = liveMap({
    container,
    style: cityStyle(config, {}, location.origin),
    bounds: config.bounds,
    // A site in a corner shall not lie beneath the buttons.
    fitBoundsOptions: { padding: { top: 24, bottom: 24, left: config.language === "fa" ? 60 : 24, right: config.language === "fa" ? 24 : 60 }, maxZoom: 16 },
    maxZoom: 18,
    minZoom: 8,
    fadeDuration: 0,
    canvasContextAttributes: { preserveDrawingBuffer: true }, // so that it is printed
  }, config, words);
  for (const name of ["hatch-none", "hatch-settlement"]) map.addImage(name, { width: 1, height: 1, data: new Uint8Array(4) });
  keepScale(map, scaleBar, config.language);

  map.on("load", () => {
    map.addSource("people", { type: "geojson", data: config.plan.people });
    map.addLayer({
      id: "people",
      type: "circle",
      source: "people",
      paint: {
        // The area of a dot grows with its people, and with the map.
        "circle-radius": ["interpolate", ["exponential", 2], ["zoom"],
          11, ["max", 1.4, ["*", 0.24, ["sqrt", ["get", "people"]]]],
          16, ["max", 7, ["*", 3.2, ["sqrt", ["get", "people"]]]]],
        "circle-color": ["case", ["get", "is_reached"], REACHED, LEFT],
        "circle-opacity": 0.75,
      },
    });
    map.addSource("existing", { type: "geojson", data: config.plan.existing });
    map.addLayer({
      id: "existing",
      type: "circle",
      source: "existing",
      paint: { "circle-radius": 4, "circle-color": "#ffffff", "circle-stroke-color": "#3f4a57", "circle-stroke-width": 2 },
    });
    // The drawing stays until everything that it shows is on the map.
    map.once("idle", () => container.classList.add("is-ready"));
  });

  /** @type {Map<number, HTMLElement>} */
  const marks = new Map();
  for (const feature of config.plan.sites.features) {
    if (feature.geometry.type !== "Point" || !feature.properties) continue;
    const mark = document.createElement("button");
    mark.type = "button";
    mark.className = "site-mark";
    mark.tabIndex = -1; // the table says the same, and is reached first
    mark.textContent = String(feature.properties.text);
    const number = Number(feature.properties.number);
    mark.addEventListener("click", () => onChoose(number));
    const [lon = 0, lat = 0] = feature.geometry.coordinates;
    new Marker({ element: mark }).setLngLat([lon, lat]).addTo(map);
    marks.set(number, mark);
  }

  return {
    choose: (number) => {
      for (const [of, mark] of marks) mark.classList.toggle("is-chosen", of === number);
    },
    reveal: (at) => {
      if (!map.getBounds().contains(at)) map.easeTo({ center: at, duration: calm ? 0 : 400 });
    },
  };
}
