// @ts-check
/** The form of a capacity: its place is marked on a map as that of a need. */

import { withMarking } from "../needs/where.js";

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("capacity-form"));
if (form) withMarking(form, JSON.parse(document.getElementById("capacity-config")?.textContent ?? "{}").map);
