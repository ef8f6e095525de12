// @ts-check
/** The form in which a capacity is recorded or amended. */

import { withForm } from "../offline/form.js";
import { capacity } from "./kind.js";

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("capacity-form"));
if (form) withForm(form, capacity, JSON.parse(document.getElementById("form-config")?.textContent ?? "{}"));
