// @ts-check
/**
 * A city's neighbourhoods as one planar partition: lines ("arcs") shared by the at most two places on their sides, and places as rings of arcs.
 * Moving an arc moves it for both places, so no edit can open a gap or make an overlap. Every edit returns a new value that shares
 * what did not change with the old one; an edit that cannot be made throws an EditError that says what and where.
 * The browser's twin of geo/core/partition/; both are tested with tests/cases/partition.json.
 *
 * @typedef {import("./partition/types.js").Face} Face
 * @typedef {import("./partition/types.js").Partition} Partition
 * @typedef {import("./partition/types.js").PartitionJson} PartitionJson
 * @typedef {import("./partition/types.js").Side} Side
 */

export { EditError, MESSAGES } from "./geometry.js";
export {
  arcsOf,
  faceAt,
  facesAt,
  facesOf,
  fromJson,
  isNode,
  neighboursOf,
  polygonOf,
  polygonsOf,
  sidesOf,
  toJson,
} from "./partition/asking.js";
export { alone, shaped, united } from "./partition/free.js";
export { placeOf } from "./partition/lines.js";
export { add, cutOut, fillGap, gapsOf, merge, originsOf, release, split } from "./partition/places.js";
export { conflictsOf } from "./partition/validity.js";
export { arcReplace, vertexAdd, vertexMove, vertexRemove } from "./partition/vertices.js";
