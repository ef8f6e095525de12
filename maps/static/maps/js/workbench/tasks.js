// @ts-check
/**
 * The tasks: what the checks found, each with its place, its size and its repairs. A repair is shown on the map before it is made.
 *
 * @typedef {object} Repair
 * @property {string} key
 * @property {string} text
 * @property {string} into the place that gains, if there is one
 *
 * @typedef {object} Task
 * @property {string} key
 * @property {string} kind gap, overlap, sliver, invalid
 * @property {readonly string[]} codes
 * @property {number | null} area_m2
 * @property {number | null} width_m
 * @property {readonly [number, number] | null} where
 * @property {any} geometry
 * @property {Repair[]} repairs
 */

import { make, part } from "./dom.js";
import { area, comma, count, metres, say } from "./words.js";

/**
 * @param {object} parts
 * @param {(code: string) => string} parts.nameOf
 * @param {(task: Task) => void} parts.onShow
 * @param {(task: Task, repair: Repair) => void} parts.onRepair
 */
export function makeTasks({ nameOf, onShow, onRepair }) {
  const list = part("tasks");
  const badge = part("tasks-count");

  /** @param {Task} task */
  const line = (task) => {
    const size = [task.area_m2 !== null && task.area_m2 > 0 ? area(task.area_m2) : "", task.width_m !== null && task.kind !== "invalid" ? say("wide", { width: metres(task.width_m) }) : ""].filter(Boolean).join(comma());
    const show = make("button", { type: "button", className: "task-show" }, make("b", {}, say(`task-${task.kind}`)), make("span", { className: "note" }, [task.codes.map(nameOf).join(comma()), size].filter(Boolean).join(" · ")));
    show.addEventListener("click", () => onShow(task));
    const repairs = task.repairs.map((repair) => {
      const button = make("button", { type: "button", className: "link" }, repair.text);
      button.addEventListener("click", () => onRepair(task, repair));
      return button;
    });
    return make("li", { dataset: { kind: task.kind } }, show, make("div", { className: "repairs" }, ...repairs));
  };

  return {
    /**
     * @param {Task[]} tasks
     * @param {string} said
     */
    put(tasks, said) {
      const focused = list.contains(document.activeElement);
      list.replaceChildren(...tasks.map(line));
      if (focused) part("tab-tasks").focus();
      badge.hidden = tasks.length === 0;
      badge.textContent = count(tasks.length);
      part("tasks-said").textContent = said;
    },
  };
}
