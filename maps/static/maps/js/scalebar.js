// @ts-check
/**
 * The scale bar of a map: a round length as it is in the middle of the map, drawn and told.
 *
 * @import { Map as LiveMap } from "maplibre-gl"
 * @import { Language } from "./numbers.js"
 */

import { distance, niceLength } from "./numbers.js";

const WIDTH_PX = 110;
const SPACE = "http://www.w3.org/2000/svg";

/**
 * Keep a scale bar true to a map.
 * @param {LiveMap} map
 * @param {HTMLElement} scaleBar
 * @param {Language} language
 */
export function keepScale(map, scaleBar, language) {
  const draw = () => {
    const middle = map.getContainer().clientHeight / 2;
    const most_m = map.unproject([0, middle]).distanceTo(map.unproject([WIDTH_PX, middle]));
    const length_m = niceLength(most_m);
    scaleBar.replaceChildren(drawingOf(Math.round((WIDTH_PX * length_m) / most_m)), distance(length_m, language));
  };
  map.on("move", draw);
  map.on("resize", draw);
  map.once("load", draw);
}

/** @param {number} length_px */
function drawingOf(length_px) {
  const drawing = document.createElementNS(SPACE, "svg");
  drawing.setAttribute("width", String(length_px));
  drawing.setAttribute("height", "8");
  const path = document.createElementNS(SPACE, "path");
  path.setAttribute("d", `M1 0V7H${length_px - 1}V0`);
  drawing.append(path);
  return drawing;
}
