import assert from "node:assert/strict";
import test from "node:test";
import { ApiError } from "../../maps/static/maps/js/api.js";
import { added, geometryOf, markOf, positionsOf, takenBack } from "../../maps/static/maps/js/needs/marking.js";
import { faultOf, photoPath } from "../../maps/static/maps/js/needs/photos.js";
import { bodyOf, faultsOf, sendWaiting, whole } from "../../maps/static/maps/js/needs/sending.js";

const VALUES = { round: "3", organisation: "7", place: "s01", sector: "health", approach: "social", severity: "4", people_affected: "۱٬۲۰۰", women: "", text_fa: " درمانگاه نیست ", text_en: "", service: "", geometry: "", lon: "", lat: "" };

const item = (ticket, changes = {}) => ({ ticket, user: "u", city: "c", values: VALUES, standing: "waiting", isOther: false, isTried: false, isEdited: false, said: "", field: "", similar: [], need: null, at: 1, ...changes });

function store(...items) {
  const kept = new Map(items.map((one) => [one.ticket, one]));
  return { kept, all: async () => [...kept.values()], put: async (one) => void kept.set(one.ticket, one), remove: async (ticket) => void kept.delete(ticket) };
}

/** A server that knows tickets, and loses answers or refuses as it is told. */
function server({ lose = 0, similar = [], refuse = null } = {}) {
  const needs = new Map();
  const state = { needs, lose, losePhotos: 0, photos: new Map(), asked: [], refusePhoto: {} };
  const api = async (method, path, { body }) => {
    if (path.includes("/photos/")) {
      const [, number, ticket] = /^\/(\d+)\/photos\/([^?]+)/.exec(path);
      state.asked.push([method, number, ticket]);
      if (state.refusePhoto[ticket]) throw state.refusePhoto[ticket];
      const is_new = !state.photos.has(ticket);
      state.photos.set(ticket, { number: Number(number), body, path });
      if (state.losePhotos-- > 0) throw new ApiError(0, "lost");
      return { body: { is_new }, etag: "" };
    }
    state.asked.push([method, path, body.ticket]);
    if (path === "/similar") return { body: { similar: needs.has(body.ticket) ? [] : similar }, etag: "" };
    if (refuse) throw refuse;
    const is_new = !needs.has(body.ticket);
    if (is_new) needs.set(body.ticket, { ...body, number: needs.size + 1 });
    if (state.lose-- > 0) throw new ApiError(0, "lost");
    return { body: { number: needs.get(body.ticket).number, address: "/c/needs/1/", is_new }, etag: "" };
  };
  return { state, api };
}

const run = async (parts, kept) => {
  const taken = [];
  const halt = await sendWaiting({ api: parts.api, store: kept, tell: () => {}, take: (one) => taken.push(one) });
  return { halt, taken };
};

test("a form becomes what is sent", () => {
  assert.deepEqual(bodyOf(VALUES, "t"), { ticket: "t", geometry: null, place: "s01", sector: "health", approach: "social", text_fa: "درمانگاه نیست", text_en: "", service: "", round: 3, organisation: 7, severity: 4, people_affected: 1200, women: null, children: null, older: null, disabled: null });
  assert.deepEqual(bodyOf({ ...VALUES, lon: "۴۸٫۳", lat: "33.4" }, "t").geometry, { type: "Point", coordinates: [48.3, 33.4] });
  assert.deepEqual([whole("١٢"), whole("12,000"), whole("1.5"), whole("many"), whole(" ")], [12, 12000, null, null, null]);
});

test("faults are told in the order of the form, before anything is sent", () => {
  assert.deepEqual(faultsOf(VALUES, true), []);
  assert.deepEqual(faultsOf({}, true), ["round", "organisation", "place", "text_fa", "sector", "severity", "approach", "people_affected"]);
  assert.deepEqual(faultsOf({ ...VALUES, women: "1201", older: "x" }, true), ["women", "older"]);
  assert.deepEqual(faultsOf({ ...VALUES, lon: "48.3" }, true), ["geometry"]);
  assert.deepEqual(faultsOf({ ...VALUES, lon: "480", lat: "33" }, true), ["geometry"]);
});

test("what waits is sent once, although the answer was lost", async () => {
  const parts = server({ lose: 1 });
  const kept = store(item("a"), item("b"));
  assert.equal((await run(parts, kept)).halt, "unreachable");
  assert.equal(kept.kept.size, 2);
  const second = await run(parts, kept);
  assert.equal(second.halt, "");
  assert.deepEqual(second.taken.map((one) => one.standing), ["sent", "sent"]);
  assert.equal(parts.state.needs.size, 2);
  assert.equal(kept.kept.size, 0);
});

const photo = (ticket) => ({ ticket, name: `${ticket}.jpg`, file: { type: "image/jpeg", size: 9, of: ticket } });

test("photos follow their need, each once, although answers are lost", async () => {
  const parts = server();
  parts.state.losePhotos = 1;
  const kept = store(item("a", { photos: [photo("p"), photo("q")], values: { ...VALUES, photos_title: " مدرسه ", keeps_location: "1" } }));
  assert.equal((await run(parts, kept)).halt, "unreachable");
  assert.deepEqual(kept.kept.get("a").photos.map((one) => one.ticket), ["p", "q"]);
  assert.deepEqual(kept.kept.get("a").need, { number: 1, address: "/c/needs/1/" });
  const { halt, taken } = await run(parts, kept);
  assert.equal(halt, "");
  assert.deepEqual(taken.map((one) => one.standing), ["sent"]);
  assert.deepEqual(parts.state.asked.map((one) => one.at(-1)), ["a", "a", "p", "p", "q"]);
  assert.equal(parts.state.needs.size, 1);
  assert.deepEqual([...parts.state.photos.keys()], ["p", "q"]);
  assert.equal(parts.state.photos.get("q").path, `/1/photos/q?${new URLSearchParams({ title: "مدرسه", keeps_location: "true" })}`);
  assert.equal(kept.kept.size, 0);
});

test("a photo that is not taken is told of, and the others arrive", async () => {
  const parts = server();
  parts.state.refusePhoto.p = new ApiError(400, "Damaged.");
  const kept = store(item("a", { photos: [photo("p"), photo("q")] }));
  const { taken } = await run(parts, kept);
  assert.deepEqual([taken[0].standing, taken[0].said, taken[0].photos.map((one) => one.ticket)], ["refused", "Damaged.", ["p"]]);
  assert.deepEqual([...parts.state.photos.keys()], ["q"]);
  for (const [error, halt] of [[new ApiError(401, "x"), "signed-out"], [new ApiError(429, "x"), "unreachable"], [new ApiError(403, "x", { code: "csrf" }), "reload"]]) {
    const again = server();
    again.state.refusePhoto.p = error;
    const waiting = store(item("a", { photos: [photo("p")] }));
    assert.equal((await run(again, waiting)).halt, halt);
    assert.deepEqual([waiting.kept.get("a").standing, waiting.kept.get("a").photos.length], ["waiting", 1]);
  }
});

test("a report that is deleted while its photos are sent does not come back", async () => {
  const parts = server();
  const kept = store(item("a", { photos: [photo("p")] }));
  const put = parts.api;
  parts.api = async (method, path, ask) => {
    if (path.includes("/photos/")) kept.kept.delete("a");
    return put(method, path, ask);
  };
  await run(parts, kept);
  assert.equal(kept.kept.size, 0);
});

test("files are looked at before they are sent", () => {
  const limits = { most: 10, types: ["image/jpeg"] };
  assert.deepEqual([{ type: "image/jpeg", size: 10 }, { type: "image/jpeg", size: 11 }, { type: "image/heic", size: 1 }].map((file) => faultOf(file, limits)), ["", "size", "type"]);
  assert.equal(photoPath(7, photo("t"), { title: "", keepsLocation: false }), "/7/photos/t?title=&keeps_location=false");
});

test("what was changed after it may have arrived is not dropped", async () => {
  const parts = server({ lose: 1 });
  const kept = store(item("a"));
  await run(parts, kept);
  kept.kept.set("a", { ...kept.kept.get("a"), isEdited: true, at: 2 });
  const { taken } = await run(parts, kept);
  assert.equal(taken[0].standing, "refused");
  assert.equal(kept.kept.get("a").need.number, 1);
  assert.equal(parts.state.needs.size, 1);
});

test("those that are alike hold a report back until its writer decides", async () => {
  const parts = server({ similar: [{ number: 9, title: "#9", meta: "", address: "/" }] });
  const kept = store(item("a"));
  await run(parts, kept);
  assert.equal(kept.kept.get("a").standing, "similar");
  assert.equal(parts.state.needs.size, 0);
  kept.kept.set("a", { ...kept.kept.get("a"), isOther: true, standing: "waiting" });
  await run(parts, kept);
  assert.equal(parts.state.needs.size, 1);
});

test("a refusal is kept with its reason and its field, and the next is sent", async () => {
  const kept = store(item("a"), item("b", { isOther: true }));
  const refusing = server({ refuse: new ApiError(400, "Too far.", { where: "need, point" }) });
  await run(refusing, kept);
  assert.deepEqual([kept.kept.get("a").standing, kept.kept.get("a").said, kept.kept.get("a").field], ["refused", "Too far.", "geometry"]);
  assert.equal(kept.kept.get("b").standing, "refused");
  for (const [error, halt] of [[new ApiError(401, "x"), "signed-out"], [new ApiError(403, "x", { code: "csrf" }), "reload"], [new ApiError(503, "x"), "unreachable"]]) {
    const waiting = store(item("a"));
    assert.equal((await run(server({ refuse: error }), waiting)).halt, halt);
    assert.equal(waiting.kept.get("a").standing, "waiting");
  }
});

test("a finger marks points, lines and surfaces", () => {
  let mark = { kind: "Polygon", positions: [] };
  for (const position of [[1, 2], [3.00000049, 4], [5, 6]]) mark = added(mark, position);
  assert.deepEqual(geometryOf(mark), { type: "Polygon", coordinates: [[[1, 2], [3, 4], [5, 6], [1, 2]]] });
  assert.deepEqual(markOf(geometryOf(mark)), mark);
  assert.equal(geometryOf(takenBack(mark)), null);
  assert.deepEqual(geometryOf({ ...takenBack(mark), kind: "LineString" }), { type: "LineString", coordinates: [[1, 2], [3, 4]] });
  assert.deepEqual(added({ kind: "Point", positions: [[1, 1]] }, [2, 2]).positions, [[2, 2]]);
  assert.deepEqual(positionsOf({ type: "MultiPolygon", coordinates: [[[[1, 2], [3, 4]]]] }), [[1, 2], [3, 4]]);
});
