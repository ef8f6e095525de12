// @ts-check
/** The form of an examined file: the preview follows the mapping, what was changed and not sent is told, many fields go as one text. */

import { lineOf } from "./lines.js";

/**
 * @typedef {{source: string, name: string, type: string | null, unit_from: string, unit_to: string, keep: boolean}} Rule
 */

let changed = false;

/** Tell whether the form holds something that was not sent. */
export const isChanged = () => changed;

/**
 * Read what a row of the table of fields says.
 * @param {HTMLTableRowElement} row
 * @returns {Rule}
 */
export function ruleOf(row) {
  /** @param {string} prefix */
  const entry = (prefix) => /** @type {HTMLInputElement | HTMLSelectElement | null} */ (row.querySelector(`[name^="${prefix}-"]`));
  const keep = entry("keep");
  return {
    source: row.dataset.source ?? "",
    name: entry("name")?.value.trim() ?? "",
    type: entry("type")?.value || null,
    unit_from: entry("from")?.value ?? "",
    unit_to: entry("to")?.value ?? "",
    keep: keep instanceof HTMLInputElement && keep.checked,
  };
}

/**
 * Return what the columns of the preview are called now: those that were kept, by the names they had when the file was examined.
 * @param {{examined: string, rule: Rule}[]} fields
 * @returns {Map<string, string | null>} null for one that is left out
 */
export function columnsNow(fields) {
  return new Map(fields.map(({ examined, rule }) => [examined, rule.keep ? rule.name || rule.source : null]));
}

/** Tend the form that is in the page now, if there is one. */
export function tendForm() {
  changed = false;
  const form = document.getElementById("plan");
  if (!(form instanceof HTMLFormElement)) return;
  const mapping = document.getElementById("mapping");
  const preview = document.getElementById("preview");
  const unsaved = document.getElementById("unsaved");
  const rows = mapping ? [.../** @type {NodeListOf<HTMLTableRowElement>} */ (mapping.querySelectorAll("tbody tr"))] : [];
  const examined = new Map(rows.map((row) => [row, row.dataset.name ?? ""]));

  const follow = () => {
    const fields = rows.map((row) => ({ examined: examined.get(row) ?? "", rule: ruleOf(row) }));
    for (const [i, row] of rows.entries()) row.classList.toggle("is-left-out", !fields[i].rule.keep);
    if (preview instanceof HTMLTableElement) followPreview(preview, columnsNow(fields));
  };
  form.addEventListener("input", (event) => {
    if (event.target instanceof Element && event.target.id === "epsg") choose(form, "crs", "other");
    changed = true;
    if (unsaved) unsaved.hidden = false;
    if (event.target instanceof Element && mapping?.contains(event.target)) follow();
  });
  form.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button[data-fills]") : null;
    const entry = button instanceof HTMLElement ? document.getElementById(button.dataset.fills ?? "") : null;
    if (!(button instanceof HTMLElement) || !(entry instanceof HTMLInputElement)) return;
    entry.value = button.dataset.value ?? "";
    entry.dispatchEvent(new Event("input", { bubbles: true }));
  });
  form.addEventListener("submit", () => {
    changed = false;
    if (!rows.length) return;
    const text = document.createElement("input");
    text.type = "hidden";
    text.name = "mapping";
    text.value = JSON.stringify(rows.map(ruleOf));
    form.append(text);
    for (const row of rows) for (const entry of row.querySelectorAll("input, select")) if (!/^(name-field|key)$/.test(entry.getAttribute("name") ?? "")) entry.toggleAttribute("disabled", true);
  });
  for (const button of form.querySelectorAll("button.take")) if (button instanceof HTMLButtonElement) tendStandard(button);
  tendRules(form);
  follow();
}

/** Let a field become the standard one that is suggested for it. @param {HTMLButtonElement} button */
function tendStandard(button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const row = button.closest("tr");
    const { name = "", type = "", unit = "" } = button.dataset;
    /** @type {[string, string][]} */
    const entries = [["to", unit], ["type", type], ["name", name]];
    for (const [prefix, value] of entries) {
      const entry = row?.querySelector(`[name^="${prefix}-"]:not([type=radio])`);
      if (entry instanceof HTMLSelectElement && [...entry.options].some((option) => option.value === value)) entry.value = value;
      if (entry instanceof HTMLInputElement) {
        entry.value = value;
        entry.focus();
        entry.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }
    button.hidden = true;
  });
}

/** Lead from a mistake in the rules to its line. @param {HTMLFormElement} form */
function tendRules(form) {
  const rules = document.getElementById("rules");
  if (!(rules instanceof HTMLTextAreaElement)) return;
  for (const button of form.querySelectorAll("button[data-line]")) {
    button.addEventListener("click", () => {
      const line = Number(button instanceof HTMLElement && button.dataset.line);
      rules.focus();
      rules.setSelectionRange(...lineOf(rules.value, line));
      rules.scrollTop = (rules.scrollHeight / Math.max(rules.value.split("\n").length, 1)) * Math.max(line - 3, 0);
    });
  }
}

/** @param {HTMLFormElement} form @param {string} name @param {string} value */
function choose(form, name, value) {
  for (const radio of form.querySelectorAll(`input[type=radio][name="${name}"]`)) if (radio instanceof HTMLInputElement) radio.checked = radio.value === value;
}

/** @param {HTMLTableElement} table @param {Map<string, string | null>} now */
function followPreview(table, now) {
  for (const head of table.querySelectorAll("thead th")) {
    if (!(head instanceof HTMLTableCellElement)) continue;
    const name = now.get(head.dataset.column ?? "");
    if (name === undefined || head.cellIndex < 2) continue;
    if (name !== null) head.textContent = name;
    for (const row of table.rows) row.cells[head.cellIndex].hidden = name === null;
  }
}

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload(); // of a page that the browser kept, fields are still shut
});
