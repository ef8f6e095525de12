import assert from "node:assert/strict";
import test from "node:test";
import { ApiError } from "../../maps/static/maps/js/api.js";
import { capacity } from "../../maps/static/maps/js/capacities/kind.js";
import { need } from "../../maps/static/maps/js/needs/kind.js";
import { KINDS } from "../../maps/static/maps/js/offline/kinds.js";
import { sendWaiting } from "../../maps/static/maps/js/offline/sending.js";
import { itemOf } from "../../maps/static/maps/js/offline/store.js";
import { geometryTyped, isPointAtFault, whole } from "../../maps/static/maps/js/offline/values.js";
import { NEED, CAPACITY, item, photo, run, server, store } from "./reporting.mjs";

const both = [[need, NEED], [capacity, CAPACITY]];

test("numbers are read in digits of any script, and degrees as a point", () => {
  assert.deepEqual([whole("١٢"), whole("12,000"), whole("1.5"), whole("many"), whole(" ")], [12, 12000, null, null, null]);
  assert.deepEqual(geometryTyped({ lon: "۴۸٫۳", lat: "33.4" }), { type: "Point", coordinates: [48.3, 33.4] });
  assert.equal(geometryTyped({ lon: " ", lat: "" }), null);
  assert.deepEqual([["48.3", ""], ["480", "33"], ["x", "33"], ["48", "33"], ["", ""]].map(([lon, lat]) => isPointAtFault({ lon, lat })), [true, true, true, false, false]);
});

for (const [kind, values] of both) {
  test(`${kind.name}: what waits is sent once, although the answer was lost`, async () => {
    const parts = server({ lose: 1 });
    const kept = store(item("a", values), item("b", values));
    assert.equal((await run(kind, parts, kept)).halt, "unreachable");
    assert.equal(kept.kept.size, 2);
    const second = await run(kind, parts, kept);
    assert.equal(second.halt, "");
    assert.deepEqual(second.taken.map((one) => one.standing), ["sent", "sent"]);
    assert.equal(parts.state.records.size, 2);
    assert.equal(kept.kept.size, 0);
  });

  test(`${kind.name}: what was changed after it may have arrived is not dropped`, async () => {
    const parts = server({ lose: 1 });
    const kept = store(item("a", values));
    await run(kind, parts, kept);
    kept.kept.set("a", { ...kept.kept.get("a"), isEdited: true, at: 2 });
    const { taken } = await run(kind, parts, kept);
    assert.equal(taken[0].standing, "refused");
    assert.equal(kept.kept.get("a").made.number, 1);
    assert.equal(parts.state.records.size, 1);
  });

  test(`${kind.name}: what is changed while it is sent waits, and is told of`, async () => {
    const parts = server();
    const kept = store(item("a", values));
    const put = parts.api;
    const change = { ...item("a", values), isTried: true, isEdited: true, at: 2 };
    parts.api = async (method, path, ask) => {
      const answer = await put(method, path, ask);
      if (path === "") kept.kept.set("a", change);
      return answer;
    };
    assert.deepEqual((await run(kind, parts, kept)).taken.map((one) => one.at), [1]);
    assert.deepEqual(kept.kept.get("a"), change);
    parts.api = put;
    const { taken } = await run(kind, parts, kept);
    assert.deepEqual([taken[0].standing, taken[0].isEarlier], ["refused", true]);
    assert.equal(parts.state.records.size, 1);
  });

  test(`${kind.name}: what is deleted while it is sent does not come back`, async () => {
    const parts = server();
    const kept = store(item("a", values));
    const put = parts.api;
    parts.api = async (method, path, ask) => {
      kept.kept.delete("a");
      return put(method, path, ask);
    };
    await run(kind, parts, kept);
    assert.equal(kept.kept.size, 0);
  });

  test(`${kind.name}: a refusal is kept with its reason and its field, and the next is sent`, async () => {
    const kept = store(item("a", values), item("b", values, { isOther: true }));
    await run(kind, server({ refuse: new ApiError(400, "Too far.", { where: `${kind.name}, point` }) }), kept);
    assert.deepEqual([kept.kept.get("a").standing, kept.kept.get("a").said, kept.kept.get("a").field], ["refused", "Too far.", "geometry"]);
    assert.equal(kept.kept.get("b").standing, "refused");
    for (const [where, field] of [["body.sectors[3]", "sectors"], ["body.text_fa", "text_fa"], [`${kind.name}, geometry.coordinates[0]`, "geometry"], ["", ""], [undefined, ""]]) {
      const one = store(item("a", values));
      await run(kind, server({ refuse: new ApiError(400, "No.", { where }) }), one);
      assert.equal(one.kept.get("a").field, field);
    }
    for (const [error, halt] of [[new ApiError(401, "x"), "signed-out"], [new ApiError(403, "x", { code: "csrf" }), "reload"], [new ApiError(503, "x"), "unreachable"], [new ApiError(429, "x"), "unreachable"]]) {
      const waiting = store(item("a", values));
      assert.equal((await run(kind, server({ refuse: error }), waiting)).halt, halt);
      assert.equal(waiting.kept.get("a").standing, "waiting");
    }
  });
}

test("a refusal is told by what is wrong and what to do, not by where it stands in the body", async () => {
  const kept = store(item("a", CAPACITY));
  await run(capacity, server({ refuse: new ApiError(400, "Too far. (capacity, point) Mark it inside.", { title: "Too far.", where: "capacity, point", remedy: "Mark it inside." }) }), kept);
  assert.equal(kept.kept.get("a").said, "Too far. Mark it inside.");
});

test("what is alike is asked of needs alone", async () => {
  for (const [kind, values, paths] of [[need, NEED, ["/similar", ""]], [capacity, CAPACITY, [""]]]) {
    const parts = server({ similar: [] });
    await run(kind, parts, store(item("a", values)));
    assert.deepEqual(parts.state.asked.map(([, path]) => path), paths);
  }
});

test("a change that is made while it is asked what is alike is not overwritten", async () => {
  const parts = server();
  const kept = store(item("a", NEED));
  const put = parts.api;
  parts.api = async (method, path, ask) => {
    if (path === "/similar") kept.kept.set("a", { ...kept.kept.get("a"), values: { ...NEED, text_fa: "دیگر" }, at: 2 });
    return put(method, path, ask);
  };
  await run(need, parts, kept);
  assert.equal(parts.state.records.size, 0);
  assert.equal(kept.kept.get("a").values.text_fa, "دیگر");
  parts.api = put;
  await run(need, parts, kept);
  assert.equal(parts.state.records.get("a").text_fa, "دیگر");
});

test("what phones kept before there were capacities is read as it is now, and sent", async () => {
  const { made, ...rest } = item("a", NEED);
  const before = { ...rest, need: null };
  assert.deepEqual(itemOf(before), { ...rest, made });
  const arrived = itemOf({ ...rest, need: { number: 1, address: "/c/needs/1/" }, photos: [photo("p")] });
  assert.deepEqual(arrived.made, { number: 1, address: "/c/needs/1/" });
  const parts = server();
  await run(need, parts, store(arrived));
  assert.deepEqual(parts.state.asked, [["POST", "1", "p"]]);
});

test("each kind has a store, an address and a name of its own, and that of needs is the one that phones have", () => {
  for (const name of ["name", "store", "path"]) assert.equal(new Set(KINDS.map((kind) => kind[name])).size, KINDS.length);
  assert.equal(need.store, "mahalleh-needs");
});

test("a store that fails stops the sending, and is not taken for a refusal", async () => {
  const kept = { ...store(item("a", CAPACITY)), renew: async () => { throw new TypeError("full"); } };
  await assert.rejects(sendWaiting({ kind: capacity, ...server(), store: kept, tell: () => {}, take: () => {} }), TypeError);
});
