import assert from "node:assert/strict";
import { test } from "node:test";
import { asStandard, parseState, toQuery, withNumber } from "../../maps/static/maps/js/state.js";

const DEFAULTS = { show: "priority", service: "clinic" };

test("an address without a question is the default state, and the default state needs no question", () => {
  const state = parseState("", DEFAULTS);
  assert.deepEqual(state, { show: "priority", service: "clinic", sort: "rank", thresholds: {}, weights: {}, methods: {} });
  assert.equal(toQuery(state, DEFAULTS), "");
});

test("a state survives the way through the address", () => {
  const search = "?show=coverage&service=park&sort=-name&threshold-bus-stop=350&threshold-park=500&weight-clinic=2.5&aggregation=geometric";
  assert.equal(toQuery(parseState(search, DEFAULTS), DEFAULTS), search);
});

test("the same state has one address, in whatever order it was put together", () => {
  const one = withNumber(withNumber(parseState("", DEFAULTS), "weights", "park", 2, 1), "weights", "clinic", 3, 1);
  const other = withNumber(withNumber(parseState("", DEFAULTS), "weights", "clinic", 3, 1), "weights", "park", 2, 1);
  assert.equal(toQuery(one, DEFAULTS), toQuery(other, DEFAULTS));
});

test("what cannot be read is left at its default", () => {
  const state = parseState("?show=<b>&threshold-clinic=far&weight-=2&threshold-park=&weight-Clinic=1&nonsense=1", DEFAULTS);
  assert.deepEqual(state, parseState("", DEFAULTS));
});

test("a number back at its standard leaves the address", () => {
  const state = parseState("?threshold-clinic=500&weight-clinic=2", DEFAULTS);
  const back = withNumber(withNumber(state, "thresholds", "clinic", 800, 800), "weights", "clinic", 1, 1);
  assert.equal(toQuery(back, DEFAULTS), "");
  assert.equal(state.thresholds.clinic, 500, "the earlier state stays as it was");
});

test("the city's own question keeps what is shown and drops what was changed", () => {
  const state = parseState("?show=uncovered&service=park&sort=people&threshold-park=900&weight-park=0&normalisation=min-max", DEFAULTS);
  assert.equal(toQuery(asStandard(state), DEFAULTS), "?show=uncovered&service=park&sort=people");
});

test("a weight of zero is a weight", () => {
  const state = withNumber(parseState("", DEFAULTS), "weights", "clinic", 0, 1);
  assert.equal(toQuery(state, DEFAULTS), "?weight-clinic=0");
  assert.deepEqual(parseState("?weight-clinic=0", DEFAULTS).weights, { clinic: 0 });
});
