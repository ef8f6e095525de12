// @ts-check
/**
 * Shapes from elsewhere: those of a layer under the pointer, and those of a file. A shape is looked at before it becomes a boundary.
 *
 * @import { Feature } from "geojson"
 * @import { Api } from "../api.js"
 * @import { Position, Shape } from "./geometry.js"
 * @import { Handling } from "./handling.js"
 * @import { WorkbenchMap } from "./map.js"
 * @import { Session } from "./session.js"
 */

import { ApiError } from "../api.js";
import { isFace } from "./document.js";
import { dialog, input, make, part } from "./dom.js";
import { withSettlement } from "./edits.js";
import { boundsOf } from "./features.js";
import { ringOf } from "./geometry.js";
import { area_m2 } from "./measure.js";
import { explained, failed, notify } from "./notices.js";
import { choose } from "./panel.js";
import { cutFrom, settlementDrawn } from "./tools.js";
import { area, say } from "./words.js";
import { shapeFrom } from "./wire.js";

/**
 * @param {object} parts
 * @param {Api} parts.api
 * @param {string} parts.path
 * @param {{code: string, name: string}[]} parts.layers
 * @param {Session} parts.session
 * @param {WorkbenchMap} parts.view
 * @param {Handling} parts.handling
 * @param {(code: string) => string} parts.nameOf
 */
export function makeShapes({ api, path, layers, session, view, handling, nameOf }) {
  /** @type {string | null} */
  let layer = null;

  /** @param {Shape[]} shapes */
  const draw = (shapes) => view.put("wb-shapes", shapes.map((shape) => /** @type {Feature} */ (/** @type {unknown} */ ({ type: "Feature", properties: {}, geometry: { type: "MultiPolygon", coordinates: shape } }))));

  function clear() {
    draw([]);
    view.showLayer(null);
    if (!part("diff-key").classList.contains("is-offer")) return;
    part("diff-key").classList.remove("is-offer");
    part("diff-key").hidden = true;
  }

  /**
   * Show a shape and offer what can be done with it.
   * @param {Shape} shape
   * @param {string} name
   */
  function offer(shape, name) {
    draw([shape]);
    view.show(boundsOf(shape), { maxZoom: 17, isOnlyIfHidden: true });
    const { chosen, settled } = session;
    /** @param {string} text @param {() => void} run @param {boolean} [isMain] */
    const button = (text, run, isMain = false) => {
      const made = make("button", { type: "button", className: isMain ? "button main" : "button" }, text);
      made.addEventListener("click", () => {
        if (!handling.attempt(run)) return;
        clear();
        handling.take("select");
      });
      return made;
    };
    const names = { fa: name || say("newSettlementFa"), en: name || say("newSettlementEn") };
    const isSettlement = chosen !== null && !isFace(settled, chosen);
    part("preview-actions").replaceChildren(
      make("span", { className: "small" }, [name, area(area_m2(shape))].filter(Boolean).join(" · ")),
      button(say("shapeNew"), () => handling.finish(settlementDrawn(session.base, settled, shape, names), say("step-shape")), true),
      ...(isSettlement ? [button(say("shapeReplace", { name: nameOf(chosen) }), () => (handling.mayChange([chosen]), handling.finish({ doc: /** @type {any} */ (withSettlement(settled, chosen, shape.map((rings) => rings.map(ringOf)))), chosen }, say("step-shape"))))] : []),
      ...(chosen && shape.length === 1 ? [button(say("shapeCut", { name: nameOf(chosen) }), () => (handling.mayChange([chosen]), handling.finish(cutFrom(session.base, settled, chosen, shape[0].map(ringOf), { fa: name || say("partNameFa"), en: name || say("partNameEn") }), say("step-shape"))))] : []),
      button(say("cancel"), () => {}),
    );
    part("diff-key").classList.add("is-offer");
    part("diff-key").hidden = false;
  }

  /** @param {any[]} found */
  async function offerOne(found) {
    const candidates = found.map((one) => ({ shape: shapeFrom(one.geometry ?? one), name: String(one.name ?? one.properties?.name ?? "") })).filter(({ shape }) => shape.length > 0);
    if (!candidates.length) return notify(say("noShape"), { isWrong: true });
    draw(candidates.map(({ shape }) => shape));
    if (candidates.length === 1) return offer(candidates[0].shape, candidates[0].name);
    const answer = await choose({
      title: say("whichShape"), text: "",
      choices: candidates.slice(0, 200).map(({ shape, name }, i) => ({ code: String(i), name: name || say("shapeNumber", { n: i + 1 }), note: area(area_m2(shape)) })),
      onPoint: (code) => draw(code === null ? candidates.map(({ shape }) => shape) : [candidates[Number(code)].shape]),
    });
    if (answer === null) return clear();
    offer(candidates[Number(answer)].shape, candidates[Number(answer)].name);
  }

  part("trace-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const file = input("trace-file").files?.[0];
    if (!file) return;
    const wrong = part("trace-wrong");
    wrong.hidden = true;
    const form = new FormData();
    form.append("file", file);
    try {
      const { body } = await api("POST", `${path}/trace`, { body: form });
      dialog("trace").close();
      await offerOne(body.shapes ?? body.features ?? body.candidates ?? []);
    } catch (error) {
      wrong.textContent = explained(error);
      wrong.hidden = false;
    }
  });
  for (const closer of document.querySelectorAll("#trace [data-close], #choose [data-close]")) closer.addEventListener("click", () => closer.closest("dialog")?.close());

  return {
    clear,
    open: () => dialog("trace").showModal(),
    /** Begin to take shapes of a layer: ask which, where there are several. */
    async begin() {
      layer = null; // a click before the layer is shown takes nothing
      layer = layers.length === 1 ? layers[0].code : layers.length ? await choose({ title: say("whichLayer"), text: say("whichLayerText"), choices: layers }) : null;
      view.showLayer(layer);
      if (layer === null) {
        if (!layers.length) notify(say("noLayers"), { isWrong: true });
        handling.take("select");
      }
    },
    /** @param {Position} at */
    async wanted(at) {
      if (!layer) return;
      if (!view.hasShapeAt(at)) return notify(say("noShape"), { isWrong: true, where: at });
      try {
        const { body } = await api("GET", `${path}/layers/${layer}/shape?lon=${at[0]}&lat=${at[1]}`);
        await offerOne(body?.shapes ?? body?.features ?? (body ? [body] : []));
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) notify(say("noShape"), { isWrong: true, where: at });
        else failed(error);
      }
    },
  };
}
