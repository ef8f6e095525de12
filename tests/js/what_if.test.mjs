import assert from "node:assert/strict";
import { test } from "node:test";
import { makePump } from "../../maps/static/maps/js/what-if/asking.js";
import { byClass, classOf, effectsOf, percent, placeNow, shownValue, totalPeople } from "../../maps/static/maps/js/what-if/effects.js";
import { added, apart_m, closed, isSame, length_m, moved, putBack, shifted, shownOf, withCapacity, withStreet, without } from "../../maps/static/maps/js/what-if/model.js";

const FACILITIES = [
  { number: 3, lon: 48.35, lat: 33.49, name: "A", capacity: 40 },
  { number: 7, lon: 48.36, lat: 33.48, name: "", capacity: null },
];
const states = (changes) => Object.fromEntries(shownOf(FACILITIES, changes, "clinic").map(({ key, state }) => [key, state]));

test("a facility that is moved again is moved once, from where it stands", () => {
  const once = moved([], "clinic", "#3", [48.37, 33.5]);
  const twice = moved(once, "clinic", "#3", [48.380000049, 33.5]);
  assert.deepEqual(twice, [{ type: "facility-moved", service: "clinic", number: 3, lon: 48.38, lat: 33.5 }]);
  const one = shownOf(FACILITIES, twice, "clinic")[0];
  assert.deepEqual([one.from, one.at, one.state], [[48.35, 33.49], [48.38, 33.5], "moved"]);
  assert.deepEqual(putBack(twice, "clinic", "#3", "facility-moved"), []);
  assert.equal(once[0].lon, 48.37, "lists are not altered");
});

test("what the server says of where a facility stood is sent back", () => {
  const kept = [{ type: "facility-moved", service: "clinic", number: 3, lon: 48.37, lat: 33.5, was: [48.35, 33.49] }];
  assert.deepEqual(moved(kept, "clinic", "#3", [48.4, 33.5])[0].was, [48.35, 33.49]);
  assert.ok(isSame(kept, moved([], "clinic", "#3", [48.37, 33.5])));
  assert.ok(!isSame(kept, []));
});

test("to close a facility takes back its move and its capacity, and never says two things of one", () => {
  const changes = closed(withCapacity(moved([], "clinic", "#3", [48.4, 33.5]), "clinic", "#3", 60), "clinic", "#3");
  assert.deepEqual(changes, [{ type: "facility-closed", service: "clinic", number: 3 }]);
  assert.deepEqual(states(changes), { "#3": "closed", "#7": "stays" });
  assert.deepEqual(states(putBack(changes, "clinic", "#3", "facility-closed")), { "#3": "stays", "#7": "stays" });
});

test("new facilities have names of their own, are moved in place, and removed when closed", () => {
  const one = added([], "clinic", [48.3, 33.4]);
  const two = added(one.changes, "park", [48.31, 33.4]);
  const three = added(without(two.changes, 0), "clinic", [48.32, 33.4]);
  assert.deepEqual([one.key, two.key, three.key], ["+n1", "+n2", "+n1"]);
  const there = withCapacity(moved(three.changes, "clinic", "+n1", [48.5, 33.4]), "clinic", "+n1", 25);
  assert.deepEqual(there[1], { type: "facility-added", service: "clinic", id: "n1", lon: 48.5, lat: 33.4, capacity: 25 });
  assert.deepEqual(states(there), { "#3": "stays", "#7": "stays", "+n1": "added" });
  assert.equal(withCapacity(there, "clinic", "+n1", null)[1].capacity, undefined);
  assert.deepEqual(closed(there, "clinic", "+n1").map(({ service }) => service), ["park"]);
});

test("metres are metres on the ground, in each direction", () => {
  const at = [48.35, 33.49];
  for (const [east, north] of [[100, 0], [0, -10], [-70, 70]]) {
    assert.ok(Math.abs(apart_m(at, shifted(at, east, north)) - Math.hypot(east, north)) < 0.02);
  }
  assert.ok(Math.abs(length_m([at, shifted(at, 30, 0), shifted(shifted(at, 30, 0), 0, 40)]) - 70) < 0.02);
  const street = withStreet([], "bridge", Array.from({ length: 600 }, (_, i) => [48 + i / 1e4, 33]));
  assert.equal(street[0].coordinates.length, 500, "as many positions as the server takes");
});

const BASE = {
  travel: "straight",
  is_time: false,
  services: [{ code: "clinic", name: "Clinic", threshold_m: 800 }],
  places: {
    a: { name: "A", kind: "neighbourhood", people: 100, score: 40, rank: 2, services: { clinic: [0.5, 50] } },
    b: { name: "B", kind: "neighbourhood", people: 200, score: 60, rank: 1, services: { clinic: [0.25, 50] } },
    s: { name: "S", kind: "settlement", people: 80, score: 10, rank: 3, services: { clinic: [null, 0] } },
  },
  totals: { clinic: { uncovered_people: 100, uncovered_share: 1 / 3 } },
};
const ANSWER = { since: "x", places: { a: { score: 20, rank: 3, services: { clinic: [0.2, 20, 40, 10] } }, s: { score: 11, rank: 2, services: {} } }, totals: {}, warnings: [], server_ms: 1 };

test("places that an answer leaves out are as they were", () => {
  assert.deepEqual(placeNow(BASE, ANSWER, "b", "clinic"), { before: 0.25, share: 0.25, gained: 0, lost: 0, score: 60, rankBefore: 1, rank: 1 });
  const a = placeNow(BASE, ANSWER, "a", "clinic");
  assert.deepEqual([a.share, a.gained, a.lost, a.rankBefore, a.rank], [0.2, 40, 10, 2, 3]);
  assert.ok(Math.abs(shownValue(a, "change") - 30) < 1e-9);
  assert.equal(shownValue(placeNow(BASE, ANSWER, "s", "clinic"), "change"), null);
  assert.deepEqual(effectsOf(BASE, ANSWER, "clinic"), [{ code: "a", name: "A", isSettlement: false, gained: 40, lost: 10, rankBefore: 2, rank: 3, scoreBefore: 40, score: 20 }]);
});

test("where nobody gains or loses, or the priority is shown, places are told by how their rank moves", () => {
  const byRank = effectsOf(BASE, ANSWER, "clinic", { byRank: true });
  assert.deepEqual(byRank.map(({ code, rankBefore, rank }) => [code, rankBefore, rank]), [["a", 2, 3], ["s", 3, 2]]);
  const weighted = { ...ANSWER, places: { b: { score: 61, rank: 1, services: {} }, s: { score: 70, rank: 2, services: {} }, a: { score: 40, rank: 3, services: {} } } };
  assert.deepEqual(effectsOf(BASE, weighted, "clinic").map(({ code, scoreBefore, score }) => [code, scoreBefore, score]), [["a", 40, 40], ["s", 10, 70]]);
  assert.equal(totalPeople(BASE), 300, "people of settlements within neighbourhoods are counted once");
});

test("classes hold their lower bound, and settlements are not counted twice", () => {
  assert.deepEqual([null, -1, 0.2, 0.39, 1].map((value) => classOf(value, [0.2, 0.4, 0.6, 0.8])), [-1, 0, 1, 1, 4]);
  const found = byClass(BASE, new Map([["a", 1], ["b", 1], ["s", -1]]));
  assert.deepEqual([found.get(1), found.get(-1)], [{ people: 300, places: 2 }, { people: 0, places: 1 }]);
});

test("shares are written as the pages write them", () => {
  assert.deepEqual([0.62, 0.997, 0.9999, 1, 0, null].map((share) => percent(share, "en")), ["62%", "99.7%", "99.9%", "100%", "0%", "–"]);
  assert.equal(percent(0.62, "fa"), "۶۲٪");
});

test("while a drag goes on one question is under way and the newest is next", async () => {
  const [asked, taken, failed, aborted] = [[], [], [], []];
  const answers = new Map();
  const pump = makePump({
    ask: (question, signal) =>
      new Promise((resolve, reject) => {
        asked.push(question);
        answers.set(question, { resolve, reject });
        signal.addEventListener("abort", () => {
          aborted.push(question);
          reject(new DOMException("aborted", "AbortError"));
        });
      }),
    take: (answer, question) => taken.push([question, answer]),
    fail: (error, question) => failed.push([question, error.message]),
    tell: () => {},
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  for (const question of [1, 2, 3, 4]) pump.push(question);
  assert.deepEqual(asked, [1]);
  answers.get(1).resolve("one");
  await settle();
  assert.deepEqual([asked, taken], [[1, 4], [[1, "one"]]]);
  pump.push(5, { isOther: true });
  await settle();
  assert.deepEqual([asked, aborted], [[1, 4, 5], [4]]);
  answers.get(5).reject(new Error("no"));
  await settle();
  assert.deepEqual([taken, failed, pump.isUnderWay()], [[[1, "one"]], [[5, "no"]], false]);
});
