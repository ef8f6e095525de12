// @ts-check
/**
 * A calendar beside every field for a date: Jalali on Persian pages, Gregorian on English ones. The field stays a field: what is
 * typed into it counts, with or without this script.
 */

import { digits } from "../numbers.js";
import { columnOf, dayOf, monthOf, partsOf, today, typed, written } from "./calendar.js";

const language = document.documentElement.lang.startsWith("fa") ? "fa" : "en";
const calendar = language === "fa" ? "jalali" : "gregorian";
const locale = language === "fa" ? "fa-IR-u-ca-persian" : "en-GB";
const ZONE = "Asia/Tehran";
const DAY_MS = 86_400_000;
const template = document.getElementById("date-words");
const words = template instanceof HTMLElement ? template.dataset : {};
const monthName = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric", timeZone: "UTC" });
const dayName = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const weekday = new Intl.DateTimeFormat(locale, { weekday: "narrow", timeZone: "UTC" });
/** @param {number} day */
const date = (day) => new Date(day * DAY_MS);

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 */
function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** @param {HTMLInputElement} input */
function withCalendar(input) {
  const isMoment = input.dataset.date === "moment";
  const now = today(new Date(), ZONE);
  const name = document.querySelector(`label[for="${CSS.escape(input.id)}"]`)?.textContent?.trim() ?? "";
  const opener = make("button", { type: "button", class: "date-open", "aria-expanded": "false", "aria-label": `${words.open ?? ""}: ${name}` }, words.open ?? "");
  const panel = make("div", { class: "date-panel", role: "dialog", "aria-label": name });
  panel.hidden = true;
  input.after(opener, panel);
  let focused = now;

  const close = () => {
    panel.hidden = true;
    opener.setAttribute("aria-expanded", "false");
  };

  /** @param {number} day */
  const choose = (day) => {
    const time = typed(input.value)?.time || (isMoment ? "23:59" : "");
    input.value = digits([written(day, calendar), isMoment ? time : ""].filter(Boolean).join(" "), language);
    input.dispatchEvent(new Event("change", { bubbles: true }));
    close();
    input.focus();
  };

  /** @param {number} months */
  const turn = (months) => {
    const { year, month, day } = partsOf(focused, calendar);
    const index = year * 12 + month - 1 + months;
    const to = { year: Math.floor(index / 12), month: (index % 12) + 1 };
    focused = [day, 30, 29, 28].reduce((/** @type {number | null} */ found, of) => found ?? (of <= day ? dayOf({ ...to, day: of }, calendar) : null), null) ?? focused;
  };

  const draw = (isFocusWanted = true) => {
    const days = monthOf(focused, calendar);
    const chosen = typed(input.value)?.day;
    const earlier = make("button", { type: "button", "aria-label": words.earlier ?? "" }, language === "fa" ? "→" : "←");
    const later = make("button", { type: "button", "aria-label": words.later ?? "" }, language === "fa" ? "←" : "→");
    earlier.addEventListener("click", () => { turn(-1); draw(false); });
    later.addEventListener("click", () => { turn(1); draw(false); });
    const start = days[0] - columnOf(days[0], calendar);
    const head = make("tr", {}, ...Array.from({ length: 7 }, (_, i) => make("th", { scope: "col" }, weekday.format(date(start + i)))));
    const rows = [];
    for (let week = start; week <= days[days.length - 1]; week += 7) {
      const row = make("tr", {});
      for (let day = week; day < week + 7; day += 1) {
        if (!days.includes(day)) {
          row.append(make("td", {}));
          continue;
        }
        const button = make("button", { type: "button", "data-day": String(day), tabindex: day === focused ? "0" : "-1", "aria-label": dayName.format(date(day)) }, digits(partsOf(day, calendar).day, language));
        if (day === chosen) button.setAttribute("aria-pressed", "true");
        if (day === now) button.setAttribute("aria-current", "date");
        button.addEventListener("click", () => choose(day));
        row.append(make("td", {}, button));
      }
      rows.push(row);
    }
    panel.replaceChildren(
      make("div", { class: "date-head" }, earlier, make("b", { "aria-live": "polite" }, monthName.format(date(focused))), later),
      make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)),
    );
    if (isFocusWanted) /** @type {HTMLElement | null} */ (panel.querySelector(`[data-day="${focused}"]`))?.focus();
  };

  opener.addEventListener("click", () => {
    if (!panel.hidden) return close();
    focused = typed(input.value)?.day ?? now;
    panel.hidden = false;
    opener.setAttribute("aria-expanded", "true");
    draw();
  });
  panel.addEventListener("keydown", (event) => {
    const ahead = language === "fa" ? -1 : 1;
    const steps = /** @type {Record<string, number>} */ ({ ArrowRight: ahead, ArrowLeft: -ahead, ArrowDown: 7, ArrowUp: -7 });
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
      opener.focus();
    } else if (event.key in steps && event.target instanceof HTMLElement && event.target.dataset.day) {
      event.preventDefault();
      focused += steps[event.key];
      draw();
    } else if (event.key === "PageUp" || event.key === "PageDown") {
      event.preventDefault();
      turn(event.key === "PageUp" ? -1 : 1);
      draw();
    }
  });
  document.addEventListener("pointerdown", (event) => {
    if (!panel.hidden && event.target instanceof Node && !panel.contains(event.target) && event.target !== opener) close();
  });
}

for (const input of document.querySelectorAll("input[data-date]")) if (input instanceof HTMLInputElement) withCalendar(input);
