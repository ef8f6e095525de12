// @ts-check
/**
 * A live map as all pages have it: it lies flat, north above, and speaks the reader's language; what more it is, each page says.
 *
 * @import { MapOptions } from "maplibre-gl"
 * @import { Language } from "./numbers.js"
 */

import { Map as LiveMap, NavigationControl, setWorkerUrl } from "maplibre-gl";

/**
 * Make a map.
 * @param {MapOptions} options what is not said is as on other pages
 * @param {{urls: {worker: string}, language: Language}} config
 * @param {Record<string, string | undefined>} words
 */
export function liveMap(options, config, words) {
  setWorkerUrl(new URL(config.urls.worker, location.href).href);
  const map = new LiveMap({
    attributionControl: false, // pages name sources themselves, with their dates
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    cooperativeGestures: matchMedia("(pointer: coarse)").matches,
    locale: {
      "Map.Title": words.map ?? "",
      "NavigationControl.ZoomIn": words.zoomIn ?? "",
      "NavigationControl.ZoomOut": words.zoomOut ?? "",
      "CooperativeGesturesHandler.MobileHelpText": words.twoFingers ?? "",
      "CooperativeGesturesHandler.WindowsHelpText": words.ctrlScroll ?? "",
      "CooperativeGesturesHandler.MacHelpText": words.ctrlScroll ?? "",
    },
    ...options,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), config.language === "fa" ? "top-left" : "top-right");
  return map;
}
