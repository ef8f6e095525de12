import assert from "node:assert/strict";
import test from "node:test";
import { ApiError } from "../../maps/static/maps/js/api.js";
import { need } from "../../maps/static/maps/js/needs/kind.js";
import { added, geometryOf, markOf, positionsOf, takenBack } from "../../maps/static/maps/js/needs/marking.js";
import { faultOf, photoPath } from "../../maps/static/maps/js/needs/photos.js";
import { NEED as VALUES, item, photo, run, server, store } from "./reporting.mjs";

const { bodyOf, faultsOf } = need;

test("a form becomes what is sent", () => {
  assert.deepEqual(bodyOf({ values: VALUES, ticket: "t" }), { ticket: "t", geometry: null, place: "s01", sector: "health", approach: "social", text_fa: "درمانگاه نیست", text_en: "", service: "", round: 3, organisation: 7, severity: 4, people_affected: 1200, women: null, children: null, older: null, disabled: null });
  assert.deepEqual(bodyOf({ values: { ...VALUES, lon: "۴۸٫۳", lat: "33.4" }, ticket: "t" }).geometry, { type: "Point", coordinates: [48.3, 33.4] });
});

test("faults are told in the order of the form, before anything is sent", () => {
  assert.deepEqual(faultsOf({ values: VALUES }, true), []);
  assert.deepEqual(faultsOf({ values: {} }, true), ["round", "organisation", "place", "text_fa", "sector", "severity", "approach", "people_affected"]);
  assert.deepEqual(faultsOf({ values: { ...VALUES, women: "1201", older: "x" } }, true), ["women", "older"]);
  assert.deepEqual(faultsOf({ values: { ...VALUES, lon: "48.3" } }, true), ["geometry"]);
  assert.deepEqual(faultsOf({ values: { ...VALUES, lon: "480", lat: "33" } }, true), ["geometry"]);
});

test("photos follow their need, each once, although answers are lost", async () => {
  const parts = server();
  parts.state.losePhotos = 1;
  const kept = store(item("a", VALUES, { photos: [photo("p"), photo("q")], values: { ...VALUES, photos_title: " مدرسه ", keeps_location: "1" } }));
  assert.equal((await run(need, parts, kept)).halt, "unreachable");
  assert.deepEqual(kept.kept.get("a").photos.map((one) => one.ticket), ["p", "q"]);
  assert.deepEqual(kept.kept.get("a").made, { number: 1, address: "/c/needs/1/" });
  const { halt, taken } = await run(need, parts, kept);
  assert.equal(halt, "");
  assert.deepEqual(taken.map((one) => one.standing), ["sent"]);
  assert.deepEqual(parts.state.asked.map((one) => one.at(-1)), ["a", "a", "p", "p", "q"]);
  assert.equal(parts.state.records.size, 1);
  assert.deepEqual([...parts.state.photos.keys()], ["p", "q"]);
  assert.equal(parts.state.photos.get("q").path, `/1/photos/q?${new URLSearchParams({ title: "مدرسه", keeps_location: "true" })}`);
  assert.equal(kept.kept.size, 0);
});

test("a photo that is not taken is told of, and the others arrive", async () => {
  const parts = server();
  parts.state.refusePhoto.p = new ApiError(400, "Damaged.");
  const kept = store(item("a", VALUES, { photos: [photo("p"), photo("q")] }));
  const { taken } = await run(need, parts, kept);
  assert.deepEqual([taken[0].standing, taken[0].said, taken[0].photos.map((one) => one.ticket)], ["refused", "Damaged.", ["p"]]);
  assert.deepEqual([...parts.state.photos.keys()], ["q"]);
  for (const [error, halt] of [[new ApiError(401, "x"), "signed-out"], [new ApiError(429, "x"), "unreachable"], [new ApiError(403, "x", { code: "csrf" }), "reload"]]) {
    const again = server();
    again.state.refusePhoto.p = error;
    const waiting = store(item("a", VALUES, { photos: [photo("p")] }));
    assert.equal((await run(need, again, waiting)).halt, halt);
    assert.deepEqual([waiting.kept.get("a").standing, waiting.kept.get("a").photos.length], ["waiting", 1]);
  }
});

test("a report that is deleted while its photos are sent does not come back", async () => {
  const parts = server();
  const kept = store(item("a", VALUES, { photos: [photo("p")] }));
  const put = parts.api;
  parts.api = async (method, path, ask) => {
    if (path.includes("/photos/")) kept.kept.delete("a");
    return put(method, path, ask);
  };
  await run(need, parts, kept);
  assert.equal(kept.kept.size, 0);
});

test("files are looked at before they are sent", () => {
  const limits = { most: 10, types: ["image/jpeg"] };
  assert.deepEqual([{ type: "image/jpeg", size: 10 }, { type: "image/jpeg", size: 11 }, { type: "image/heic", size: 1 }].map((file) => faultOf(file, limits)), ["", "size", "type"]);
  assert.equal(photoPath(7, photo("t"), { title: "", keepsLocation: false }), "/7/photos/t?title=&keeps_location=false");
});

test("those that are alike hold a report back until its writer decides", async () => {
  const parts = server({ similar: [{ number: 9, title: "#9", meta: "", address: "/" }] });
  const kept = store(item("a", VALUES));
  await run(need, parts, kept);
  assert.equal(kept.kept.get("a").standing, "similar");
  assert.equal(parts.state.records.size, 0);
  kept.kept.set("a", { ...kept.kept.get("a"), isOther: true, standing: "waiting" });
  await run(need, parts, kept);
  assert.equal(parts.state.records.size, 1);
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
