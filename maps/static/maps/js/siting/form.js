// @ts-check
/**
 * The form of a plan: what the chosen aim does not need is put away, the standard of the service is told, and forbidden ground is drawn
 * on a map. Without this script all fields are there, and ground is given as text.
 */

import { withGroups } from "../proposals/rials.js";

const form = document.getElementById("siting-form");

/** @param {HTMLFormElement} of */
function follow(of) {
  const data = new FormData(of);
  of.dataset.model = String(data.get("model") ?? "mclp");
  of.dataset.limit = String(data.get("limit") ?? "sites");
  const service = of.querySelector("#f-service");
  const standard = document.getElementById("standard-text");
  if (service instanceof HTMLSelectElement && standard) standard.textContent = service.selectedOptions[0]?.dataset.standard ?? "";
}

/** Let ground be drawn, once somebody wants to. @param {HTMLFormElement} of */
function tendGround(of) {
  const ground = document.getElementById("ground");
  if (!(ground instanceof HTMLDetailsElement)) return;
  let isTended = false;
  const tend = async () => {
    if (!ground.open || isTended) return;
    isTended = true;
    const { withMarking } = await import("../needs/where.js");
    const config = JSON.parse(document.getElementById("need-config")?.textContent ?? "{}");
    const marking = withMarking(of, config.map);
    document.querySelector("[data-draw=Polygon]")?.dispatchEvent(new MouseEvent("click"));
    await marking.isDrawn;
    ground.classList.toggle("is-drawn", document.getElementById("where")?.hidden === false);
  };
  ground.addEventListener("toggle", tend);
  void tend();
}

if (form instanceof HTMLFormElement) {
  tendGround(form);
  withGroups(document.documentElement.lang.startsWith("fa") ? "fa" : "en");
  form.classList.add("is-live");
  form.addEventListener("input", () => follow(form));
  follow(form);
  document.getElementById("refusal")?.focus();
}
