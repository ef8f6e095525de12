// @ts-check
/**
 * Showing what the session holds: on the map, in the list, in the panel. It changes nothing.
 *
 * @import { WorkbenchConfig } from "./app.js"
 * @import { Line } from "./changes.js"
 * @import { Consequences } from "./consequences.js"
 * @import { KeepState } from "./keeping.js"
 * @import { WorkbenchMap } from "./map.js"
 * @import { Entry } from "./places.js"
 * @import { ChangeSetRef, Session } from "./session.js"
 *
 * @typedef {object} State what is known beside the session
 * @property {Consequences | null} known the server's last numbers
 * @property {boolean} isAsking
 * @property {ChangeSetRef} lastSent the change set proposed last: it is no longer edited here
 *
 * @typedef {object} On what the panel's buttons do, and where lists go
 * @property {() => void} vertices
 * @property {() => void} merge
 * @property {() => void} end
 * @property {(code: string) => void} revert
 * @property {() => boolean} isDrawing
 * @property {(entries: Entry[]) => void} list
 * @property {(lines: Line[]) => void} changes
 */

import { changesOf, disputed, isAtEdge, isFace, isThere, neighbours, shapeOf, sharers } from "./document.js";
import { input, make, part } from "./dom.js";
import { arcFeatures, chosenFeatures, faceFeatures, nameFeatures, settlementFeatures } from "./features.js";
import { area_m2, perimeter_m } from "./measure.js";
import { announce } from "./notices.js";
import { showActions, showEdges, showReadout, showTouched } from "./panel.js";
import { area, clock, comma, coordinates, say } from "./words.js";

/**
 * @param {object} parts
 * @param {WorkbenchConfig} parts.config
 * @param {Session} parts.session
 * @param {WorkbenchMap} parts.view
 * @param {State} parts.state
 * @param {(code: string) => string} parts.nameOf
 * @param {On} parts.on
 */
export function makeShowing({ config, session, view, state, nameOf, on }) {
  function draw() {
    const { base, settled, chosen } = session;
    view.put("wb-faces", faceFeatures(base, settled));
    view.put("wb-arcs", arcFeatures(base, settled));
    view.put("wb-settlements", settlementFeatures(settled));
    view.put("wb-names", nameFeatures(settled, nameOf));
    view.put("wb-chosen", chosenFeatures(settled, chosen));
    drawLive();
  }

  /** What moves with the dragged vertex beyond the chosen place: the lines of its neighbours. */
  function drawLive() {
    const { settled, doc, chosen, isLive } = session;
    const before = settled.partition.arcs;
    const moving = isLive ? doc.partition.arcs.flatMap((line, arc) => (line === before[arc] || !line.length ? [] : [arc])) : [];
    view.mark("wb-arcs", "live", moving);
    view.mark("wb-settlements", "live", isLive && chosen && !isFace(doc, chosen) ? [chosen] : []);
    view.put("wb-live", moving.map((arc) => ({ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: /** @type {any} */ (doc.partition.arcs[arc]) } })));
    if (isLive) view.put("wb-chosen", []);
  }

  function showList() {
    const byCode = new Map(session.changes.map(({ code, what }) => [code, what]));
    const facts = session.settled.facts;
    const entries = Object.keys(facts).filter((code) => isThere(session.settled, code)).map((code) => ({ code, name: nameOf(code), other: `${facts[code].name_fa} ${facts[code].name_en}`, kind: facts[code].kind, change: byCode.has(code) ? say(`change-${byCode.get(code)}`) : "", tasks: 0 }));
    entries.sort((a, b) => Number(!a.change) - Number(!b.change) || Number(a.kind !== "settlement") - Number(b.kind !== "settlement") || a.name.localeCompare(b.name, config.language));
    on.list(entries);
  }

  function showPlace() {
    const { chosen, doc, settled } = session;
    part("places").hidden = chosen !== null;
    part("place").hidden = chosen === null;
    if (!chosen) return;
    const facts = doc.facts[chosen];
    const isNew = !isThere(session.base, chosen);
    part("place-name").textContent = nameOf(chosen);
    part("place-kind").textContent = [facts.kind === "settlement" ? say("settlement") : say("neighbourhood"), isNew ? say("change-new") : facts.certainty ? (config.certainties[facts.certainty] ?? facts.certainty) : "", facts.source, facts.is_editable === false ? say("notYours") : ""].filter(Boolean).join(" · ");
    part("place-names").hidden = !isNew;
    for (const [id, value] of /** @type {const} */ ([["name-fa", facts.name_fa], ["name-en", facts.name_en]])) if (document.activeElement !== input(id)) input(id).value = value;
    const beside = neighbours(settled, chosen);
    const arcsWith = (/** @type {string} */ other) => Boolean(settled.facts[chosen]?.disputed?.includes(other) || (other && settled.facts[other]?.disputed?.includes(chosen)));
    const edges = [...beside.map((other) => ({ other, name: nameOf(other), isDisputed: arcsWith(other) })), ...(isAtEdge(settled, chosen) || !isFace(settled, chosen) ? [{ other: "", name: isFace(settled, chosen) ? say("cityEdge") : say("wholeEdge"), isDisputed: arcsWith("") }] : [])];
    if (!part("edges-list").contains(document.activeElement)) {
      showEdges(facts.is_editable === false ? [] : edges, (other, isIt) => session.commit(disputed(session.settled, chosen, other, isIt), say("step-dispute")));
    }
    const isMine = facts.is_editable !== false;
    const change = session.changes.find(({ code }) => code === chosen);
    showActions([
      ...(isMine ? [{ text: say("editVertices"), run: on.vertices }] : []),
      ...(isMine && isFace(settled, chosen) ? [{ text: say("mergeWith"), run: on.merge }] : []),
      ...(isMine && !isFace(settled, chosen) && Object.keys(settled.settlements).length > 1 ? [{ text: say("mergeWithSettlement"), run: on.merge }] : []),
      ...(isMine && !isFace(settled, chosen) ? [{ text: isNew ? say("removeSettlement") : say("endSettlement"), run: on.end }] : []),
      ...(change ? [{ text: say("revert"), run: () => on.revert(chosen) }] : []),
    ]);
    showNumbers();
  }

  function showNumbers() {
    const { chosen, doc, base } = session;
    if (!chosen || !isThere(doc, chosen)) return;
    const before = isThere(base, chosen) ? shapeOf(base, chosen) : null;
    const shape = shapeOf(doc, chosen);
    const isChanged = changesOf(base, doc).some(({ code }) => code === chosen);
    const isKnown = state.known?.doc === doc;
    const server = state.known?.places[chosen] ?? null; // of a moment ago while the hand moves, and marked so
    showReadout(
      {
        now: { area_m2: area_m2(shape), perimeter_m: perimeter_m(shape) },
        before: before && isChanged ? { area_m2: area_m2(before), perimeter_m: perimeter_m(before) } : null,
        server, isBusy: state.isAsking || !isKnown, people_before: base.facts[chosen]?.population ?? null,
      },
      config.services ?? {},
    );
    const touched = changesOf(base, doc)
      .filter(({ what }) => what !== "described")
      .map(({ code }) => {
        const told = state.known?.touched[code]; // its people too are of a moment ago while the hand moves
        const net_m2 = (isThere(doc, code) ? area_m2(shapeOf(doc, code)) : 0) - (isThere(base, code) ? area_m2(shapeOf(base, code)) : 0);
        return { name: nameOf(code), gained_m2: told && isKnown ? told.gained_m2 : Math.max(net_m2, 0), lost_m2: told && isKnown ? told.lost_m2 : Math.max(-net_m2, 0), people: told ? told.people : null };
      });
    showTouched(touched, !isKnown);
  }

  function showVertex() {
    const { handle, chosen, vertex, ring } = session;
    part("vertex").hidden = handle === null;
    view.put("wb-vertex", handle ? [{ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [handle.at[0], handle.at[1]] } }] : []);
    if (!handle || !chosen || !ring || vertex === null) return;
    const shared = sharers(session.doc, chosen, handle).map(nameOf).join(comma());
    const text = say("vertexSaid", { i: vertex + 1, n: ring.handles.length, places: shared });
    part("vertex-said").textContent = text;
    if (document.activeElement !== input("vertex-lon")) input("vertex-lon").value = handle.at[0].toFixed(7);
    if (document.activeElement !== input("vertex-lat")) input("vertex-lat").value = handle.at[1].toFixed(7);
    part("vertex-wrong").hidden = true;
    /** @type {HTMLButtonElement} */ (part("vertex-remove")).disabled = handle.isNode;
    if (!session.isLive) announce(`${text} ${coordinates(handle.at)}`);
  }

  function showChanges() {
    on.changes(
      session.changes.map(({ code, what, from }) => {
        const now = isThere(session.settled, code) ? area_m2(shapeOf(session.settled, code)) : 0;
        const before = isThere(session.base, code) ? area_m2(shapeOf(session.base, code)) : 0;
        return { code, name: nameOf(code), text: from.length && what === "new" ? say("change-from", { names: from.map(nameOf).join(comma()) }) : say(`change-${what}`), size: Math.abs(now - before) < 0.5 ? "" : say("areaChange", { area: `${now - before > 0 ? "+" : ""}${area(now - before)}` }) };
      }),
    );
    part("change-set-link").replaceChildren(
      ...[session.changeSet ?? state.lastSent].flatMap((one) => (one ? [make("a", { href: `${config.urls.changes}${one.id}/` }, say("changeSetLink", { n: one.id })), ` ${say(`status-${one.status}`)}`] : [])),
    );
  }

  function buttons() {
    const { steps, isUnsaved, changes: changed } = session;
    for (const [id, label] of /** @type {const} */ ([["undo", steps.undo], ["redo", steps.redo]])) {
      const button = /** @type {HTMLButtonElement} */ (part(id));
      button.disabled = label === null && !on.isDrawing();
      button.title = label ? say(`${id}Step`, { step: label }) : "";
    }
    const isOpen = !session.changeSet || ["draft", "returned"].includes(session.changeSet.status);
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('[data-command="save"]'))) button.disabled = !changed.length || !isOpen;
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('[data-command="propose"]'))) button.disabled = !changed.length || !isOpen;
    document.documentElement.classList.toggle("has-unsaved", isUnsaved);
  }

  return { draw, drawLive, showList, showPlace, showNumbers, showVertex, showChanges, buttons };
}

/** @param {KeepState} state @param {Date} at */
export function sayKept(state, at) {
  const line = part("save-state");
  line.dataset.state = state;
  line.textContent = state === "nothing" ? "" : say(`kept-${state}`, { time: clock(at) });
}
