// @ts-check
/** The form of an action: where it is, marked on the map. Without this script degrees are typed, and the form is sent as any other. */

import { withMarking } from "../needs/where.js";

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("action-form"));
if (form?.elements.namedItem("geometry")) withMarking(form, JSON.parse(document.getElementById("need-config")?.textContent ?? "{}").map);
