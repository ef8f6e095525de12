// @ts-check
/**
 * Somebody changed a place while it was being edited here: mine, theirs and what stood before both, drawn together, and a choice
 * for each place. Nothing is lost by looking: until a choice is applied the work stays as it is.
 *
 * @import { Shape } from "./geometry.js"
 *
 * @typedef {object} Conflict
 * @property {string} code
 * @property {string} name
 * @property {Shape | null} mine
 * @property {Shape | null} theirs
 * @property {Shape | null} ancestor
 * @property {number | null} edition theirs, on which to base the next try
 *
 * @typedef {"mine" | "theirs" | "merged"} Choice
 * @typedef {{code: string, choice: Choice, shape: Shape | null, edition: number | null}} Settled
 */

import { dialog, make, part } from "./dom.js";
import { isSameShape, mergeShapes } from "./merging.js";
import { say } from "./words.js";

const SPACE = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 */
function drawn(tag, attributes) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/**
 * Return the box around what is not the same in all three: the vertices that one of them lacks, and those next to them.
 * @param {Conflict[]} conflicts
 */
function boxOfDifferences(conflicts) {
  /** @type {(readonly number[])[]} */
  const found = [];
  for (const { mine, theirs, ancestor } of conflicts) {
    const all = [mine, theirs, ancestor].filter((shape) => shape !== null);
    const known = all.map((shape) => new Set(shape.flat(2).map(String)));
    for (const shape of all) {
      for (const line of shape.flat()) {
        for (const [i, at] of line.entries()) {
          if (!known.every((one) => one.has(String(at)))) found.push(at, line[Math.max(0, i - 1)], line[Math.min(line.length - 1, i + 1)]);
        }
      }
    }
  }
  const points = found.length ? found : conflicts.flatMap(({ mine, theirs, ancestor }) => (mine ?? theirs ?? ancestor ?? []).flat(2));
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/**
 * Draw the three shapes of each conflict into one drawing, north up, as near as shows all that differs.
 * @param {Conflict[]} conflicts
 */
function draw(conflicts) {
  const drawing = part("conflict-map");
  const [west, south, east, north] = boxOfDifferences(conflicts);
  const stretch = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const scale = 300 / Math.max((east - west) * stretch, north - south, 1e-5);
  /** @param {Shape} shape */
  const path = (shape) => shape.flatMap((rings) => rings.map((line) => `M${line.map(([x, y]) => `${((x - west) * stretch * scale).toFixed(1)} ${((north - y) * scale).toFixed(1)}`).join("L")}Z`)).join("");
  const [width, height] = [(east - west) * stretch * scale, (north - south) * scale];
  drawing.setAttribute("viewBox", `-50 -50 ${(width + 100).toFixed(0)} ${(height + 100).toFixed(0)}`);
  drawing.replaceChildren();
  for (const kind of /** @type {const} */ (["ancestor", "theirs", "mine"])) {
    for (const conflict of conflicts) {
      const shape = conflict[kind];
      if (shape?.length) drawing.append(drawn("path", { d: path(shape), class: kind, "data-code": conflict.code }));
    }
  }
}

/**
 * Show the conflicts and wait for the choices; null where they are put off.
 * @param {Conflict[]} conflicts
 * @returns {Promise<Settled[] | null>}
 */
export function settle(conflicts) {
  const box = dialog("conflict");
  part("conflict-said").textContent = say("conflictSaid", { n: conflicts.length });
  draw(conflicts);
  const merged = new Map(conflicts.map(({ code, mine, theirs, ancestor }) => [code, mine && theirs && ancestor ? mergeShapes(ancestor, mine, theirs) : null]));
  part("conflict-places").replaceChildren(
    ...conflicts.map(({ code, name, mine, theirs }) => {
      const isAlike = mine && theirs && isSameShape(mine, theirs);
      const best = merged.get(code) ? "merged" : "mine";
      /** @param {Choice} choice @param {string} text @param {string} help */
      const option = (choice, text, help) => {
        const isOff = choice === "merged" && !merged.get(code);
        return make("label", { className: "choice" }, make("input", { type: "radio", name: `conflict-${code}`, value: choice, checked: choice === best, disabled: isOff }), make("span", {}, make("b", {}, text), make("span", { className: "note" }, isOff ? say("mergeNot") : help)));
      };
      return make(
        "fieldset", { dataset: { code } },
        make("legend", {}, name),
        isAlike ? make("p", { className: "small" }, say("conflictAlike")) : null,
        option("mine", say("mine"), mine ? say("mineHelp") : say("mineEnds")),
        option("theirs", say("theirs"), theirs ? say("theirsHelp") : say("theirsEnds")),
        option("merged", say("merged"), say("mergedHelp")),
      );
    }),
  );
  return new Promise((resolve) => {
    /** @param {Event} event */
    const answered = (event) => {
      const button = event.target instanceof Element ? event.target.closest("[data-answer]") : null;
      if (!button) return;
      const isApplied = button.getAttribute("data-answer") === "apply";
      const settled = conflicts.map(({ code, mine, theirs, edition }) => {
        const chosen = /** @type {HTMLInputElement | null} */ (box.querySelector(`input[name="conflict-${CSS.escape(code)}"]:checked`));
        const choice = /** @type {Choice} */ (chosen?.value ?? "mine");
        return { code, choice, edition, shape: choice === "mine" ? mine : choice === "theirs" ? theirs : (merged.get(code) ?? null) };
      });
      done(isApplied ? settled : null);
    };
    const cancelled = () => done(null);
    /** @param {Settled[] | null} answer */
    const done = (answer) => {
      box.removeEventListener("click", answered);
      box.removeEventListener("cancel", cancelled);
      if (box.open) box.close();
      resolve(answer);
    };
    box.addEventListener("click", answered);
    box.addEventListener("cancel", cancelled);
    box.showModal();
  });
}
