// @ts-check
/**
 * The live map of actions: a mark for each, by its state; late ones ringed. Several at one point stand beside each other.
 *
 * @import { Language } from "../numbers.js";
 * @import { BaseLayer } from "../style.js";
 *
 * @typedef {object} ActionsConfig
 * @property {Language} language
 * @property {{tiles: string, worker: string}} urls
 * @property {[number, number, number, number]} bounds
 * @property {BaseLayer[]} layers
 * @property {string[]} colours
 * @property {Record<string, number[]>} points
 * @property {GeoJSON.FeatureCollection} actions
 *
 * @typedef {object} ActionsMap
 * @property {(number: number | null) => void} choose
 * @property {(at: [number, number]) => void} reveal
 */

import { liveMap } from "../livemap.js";
import { keepScale } from "../scalebar.js";
import { cityStyle } from "../style.js";

const REACH_PX = 6;
const STEP_PX = 16;
/** Marks at one point that stand beside each other; more lie over each other. */
const MOST_TURNS = 8;

/**
 * Make the map.
 * @param {object} parts
 * @param {HTMLElement} parts.container
 * @param {HTMLElement} parts.scaleBar
 * @param {ActionsConfig} parts.config
 * @param {Record<string, string | undefined>} parts.words
 * @param {(number: number) => void} parts.onChoose
 * @returns {ActionsMap}
 */
export function makeMap({ container, scaleBar, config, words, onChoose }) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = liveMap({
    container,
    style: cityStyle(config, {}, location.origin),
    bounds: config.bounds,
    fitBoundsOptions: { padding: 24, maxZoom: 16 },
    maxZoom: 18,
    minZoom: 8,
    fadeDuration: 0,
    canvasContextAttributes: { preserveDrawingBuffer: true }, // so that it is printed
  }, config, words);
  for (const name of ["hatch-none", "hatch-settlement"]) map.addImage(name, { width: 1, height: 1, data: new Uint8Array(4) });

  /** @type {number | null} */
  let chosen = null;
  const layers = Array.from({ length: MOST_TURNS }, (_, turn) => `actions-${turn}`);

  keepScale(map, scaleBar, config.language);

  map.on("load", () => {
    map.addSource("actions", { type: "geojson", data: config.actions, promoteId: "number" });
    const last = MOST_TURNS - 1;
    layers.forEach((id, turn) => {
      map.addLayer({
        id,
        type: "circle",
        source: "actions",
        filter: turn === last ? [">=", ["get", "turn"], last] : ["==", ["get", "turn"], turn],
        paint: {
          "circle-translate": [turn * STEP_PX, 0],
          "circle-radius": ["case", ["boolean", ["feature-state", "chosen"], false], 10, 7],
          "circle-color": ["match", ["get", "state"], "planned", "#ffffff", "under-way", "#0f6b6b", "suspended", "#b08a2e", "done", "#2f5597", "#b4bbc4"],
          "circle-stroke-width": ["case", ["get", "late"], 3.5, 2],
          "circle-stroke-color": ["case", ["get", "late"], "#b3261e", ["==", ["get", "state"], "planned"], "#6b7785", "#ffffff"],
        },
      });
    });
    if (chosen !== null) map.setFeatureState({ source: "actions", id: chosen }, { chosen: true });
    container.classList.add("is-ready");
  });

  /** @param {{x: number, y: number}} at */
  const under = ({ x, y }) => {
    const there = layers.filter((id) => map.getLayer(id));
    if (!there.length) return null;
    const around = /** @type {[[number, number], [number, number]]} */ ([[x - REACH_PX, y - REACH_PX], [x + REACH_PX, y + REACH_PX]]);
    const found = map.queryRenderedFeatures([x, y], { layers: there })[0] ?? map.queryRenderedFeatures(around, { layers: there })[0];
    return found ? Number(found.properties.number) : null;
  };
  map.on("mousemove", (event) => {
    map.getCanvas().style.cursor = under(event.point) === null ? "" : "pointer";
  });
  map.on("click", (event) => {
    const number = under(event.point);
    if (number !== null) onChoose(number);
  });

  return {
    choose: (number) => {
      const isThere = Boolean(map.getSource("actions"));
      if (isThere && chosen !== null) map.setFeatureState({ source: "actions", id: chosen }, { chosen: false });
      chosen = number;
      if (isThere && number !== null) map.setFeatureState({ source: "actions", id: number }, { chosen: true });
    },
    reveal: (at) => {
      if (!map.getBounds().contains(at)) map.easeTo({ center: at, duration: calm ? 0 : 400 });
    },
  };
}
