// @ts-check
/** Finding and making parts of the page. */

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function part(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no part “${id}”.`);
  return found;
}

/** @param {string} id */
export const input = (id) => /** @type {HTMLInputElement} */ (part(id));
/** @param {string} id */
export const dialog = (id) => /** @type {HTMLDialogElement} */ (part(id));

/**
 * Make an element. Properties are set as such; those with a hyphen, and `role`, as attributes.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "role" || name === "scope" || name.includes("-")) element.setAttribute(name, String(value));
    else if (name === "dataset") Object.assign(element.dataset, value);
    else /** @type {any} */ (element)[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map((child) => /** @type {Node | string} */ (child)));
  return element;
}

/**
 * Let the arrow keys walk through the buttons of a list, of which one at a time is in the tab order.
 * @param {HTMLElement} list
 * @param {string} [selector]
 */
export function walkable(list, selector = "button") {
  const items = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll(selector)]);
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    const all = items();
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
    for (const item of all) item.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  return {
    /** Put the first item, or the marked one, into the tab order. */
    settle() {
      const all = items();
      const chosen = all.find((item) => item.getAttribute("aria-current") === "true") ?? all[0];
      for (const item of all) item.tabIndex = item === chosen ? 0 : -1;
    },
  };
}

/**
 * Return a function that runs `run` once nothing has asked for it for a while.
 * @param {() => void} run
 * @param {number} pause_ms
 */
export function after(run, pause_ms) {
  let timer = 0;
  return Object.assign(
    () => {
      clearTimeout(timer);
      timer = window.setTimeout(run, pause_ms);
    },
    { cancel: () => clearTimeout(timer) },
  );
}

/** A page that is not seen paints nothing: then what waits is done after this while. */
const UNSEEN_MS = 200;

/**
 * Return a function that keeps work, by name, until the page has painted; of work under one name only the newest is done.
 * @returns {(name: string, run: () => void) => void}
 */
export function afterPaint() {
  /** @type {Map<string, () => void>} */
  const waiting = new Map();
  let timer = 0;
  const all = () => {
    clearTimeout(timer);
    timer = 0;
    const now = [...waiting.values()];
    waiting.clear();
    for (const run of now) run();
  };
  return (name, run) => {
    waiting.delete(name);
    waiting.set(name, run);
    if (timer) return;
    timer = window.setTimeout(all, UNSEEN_MS);
    // The task after the frame: the frame has been handed over by then.
    requestAnimationFrame(() => setTimeout(() => timer && all()));
  };
}
