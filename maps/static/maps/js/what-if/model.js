// @ts-check
/**
 * Changes of a scenario as a list that is never altered: each function returns a new one. Pure.
 *
 * @typedef {[number, number]} At longitude and latitude
 * @typedef {"street" | "path" | "stairs" | "bridge"} StreetKind
 *
 * @typedef {{type: "facility-added", service: string, id: string, lon: number, lat: number, capacity?: number | null}} Added
 * @typedef {{type: "facility-moved", service: string, number: number, lon: number, lat: number, was?: At | null}} Moved
 * @typedef {{type: "facility-closed", service: string, number: number, was?: At | null}} Closed
 * @typedef {{type: "capacity-changed", service: string, number: number, capacity: number, was?: At | null}} CapacityChanged
 * @typedef {{type: "street-drawn", kind: StreetKind, coordinates: At[]}} StreetDrawn
 * @typedef {Added | Moved | Closed | CapacityChanged | StreetDrawn} Change
 *
 * @typedef {{number: number, lon: number, lat: number, name: string, capacity: number | null}} Facility as it is
 *
 * @typedef {object} Shown a facility as it would be
 * @property {string} key "#7" for the facility with the number 7, "+n1" for a new one
 * @property {string} name empty where it has none
 * @property {number} order its place in the list, from 1
 * @property {At} at
 * @property {At | null} from where it stood, where it was moved
 * @property {number | null} capacity
 * @property {"stays" | "moved" | "added" | "closed"} state
 */

/** Changes of one scenario, as the server takes them. */
export const MOST_CHANGES = 200;
/** Positions of one street. */
export const MOST_POSITIONS = 500;

const RADIUS_M = 6_371_008.8;
const RADIANS = Math.PI / 180;

/** @param {At} at @returns {At} to about a centimetre, as positions travel */
export const rounded = ([lon, lat]) => [Math.round(lon * 1e7) / 1e7, Math.round(lat * 1e7) / 1e7];

/**
 * Return how far two positions are from each other on the ground, in metres.
 * @param {At} a
 * @param {At} b
 */
export function apart_m([lon1, lat1], [lon2, lat2]) {
  const [x, y] = [Math.sin(((lon2 - lon1) * RADIANS) / 2), Math.sin(((lat2 - lat1) * RADIANS) / 2)];
  return 2 * RADIUS_M * Math.asin(Math.sqrt(y * y + Math.cos(lat1 * RADIANS) * Math.cos(lat2 * RADIANS) * x * x));
}

/** @param {readonly At[]} line */
export const length_m = (line) => line.slice(1).reduce((sum, at, i) => sum + apart_m(line[i], at), 0);

/**
 * Return a position some metres to the east and to the north.
 * @param {At} at
 * @param {number} east_m
 * @param {number} north_m
 * @returns {At}
 */
export function shifted([lon, lat], east_m, north_m) {
  return rounded([lon + east_m / (RADIUS_M * RADIANS * Math.cos(lat * RADIANS)), lat + north_m / (RADIUS_M * RADIANS)]);
}

/** @param {number} number */
export const keyOf = (number) => `#${number}`;

/**
 * Tell whether a change is about a facility of a service.
 * @param {Change} change
 * @param {string} service
 * @param {string} key
 */
function isOf(change, service, key) {
  if (change.type === "street-drawn" || change.service !== service) return false;
  return change.type === "facility-added" ? key === `+${change.id}` : key === keyOf(change.number);
}

/**
 * Return the facilities of a service as they would be; those that are closed are told too.
 * @param {readonly Facility[]} facilities
 * @param {readonly Change[]} changes
 * @param {string} service
 * @returns {Shown[]}
 */
export function shownOf(facilities, changes, service) {
  /** @type {Map<string, Shown>} */
  const found = new Map(
    facilities.map(({ number, lon, lat, name, capacity }, i) => [keyOf(number), { key: keyOf(number), name, order: i + 1, at: [lon, lat], from: null, capacity, state: "stays" }]),
  );
  let news = 0;
  for (const change of changes) {
    if (change.type === "street-drawn" || change.service !== service) continue;
    if (change.type === "facility-added") {
      found.set(`+${change.id}`, { key: `+${change.id}`, name: "", order: ++news, at: [change.lon, change.lat], from: null, capacity: change.capacity ?? null, state: "added" });
      continue;
    }
    const one = found.get(keyOf(change.number));
    if (!one) continue;
    if (change.type === "facility-moved") found.set(one.key, { ...one, from: one.at, at: [change.lon, change.lat], state: "moved" });
    else if (change.type === "facility-closed") found.set(one.key, { ...one, state: "closed" });
    else found.set(one.key, { ...one, capacity: change.capacity });
  }
  return [...found.values()];
}

/**
 * Move a facility.
 * @param {readonly Change[]} changes
 * @param {string} service
 * @param {string} key
 * @param {At} at
 * @returns {Change[]}
 */
export function moved(changes, service, key, at) {
  const [lon, lat] = rounded(at);
  const index = changes.findIndex((change) => isOf(change, service, key) && (change.type === "facility-moved" || change.type === "facility-added"));
  if (index >= 0) return changes.map((change, i) => (i === index ? /** @type {Change} */ ({ ...change, lon, lat }) : change));
  return [...changes, { type: "facility-moved", service, number: Number(key.slice(1)), lon, lat }];
}

/**
 * Close a facility: that it would be moved is forgotten, as nobody goes there.
 * @param {readonly Change[]} changes
 * @param {string} service
 * @param {string} key
 * @returns {Change[]}
 */
export function closed(changes, service, key) {
  const kept = changes.filter((change) => !isOf(change, service, key));
  return key.startsWith("+") ? kept : [...kept, { type: "facility-closed", service, number: Number(key.slice(1)) }];
}

/**
 * Take back that a facility is closed, or moved.
 * @param {readonly Change[]} changes
 * @param {string} service
 * @param {string} key
 * @param {"facility-closed" | "facility-moved"} type
 * @returns {Change[]}
 */
export const putBack = (changes, service, key, type) => changes.filter((change) => !(change.type === type && isOf(change, service, key)));

/**
 * Add a facility, under a name that no other has.
 * @param {readonly Change[]} changes
 * @param {string} service
 * @param {At} at
 * @returns {{changes: Change[], key: string}}
 */
export function added(changes, service, at) {
  const taken = new Set(changes.map((change) => (change.type === "facility-added" ? change.id : "")));
  let n = 1;
  while (taken.has(`n${n}`)) n += 1;
  const [lon, lat] = rounded(at);
  return { changes: [...changes, { type: "facility-added", service, id: `n${n}`, lon, lat }], key: `+n${n}` };
}

/**
 * Say another capacity; null takes back what was said.
 * @param {readonly Change[]} changes
 * @param {string} service
 * @param {string} key
 * @param {number | null} capacity
 * @returns {Change[]}
 */
export function withCapacity(changes, service, key, capacity) {
  if (key.startsWith("+")) {
    return changes.map((change) => {
      if (change.type !== "facility-added" || !isOf(change, service, key)) return change;
      const { capacity: _before, ...rest } = change;
      return capacity === null ? rest : { ...rest, capacity };
    });
  }
  const kept = changes.filter((change) => !(change.type === "capacity-changed" && isOf(change, service, key)));
  return capacity === null ? kept : [...kept, { type: "capacity-changed", service, number: Number(key.slice(1)), capacity }];
}

/**
 * @param {readonly Change[]} changes
 * @param {StreetKind} kind
 * @param {readonly At[]} line
 * @returns {Change[]}
 */
export const withStreet = (changes, kind, line) => [...changes, { type: "street-drawn", kind, coordinates: line.slice(0, MOST_POSITIONS).map(rounded) }];

/**
 * @param {readonly Change[]} changes
 * @param {number} index
 * @returns {Change[]}
 */
export const without = (changes, index) => changes.filter((_, i) => i !== index);

/**
 * Tell whether two lists say the same; where a facility stood is the server's to say.
 * @param {readonly Change[]} a
 * @param {readonly Change[]} b
 */
export function isSame(a, b) {
  /** @param {readonly Change[]} changes */
  const text = (changes) => JSON.stringify(changes.map((change) => Object.entries(change).filter(([name, value]) => name !== "was" && value !== null && value !== undefined).sort(([x], [y]) => (x < y ? -1 : 1))));
  return text(a) === text(b);
}
