// @ts-check
/**
 * The boundary workbench: starts it and keeps its parts in step. The document lives in the session; everything here shows it or changes it.
 *
 * @import { Doc } from "./document.js"
 * @import { WorkbenchMap } from "./map.js"
 * @import { State } from "./showing.js"
 * @import { Task } from "./tasks.js"
 * @import { MapConfig } from "../style.js"
 *
 * @typedef {MapConfig & {
 *   city: string, name: string, csrf: string, user: string, bounds: [number, number, number, number],
 *   urls: {api: string, tiles: string, worker: string, city: string, changes: string},
 *   services: Record<string, string>, certainties: Record<string, string>, shape_layers: {code: string, name: string}[],
 * }} WorkbenchConfig
 */

import { makeApi } from "../api.js";
import { makeChanges, nothingSaid } from "./changes.js";
import { makeConsequences } from "./consequences.js";
import { isThere, shapeOf } from "./document.js";
import { after, dialog, input, make, part } from "./dom.js";
import { withSettlement } from "./edits.js";
import { boundsOf, chosenFeatures } from "./features.js";
import { listenToForms, tab } from "./forms.js";
import { makeHandling } from "./handling.js";
import { makeKeeper } from "./keeping.js";
import { listen } from "./keyboard.js";
import { canDraw, makeMap } from "./map.js";
import { announce, failed, leadBy, notify, silent } from "./notices.js";
import { makePlaces } from "./places.js";
import { makePresence } from "./presence.js";
import { keptOf, readKept, reverted } from "./recovering.js";
import { Session } from "./session.js";
import { makeShapes } from "./shapes.js";
import { makeSheet } from "./sheet.js";
import { makeShowing, sayKept } from "./showing.js";
import { makeSubmitting } from "./submitting.js";
import { makeTasks } from "./tasks.js";
import { makeTopology } from "./topology.js";
import { clock, day, say, useWords } from "./words.js";
import { readCity } from "./wire.js";

const config = /** @type {WorkbenchConfig} */ (JSON.parse(part("workbench-config").textContent ?? "{}"));
useWords(part("words").dataset, config.language);
const api = makeApi({ base: config.urls.api, csrf: config.csrf, language: config.language });
const path = `cities/${config.city}`;

/** @param {any} info */
const nameIn = (info) => (config.language === "en" ? info?.name_en || info?.name_fa : info?.name_fa || info?.name_en) ?? "";

const sheet = makeSheet();

async function start() {
  if (!canDraw()) {
    part("loading").hidden = true;
    part("map-failed").hidden = false;
    return;
  }
  const query = new URLSearchParams(location.search);
  const setId = query.get("change_set");
  const [inForce, ofSet, set, made] = await Promise.all([
    api("GET", `${path}/partition`),
    setId ? api("GET", `${path}/partition?change_set=${encodeURIComponent(setId)}`) : null,
    setId ? api("GET", `change-sets/${encodeURIComponent(setId)}`) : null,
    makeMap({ container: part("map"), scaleBar: part("scale-bar"), config, say, covered: sheet.covered }),
  ]);
  leadBy(([lon, lat]) => made.show([lon, lat, lon, lat], { maxZoom: 18 }));
  part("loading").hidden = true;
  run(made, inForce.body, ofSet?.body ?? null, set?.body ?? null, query.get("place"));
}

/**
 * @param {WorkbenchMap} view
 * @param {any} inForce
 * @param {any} ofSet
 * @param {any} set
 * @param {string | null} place
 */
function run(view, inForce, ofSet, set, place) {
  const session = new Session(readCity(inForce));
  let version = String(inForce.version ?? "");
  /** @type {State} */
  const state = { known: null, isAsking: false, lastSent: null };
  let said = nothingSaid();
  let isReady = false;

  /** @param {string} code */
  const nameOf = (code) => nameIn(session.doc.facts[code] ?? session.base.facts[code]) || code;

  const isOpen = set && ["draft", "returned"].includes(set.status);
  if (ofSet && isOpen) {
    session.restart(session.base, { doc: readCity(ofSet) });
    session.changeSet = { id: set.id, version: set.version, status: set.status };
    said = { ...said, title: set.title, comment: set.comment, valid_from: set.valid_from ?? "" };
  }

  // ---- parts

  const keeper = makeKeeper({ api, city: config.city, user: config.user, tell: sayKept });
  const places = makePlaces({ onChoose: (code) => choose(code, { isShown: true }), onPoint: (code) => handling.point(code) });
  const tasks = makeTasks({ nameOf, onShow: showTask, onRepair: (task, repair) => void topology.preview(task, repair) });
  const changes = makeChanges({
    certainties: config.certainties,
    onSay: (words) => {
      said = words;
      if (session.isUnsaved || session.changeSet) keep();
      buttons();
    },
    onShow: (code) => (isThere(session.settled, code) ? choose(code, { isShown: true }) : view.show(boundsOf(shapeOf(session.base, code)))),
    onRevert: revert,
  });
  const handling = makeHandling({
    session, view, nameOf,
    hint: (text) => {
      const line = part("hint");
      line.textContent = text;
      line.hidden = !text;
      const isDrawing = Boolean(handling?.gestures.isDrawing());
      part("crosshair").hidden = !isDrawing;
      part("sketch-bar").hidden = !isDrawing;
    },
    onCreated: () => {
      tab("place");
      sheet.open("half");
      const name = input(config.language === "en" ? "name-en" : "name-fa");
      if (part("place-names").hidden) return;
      name.focus();
      name.select();
    },
    onHeld: () => {
      tab("place");
      sheet.open("half");
      if (session.handle) view.pan([session.handle.at[0], session.handle.at[1]]);
    },
    onShapeWanted: (at) => void shapes.wanted(at),
    onTaskClicked: (point) => {
      const found = view.map.queryRenderedFeatures([point.x, point.y], { layers: ["wb-task-points"] })[0];
      const task = found && topology.tasks().find(({ key }) => key === found.properties.id);
      if (task) showTask(task);
      return Boolean(task);
    },
  });
  const topology = makeTopology({ api, path, session, view, nameOf, handling, put: (found, text) => tasks.put(found, text) });
  const shapes = makeShapes({ api, path, layers: config.shape_layers ?? [], session, view, nameOf, handling });
  const consequences = makeConsequences({
    api, city: config.city, nameOf,
    what: () => ({ base: session.base, doc: session.doc, chosen: session.chosen }),
    take: (found) => {
      state.known = found;
      topology.found(found.findings);
      showNumbers();
    },
    tell: (isBusy, problem) => {
      state.isAsking = isBusy;
      part("readout-said").textContent = isBusy ? say("measuring") : problem ? say("measureFailed") : "";
      part("readout").setAttribute("aria-busy", String(isBusy));
    },
  });
  const presence = makePresence({ api, city: config.city, nameOf, placesOf: () => [...new Set([...session.changes.map(({ code }) => code), ...(session.chosen ? [session.chosen] : [])])].slice(0, 50) });

  const { draw, drawLive, showList, showPlace, showNumbers, showVertex, showChanges, buttons } = makeShowing({
    config, session, view, state, nameOf,
    on: {
      vertices: () => command("vertices"),
      merge: () => void handling.merge(),
      end: endSettlement,
      revert,
      isDrawing: () => handling.gestures.isDrawing(),
      list: (entries) => places.put(entries),
      changes: (lines) => changes.put(lines),
    },
  });
  const send = makeSubmitting({
    api, city: config.city, pages: config.urls.changes, session, nameOf, keep,
    said: () => said,
    wrong: (text) => changes.wrong(text),
    forget: () => keeper.forget(),
    openForm: () => sheet.open("full"),
    onSaved(id) {
      history.replaceState(null, "", `?change_set=${id}`);
      sayKept("kept", new Date());
      presence.tell();
      refresh();
    },
    onProposed() {
      state.lastSent = session.changeSet;
      session.changeSet = null;
      said = nothingSaid();
      changes.write(said);
      changes.returned(null);
      history.replaceState(null, "", location.pathname);
      session.choose(null);
      session.restart(session.base);
    },
    onSettled(base, fresh, doc) {
      version = fresh;
      session.restart(base, { doc, saved: base });
      keep();
    },
  });

  // ---- doing

  /**
   * @param {string | null} code
   * @param {{isShown?: boolean}} [how]
   */
  function choose(code, { isShown = false } = {}) {
    topology.clear();
    session.choose(code);
    if (!code) return;
    tab("place");
    sheet.open("half");
    if (!isShown) return;
    view.show(boundsOf(shapeOf(session.doc, code)));
    part("place-name").focus({ preventScroll: true });
  }

  /** @param {Task} task */
  function showTask(task) {
    tab("tasks");
    sheet.open("half");
    topology.show(task);
  }

  function endSettlement() {
    const { chosen } = session;
    if (!chosen) return;
    handling.attempt(() => {
      handling.mayChange([chosen]);
      session.commit(/** @type {Doc} */ (withSettlement(session.settled, chosen, null)), say("step-end"));
    });
  }

  /** Give a place what it had before; its neighbours follow where they share its edge. @param {string} code */
  function revert(code) {
    handling.attempt(() => session.commit(reverted(session.base, session.settled, code), say("step-revert")));
    handling.showRing({ force: true });
  }

  function keep() {
    if (!isReady) return; // what was kept before has not been offered yet
    keeper.keep(keptOf({ session, said, version }), Object.fromEntries(session.changes.map(({ code }) => [code, session.base.facts[code]?.edition ?? null])));
  }

  /** @param {string} name */
  function command(name) {
    if (name.startsWith("tool:")) return handling.take(/** @type {any} */ (name.slice(5)));
    const { gestures } = handling;
    /** @type {Record<string, () => void>} */
    const known = {
      undo: () => (gestures.isDrawing() ? void gestures.undoPoint() : (silent(), session.undo())),
      redo: () => (gestures.isDrawing() ? void gestures.redoPoint() : session.redo()),
      save: () => void send("save"),
      propose: () => void send("propose"),
      keys: () => dialog("workbench-keys").showModal(),
      find: () => {
        session.choose(null);
        tab("place");
        sheet.open("half");
        places.focus();
      },
      trace: () => shapes.open(),
      deselect: () => {
        session.choose(null);
        places.focus();
      },
      finish: () => handling.finishSketch(),
      cancel: () => handling.take("select"),
      check: () => void topology.check(),
      vertices: () => {
        handling.take("select");
        session.hold(0);
        const { handle } = session;
        if (handle) view.pan([handle.at[0], handle.at[1]]);
        view.map.getCanvas().focus();
      },
      "vertex-remove": () => handling.removeVertex(),
    };
    known[name]?.();
  }

  // ---- keeping in step

  function refresh() {
    draw();
    handling.showRing();
    showList();
    showPlace();
    showChanges();
    buttons();
    topology.refresh();
  }
  const tellPresence = after(() => presence.tell(), 2000);
  session.on("doc", () => {
    silent();
    consequences.ask(); // first, so that the server counts while the page is drawn
    refresh();
    if (session.isUnsaved) keep();
    else if (isReady) void keeper.forget();
    tellPresence();
  });
  session.on("live", () => {
    consequences.ask();
    showNumbers();
    drawLive();
    showVertex();
  });
  session.on("chosen", () => {
    const { chosen, settled } = session;
    if (chosen) consequences.ask();
    view.put("wb-chosen", chosenFeatures(settled, chosen));
    handling.showRing();
    showPlace();
    handling.sayHint();
    if (chosen) {
      announce(nameOf(chosen));
    } else showList();
    const address = new URL(location.href);
    if (chosen) address.searchParams.set("place", chosen);
    else address.searchParams.delete("place");
    history.replaceState(null, "", address);
    tellPresence();
  });
  session.on("vertex", showVertex);
  session.on("tool", () => {
    silent();
    const { tool } = session;
    part("workbench").dataset.tool = tool;
    for (const button of document.querySelectorAll("[data-tool][aria-pressed]")) button.setAttribute("aria-pressed", String(button.getAttribute("data-tool") === tool));
    const kind = handling.kindOf(tool);
    part("draw-form").hidden = !kind;
    if (kind) sheet.close();
    if (kind) part("draw-title").textContent = say(`tool-${tool}`);
    if (tool === "merge" && session.chosen) handling.sayHint();
    if (tool === "shape") void shapes.begin();
    else shapes.clear();
    buttons();
  });

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-command], button[data-tool], [role=tab]") : null;
    if (!(button instanceof HTMLElement)) return;
    if (button.dataset.command) command(button.dataset.command);
    else if (button.dataset.tool) handling.take(/** @type {any} */ (button.dataset.tool === session.tool ? "select" : button.dataset.tool));
    else {
      tab(/** @type {any} */ (button.id.replace("tab-", "")));
      sheet.open("half");
    }
  });
  listenToForms({ language: config.language, session, handling, view });
  listen({ session, handling, view, run: command });
  addEventListener("beforeunload", (event) => {
    if (keeper.isWaiting()) event.preventDefault();
  });

  // ---- beginning

  changes.write(said);
  if (set) beginSet();
  refresh();
  if (place && isThere(session.settled, place)) choose(place, { isShown: true });
  void recover().finally(() => {
    isReady = true;
    if (session.isUnsaved) keep();
    part("workbench").dataset.ready = "1";
  });

  /** Say how the change set stands that the page was opened with. */
  function beginSet() {
    if (!isOpen) {
      // What has been sent off is no longer drawn on: the page begins with what is in force, and what is drawn is a new change set.
      history.replaceState(null, "", place ? `?place=${place}` : location.pathname);
      return notify(say("setClosed", { n: set.id, status: say(`status-${set.status}`) }), { isWrong: true, link: { text: say("lookAtIt"), run: () => location.assign(`${config.urls.changes}${set.id}/`) } });
    }
    if (!place) showChanged(session.settled, session.changes);
    const review = /** @type {any[]} */ (set.reviews ?? []).findLast(({ action }) => action === "returned");
    if (set.status === "returned" && review) {
      changes.returned(review);
      tab("changes");
      sheet.open("half");
    }
  }

  async function recover() {
    const kept = await keeper.found();
    const found = kept && readKept(kept.document, { base: session.base, version });
    if (!kept || !found) return;
    const box = dialog("recover");
    part("recover-said").textContent = say("recoverSaid", { n: found.changes.length, time: `${day(kept.document.kept_at)} ${clock(kept.document.kept_at)}` });
    part("recover-list").replaceChildren(...found.changes.slice(0, 12).map(({ code, what }) => make("li", {}, `${nameIn(found.doc.facts[code]) || nameOf(code)} – ${say(`change-${what}`)}`)));
    const isWanted = await new Promise((resolve) => {
      box.addEventListener("close", () => resolve(box.returnValue !== "afresh"), { once: true });
      for (const button of box.querySelectorAll("[data-answer]")) button.addEventListener("click", () => box.close(button.getAttribute("data-answer") ?? ""));
      box.showModal();
    });
    if (!isWanted) return keeper.forget();
    said = { ...nothingSaid(), ...found.said };
    changes.write(said);
    session.changeSet = found.changeSet;
    history.replaceState(null, "", found.changeSet ? `?change_set=${found.changeSet.id}` : location.pathname);
    session.restart(session.base, { history: found.history, doc: found.doc, saved: session.base });
    notify(found.isWhole ? say("recovered", { n: found.changes.length }) : say("recoveredOther"));
    showChanged(found.doc, found.changes);
  }

  /** Show all that is changed. @param {Doc} doc @param {readonly {code: string}[]} changed */
  function showChanged(doc, changed) {
    const boxes = changed.filter(({ code }) => isThere(doc, code)).map(({ code }) => boundsOf(shapeOf(doc, code)));
    if (boxes.length) view.show(/** @type {[number, number, number, number]} */ ([0, 1, 2, 3].map((i) => (i < 2 ? Math.min : Math.max)(...boxes.map((box) => box[i])))));
  }
}

start().catch((error) => {
  part("loading").hidden = true;
  failed(error);
  throw error;
});
