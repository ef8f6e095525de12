// @ts-check
/**
 * The form of a proposal: a point, a line or a surface marked on the map, sums grouped as they are typed. Without this script degrees
 * are typed, and the form is sent as any other.
 */

import { withMarking } from "../needs/where.js";
import { withGroups } from "./rials.js";

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("proposal-form"));
if (form) {
  withGroups(document.documentElement.lang.startsWith("fa") ? "fa" : "en");
  document.getElementById("refusal")?.focus();
  withMarking(form, JSON.parse(document.getElementById("need-config")?.textContent ?? "{}").map);
}
