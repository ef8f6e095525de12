// @ts-check
/**
 * The checks: what they find becomes tasks in the list and on the map; a repair is drawn as what is gained and lost before it is made.
 *
 * @import { Feature } from "geojson"
 * @import { Api } from "../api.js"
 * @import { Handling } from "./handling.js"
 * @import { WorkbenchMap } from "./map.js"
 * @import { Session } from "./session.js"
 * @import { Repair, Task } from "./tasks.js"
 */

import { readFindings } from "./consequences.js";
import { isFace } from "./document.js";
import { make, part } from "./dom.js";
import { boundsOf, namePoint } from "./features.js";
import { announce, failed, notify } from "./notices.js";
import { withPlaces } from "./recovering.js";
import { filled } from "./tools.js";
import { area, comma, say } from "./words.js";
import { measuredEdits, shapeFrom } from "./wire.js";

/**
 * @param {object} parts
 * @param {Api} parts.api
 * @param {string} parts.path
 * @param {Session} parts.session
 * @param {WorkbenchMap} parts.view
 * @param {Handling} parts.handling
 * @param {(code: string) => string} parts.nameOf
 * @param {(tasks: Task[], text: string) => void} parts.put
 */
export function makeTopology({ api, path, session, view, handling, nameOf, put }) {
  /** @type {Task[]} what the edits made */
  let own = [];
  /** @type {Task[]} what the whole city has besides */
  let wide = [];
  let text = say("tasksOwn");
  /** @type {Task | null} */
  let chosen = null;

  const all = () => {
    const keys = new Set(own.map(({ key }) => key));
    return [...own, ...wide.filter(({ key }) => !keys.has(key))];
  };

  function refresh() {
    const tasks = all();
    put(tasks, tasks.length ? say("tasksFound", { n: tasks.length }) : text);
    /** @type {Feature[]} */
    const points = tasks.flatMap((task) => {
      const at = placeOf(task);
      return at ? [/** @type {Feature} */ ({ type: "Feature", properties: { id: task.key }, geometry: { type: "Point", coordinates: [...at] } })] : [];
    });
    view.put("wb-task-points", points);
    view.put("wb-tasks", tasks.filter(({ geometry }) => geometry).map(({ key, geometry }) => ({ type: "Feature", properties: { id: key }, geometry })));
  }

  /** @param {Task} task @returns {readonly [number, number] | null} */
  function placeOf(task) {
    if (task.where) return task.where;
    const shape = shapeFrom(task.geometry);
    return shape.length ? /** @type {[number, number]} */ ([...namePoint(shape)]) : null;
  }

  /** @param {Task} task */
  function show(task) {
    chosen = task;
    const shape = shapeFrom(task.geometry);
    const at = placeOf(task);
    if (shape.length) view.show(boundsOf(shape), { maxZoom: 18 });
    else if (at) view.show([at[0], at[1], at[0], at[1]], { maxZoom: 17 });
  }

  function clear() {
    chosen = null;
    view.put("wb-diff", []);
    part("diff-key").hidden = true;
  }

  /**
   * Draw what a repair would change, and offer it.
   * @param {Task} task
   * @param {Repair} repair
   */
  async function preview(task, repair) {
    show(task);
    try {
      const { base, settled } = session;
      const { body } = await api("POST", `${path}/repair`, { body: { edits: measuredEdits(base, settled, null), finding: task.key, repair: repair.key } });
      const changes = /** @type {Record<string, any>} */ (body.changes);
      const parts = Object.entries(changes).map(([code, one]) => ({ code, ...one }));
      view.put("wb-diff", parts.flatMap((one) => ["gained", "lost"].flatMap((kind) => (one[kind] ? [/** @type {Feature} */ ({ type: "Feature", properties: { kind }, geometry: one[kind] })] : []))));
      const told = parts.map((one) => `${nameOf(one.code)} ${one.gained_m2 >= one.lost_m2 ? "+" : "−"}${area(Math.abs((one.gained_m2 ?? 0) - (one.lost_m2 ?? 0)))}`).join(comma());
      announce(told);
      const yes = make("button", { type: "button", className: "button main" }, say("makeRepair"));
      const no = make("button", { type: "button", className: "button" }, say("cancel"));
      part("preview-actions").replaceChildren(make("span", { className: "small" }, told), yes, no);
      part("diff-key").hidden = false;
      yes.focus();
      no.addEventListener("click", clear);
      yes.addEventListener("click", () => {
        clear();
        make_(task, repair, changes);
      });
    } catch (error) {
      failed(error);
    }
  }

  /**
   * @param {Task} task
   * @param {Repair} repair
   * @param {Record<string, any>} changes
   */
  function make_(task, repair, changes) {
    handling.attempt(() => {
      const { settled } = session;
      handling.mayChange(Object.keys(changes));
      const shape = shapeFrom(task.geometry);
      // A gap is filled in the partition itself, so that the edge stays shared; other repairs bring the shapes they make.
      const doc =
        task.kind === "gap" && repair.into && shape.length === 1 && isFace(settled, repair.into)
          ? filled(settled, { rings: /** @type {any} */ (shape[0]), beside: [] }, repair.into).doc
          : withPlaces(settled, Object.entries(changes).map(([code, { geometry }]) => ({ code, shape: geometry ? shapeFrom(geometry) : null, facts: settled.facts[code] })));
      session.commit(doc, say("step-repair"));
      wide = wide.filter(({ key }) => key !== task.key);
      notify(say("repaired"));
    });
    refresh();
  }

  return {
    tasks: all,
    show,
    clear,
    refresh,
    preview,
    /** @param {Task[]} findings of the edits */
    found(findings) {
      if (JSON.stringify(findings) === JSON.stringify(own)) return; // as with most movements of the hand
      own = findings;
      refresh();
    },
    /** Check the whole city. */
    async check() {
      part("tasks-said").textContent = say("checking");
      try {
        const { base, settled } = session;
        const { body } = await api("POST", `${path}/topology`, { body: { edits: measuredEdits(base, settled, null) } });
        wide = readFindings(body.findings, nameOf);
        text = say("tasksNone");
        refresh();
        announce(wide.length ? say("tasksFound", { n: all().length }) : text);
      } catch (error) {
        part("tasks-said").textContent = "";
        failed(error);
      }
    },
    isShown: () => chosen !== null,
  };
}
