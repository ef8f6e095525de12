// @ts-check
/**
 * Plane geometry of lines and rings in longitude and latitude: what the editing model stands on. Pure; nothing given is changed.
 * Within a city a straight line in degrees and a geodesic are the same to a millimetre, so crossing and containment are asked in degrees.
 *
 * @import { MultiPolygon } from "geojson"
 *
 * @typedef {readonly [number, number]} Position  longitude, latitude
 * @typedef {readonly Position[]} Line  a ring's first position is repeated as its last
 * @typedef {readonly [number, number, number, number]} Box  west, south, east, north
 */

/** New vertices are rounded to this many steps a degree: about a centimetre. */
const STEPS = 1e7;

/** What is nearer than this to an edge lies on it: a little more than rounding can move a vertex off it. */
export const NEAR_DEG = 1.5e-7;

/**
 * What the errors say, in English; the page translates by the code. `%(name)s` stands for a parameter.
 * Where the server knows the same error (geo/core/partition), it has the same code.
 * @type {Readonly<Record<string, string>>}
 */
export const MESSAGES = Object.freeze({
  bad_partition: "The boundaries could not be read: %(reason)s.",
  out_of_range: "A position needs a longitude from −180 to 180 and a latitude from −90 to 90.",
  unknown_place: "There is no place “%(code)s” here.",
  unknown_arc: "There is no such line here.",
  unknown_vertex: "There is no such vertex here.",
  code_taken: "The code “%(code)s” is already in use.",
  same_place: "A place cannot be merged with itself.",
  repeated_vertex: "There is a vertex here already.",
  node: "Boundaries meet in this vertex, so it cannot be removed. Move it, or merge the places that meet here.",
  degenerate_ring: "A boundary needs at least three corners.",
  open_ring: "The line is closed and must end where it begins.",
  crossing: "The boundary would cross or touch itself here.",
  overlap: "“%(code)s” would lie over another place here.",
  invalid: "The drawn shape crosses or touches itself here.",
  no_split: "The line does not divide “%(code)s”. Draw it from boundary to boundary, or as a ring, without crossing itself.",
  not_neighbours: "“%(code)s” has no common boundary with “%(other)s”.",
  nothing_covered: "The drawn shape covers nothing that could be taken here.",
  nothing_left: "The drawn shape covers all of “%(code)s”.",
  overlaps_already: "Places overlap here already. Repair the overlap first.",
  not_in_shape: "The hole must lie inside one part of the shape.",
});

/** An edit that cannot be made: a stable code, where on the map, and what the message speaks of. */
export class EditError extends Error {
  /**
   * @param {string} code a key of MESSAGES
   * @param {Position | null} [where] the place to show, if there is one
   * @param {Readonly<Record<string, string | number>>} [params] for the placeholders of the message
   */
  constructor(code, where = null, params = {}) {
    super((MESSAGES[code] ?? code).replace(/%\((\w+)\)s/g, (_, name) => String(params[name] ?? "")));
    this.name = "EditError";
    this.code = code;
    this.where = where;
    this.params = params;
  }
}

/**
 * Round a position as every new vertex is rounded; refuse what is no longitude and latitude.
 * @param {readonly number[]} position
 * @returns {Position}
 */
export function rounded(position) {
  const [x, y] = position;
  if (!(Math.abs(x) <= 180 && Math.abs(y) <= 90)) throw new EditError("out_of_range");
  return [toStep(x), toStep(y)];
}

/** Round as the server does: what is just between two steps goes to the even one. @param {number} degrees */
function toStep(degrees) {
  const exact = degrees * STEPS;
  const near = Math.round(exact);
  return (near - exact === 0.5 && near % 2 !== 0 ? near - 1 : near) / STEPS;
}

/** @param {Position} a @param {Position} b */
export function isSame(a, b) {
  return a === b || (a[0] === b[0] && a[1] === b[1]);
}

/** @param {Line} line */
export function isClosed(line) {
  return line.length > 2 && isSame(line[0], line[line.length - 1]);
}

/**
 * On which side of a → b lies c? Positive to the left, negative to the right, 0 on the line as far as doubles can tell.
 * @param {Position} a
 * @param {Position} b
 * @param {Position} c
 */
export function side(a, b, c) {
  const one = (b[0] - a[0]) * (c[1] - a[1]);
  const other = (b[1] - a[1]) * (c[0] - a[0]);
  const turn = one - other;
  return Math.abs(turn) <= 4e-16 * (Math.abs(one) + Math.abs(other)) ? 0 : turn;
}

/**
 * Twice the signed area of a closed ring in square degrees: positive if it turns counter-clockwise.
 * @param {Line} ring
 */
export function turning(ring) {
  const [x0, y0] = ring[0];
  let sum = 0;
  for (let i = 1; i + 1 < ring.length; i++) {
    sum += (ring[i][0] - x0) * (ring[i + 1][1] - y0) - (ring[i + 1][0] - x0) * (ring[i][1] - y0);
  }
  return sum;
}

/**
 * Is the position inside the ring? On its edge, either answer. A ring may touch itself.
 * @param {Position} position
 * @param {Line} ring
 */
export function isInRing([x, y], ring) {
  let inside = false;
  for (let i = 1, [ax, ay] = ring[0]; i < ring.length; i++) {
    const [bx, by] = ring[i];
    if (ay > y !== by > y && x < ax + ((bx - ax) * (y - ay)) / (by - ay)) inside = !inside;
    ax = bx;
    ay = by;
  }
  return inside;
}

/**
 * Is the position inside a polygon, or inside any of a shape's polygons?
 * @param {Position} position
 * @param {readonly (readonly Line[])[]} shape
 */
export function isInShape(position, shape) {
  return shape.some((rings) => rings.reduce((inside, ring) => inside !== isInRing(position, ring), false));
}

/**
 * Return a position well inside the polygon of the given rings: the middle of the widest stretch of a level line.
 * @param {readonly Line[]} rings
 * @returns {Position}
 */
export function positionInside(rings) {
  const levels = [...new Set(rings.flatMap((ring) => ring.map(([, y]) => y)))].sort((a, b) => a - b);
  /** @type {Position} */
  let best = rings[0][0];
  let widest = -1;
  const step = Math.max(1, Math.floor(levels.length / 12)); // a dozen level lines are enough to find a wide place
  for (let k = 0; k + 1 < levels.length; k += step) {
    const y = (levels[k] + levels[k + 1]) / 2;
    /** @type {number[]} */
    const cuts = [];
    for (const ring of rings) {
      for (let i = 1; i < ring.length; i++) {
        const [ax, ay] = ring[i - 1];
        const [bx, by] = ring[i];
        if (ay > y !== by > y) cuts.push(ax + ((bx - ax) * (y - ay)) / (by - ay));
      }
    }
    cuts.sort((a, b) => a - b);
    for (let i = 1; i < cuts.length; i += 2) {
      const width = Math.min(cuts[i] - cuts[i - 1], (levels[k + 1] - levels[k]) * 4);
      if (width > widest) {
        widest = width;
        best = [(cuts[i] + cuts[i - 1]) / 2, y];
      }
    }
  }
  return best;
}

/** @param {Position} a @param {Position} b @param {Position} p on the line through both */
function isBetween(a, b, p) {
  return Math.min(a[0], b[0]) <= p[0] && p[0] <= Math.max(a[0], b[0]) && Math.min(a[1], b[1]) <= p[1] && p[1] <= Math.max(a[1], b[1]);
}

/**
 * @typedef {object} Meeting
 * @property {"crosses" | "touches" | "folds" | "coincides"} kind
 * @property {Position} at
 */

/**
 * Where do the segments a–b and c–d meet, other than in an end they share? Null if nowhere.
 * Segments with a common end that lie on one another fold, those with both ends in common coincide.
 * @param {Position} a
 * @param {Position} b
 * @param {Position} c
 * @param {Position} d
 * @returns {Meeting | null}
 */
export function meeting(a, b, c, d) {
  const common = isSame(a, c) || isSame(a, d) ? a : isSame(b, c) || isSame(b, d) ? b : null;
  if (common) {
    const p = common === a ? b : a;
    const q = isSame(common, c) ? d : c;
    if (isSame(p, q)) return { kind: "coincides", at: common };
    const isFold = side(common, p, q) === 0 && (p[0] - common[0]) * (q[0] - common[0]) + (p[1] - common[1]) * (q[1] - common[1]) > 0;
    return isFold ? { kind: "folds", at: common } : null;
  }
  const c_side = side(a, b, c);
  const d_side = side(a, b, d);
  if ((c_side > 0 && d_side > 0) || (c_side < 0 && d_side < 0)) return null;
  const a_side = side(c, d, a);
  const b_side = side(c, d, b);
  if ((a_side > 0 && b_side > 0) || (a_side < 0 && b_side < 0)) return null;
  if (c_side && d_side && a_side && b_side) {
    const share = c_side / (c_side - d_side);
    return { kind: "crosses", at: [c[0] + (d[0] - c[0]) * share, c[1] + (d[1] - c[1]) * share] };
  }
  if (c_side === 0 && isBetween(a, b, c)) return { kind: "touches", at: c };
  if (d_side === 0 && isBetween(a, b, d)) return { kind: "touches", at: d };
  if (a_side === 0 && isBetween(c, d, a)) return { kind: "touches", at: a };
  if (b_side === 0 && isBetween(c, d, b)) return { kind: "touches", at: b };
  return null;
}

/**
 * Return the position of a segment that is nearest to p, in degrees stretched by the cosine of the latitude, as a share of the way from a to b.
 * @param {Position} p
 * @param {Position} a
 * @param {Position} b
 * @param {number} stretch length of a degree of longitude, in degrees of latitude
 */
export function shareAlong(p, a, b, stretch) {
  const x = (b[0] - a[0]) * stretch;
  const y = b[1] - a[1];
  const length2 = x * x + y * y;
  if (length2 === 0) return 0;
  return Math.min(1, Math.max(0, ((p[0] - a[0]) * stretch * x + (p[1] - a[1]) * y) / length2));
}

// ---- Boxes: found once for each line, and again only for lines that change, because edits share the rest. ----

const RUN = 16; // segments under one box

/** @type {WeakMap<Line, Float64Array>} */
const boxesOfLine = new WeakMap();
/** @type {WeakMap<readonly Line[], Float64Array>} */
const boxesOfLines = new WeakMap();

/**
 * Four numbers for the whole line, then four for each run of segments.
 * @param {Line} line
 */
function boxes(line) {
  const known = boxesOfLine.get(line);
  if (known) return known;
  const runs = Math.max(0, Math.ceil((line.length - 1) / RUN));
  const found = new Float64Array(4 * (runs + 1));
  found.set([Infinity, Infinity, -Infinity, -Infinity]);
  for (let run = 0; run < runs; run++) {
    let west = Infinity;
    let south = Infinity;
    let east = -Infinity;
    let north = -Infinity;
    const last = Math.min(line.length - 1, (run + 1) * RUN);
    for (let i = run * RUN; i <= last; i++) {
      const x = line[i][0];
      const y = line[i][1];
      if (x < west) west = x;
      if (x > east) east = x;
      if (y < south) south = y;
      if (y > north) north = y;
    }
    const at = 4 * (run + 1);
    found[at] = west;
    found[at + 1] = south;
    found[at + 2] = east;
    found[at + 3] = north;
    if (west < found[0]) found[0] = west;
    if (south < found[1]) found[1] = south;
    if (east > found[2]) found[2] = east;
    if (north > found[3]) found[3] = north;
  }
  boxesOfLine.set(line, found);
  return found;
}

/** @param {Line} line @returns {Box} */
export function boxOf(line) {
  const [west, south, east, north] = boxes(line);
  return [west, south, east, north];
}

/**
 * Return the box around two others.
 * @param {Box} a
 * @param {Box} b
 * @returns {Box}
 */
export function boxAround(a, b) {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
}

/**
 * Return the indices of the lines whose box meets the given one.
 * @param {readonly Line[]} lines
 * @param {Box} box
 */
export function linesNear(lines, [west, south, east, north]) {
  let all = boxesOfLines.get(lines);
  if (!all) {
    all = new Float64Array(4 * lines.length);
    for (let i = 0; i < lines.length; i++) {
      const own = boxes(lines[i]);
      for (let k = 0; k < 4; k++) all[4 * i + k] = own[k];
    }
    boxesOfLines.set(lines, all);
  }
  const found = [];
  for (let i = 0, at = 0; i < lines.length; i++, at += 4) {
    if (all[at] <= east && all[at + 2] >= west && all[at + 1] <= north && all[at + 3] >= south) found.push(i);
  }
  return found;
}

/**
 * Return the indices of the line's segments (i: from vertex i to i + 1) whose run has a box that meets the given one.
 * @param {Line} line
 * @param {Box} box
 */
export function segmentsNear(line, [west, south, east, north]) {
  const all = boxes(line);
  const found = [];
  for (let run = 0, at = 4; at < all.length; run++, at += 4) {
    if (all[at] > east || all[at + 2] < west || all[at + 1] > north || all[at + 3] < south) continue;
    const last = Math.min(line.length - 1, (run + 1) * RUN);
    for (let i = run * RUN; i < last; i++) {
      const a = line[i];
      const b = line[i + 1];
      if (Math.min(a[0], b[0]) <= east && Math.max(a[0], b[0]) >= west && Math.min(a[1], b[1]) <= north && Math.max(a[1], b[1]) >= south) found.push(i);
    }
  }
  return found;
}

/**
 * Where does a line cross, touch or fold onto itself? Null if nowhere.
 * @param {Line} line
 * @returns {Meeting | null}
 */
export function selfMeeting(line) {
  const closed = isClosed(line);
  for (let i = 0; i + 1 < line.length; i++) {
    const a = line[i];
    const b = line[i + 1];
    if (isSame(a, b)) return { kind: "folds", at: a };
    const box = segmentBox(a, b);
    for (const k of segmentsNear(line, box)) {
      if (k <= i) continue;
      const found = meeting(a, b, line[k], line[k + 1]);
      if (found) return found;
      const isNext = k === i + 1 || (closed && i === 0 && k === line.length - 2);
      if (!isNext && [line[k], line[k + 1]].some((end) => isSame(end, a) || isSame(end, b))) {
        return { kind: "touches", at: isSame(line[k], a) || isSame(line[k + 1], a) ? a : b };
      }
    }
  }
  return null;
}

/** @param {Position} a @param {Position} b @returns {Box} */
export function segmentBox(a, b) {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
}

// ---- Free polygons, such as settlements: the coordinates of a GeoJSON multipolygon. Rings stay closed, and what does not change is shared. ----

/**
 * @typedef {readonly (readonly Line[])[]} Shape  polygons of rings, the outer first
 * @typedef {{polygon: number, ring: number, vertex: number}} Place  a vertex by its place in the shape
 */

/**
 * Return the shape of a polygon or multipolygon; its vertices keep all their decimals.
 * @param {{type: string, coordinates: any}} geometry
 * @returns {Shape}
 */
export function shapeOf({ type, coordinates }) {
  const shape = type === "Polygon" ? [coordinates] : type === "MultiPolygon" ? coordinates : null;
  if (!shape?.length) throw new EditError("invalid");
  for (const ring of shape.flat()) {
    for (const [x, y] of ring) if (!(Math.abs(x) <= 180 && Math.abs(y) <= 90)) throw new EditError("out_of_range");
    if (ring.length < 4 || !isClosed(ring)) throw new EditError("degenerate_ring", ring[0] ?? null);
  }
  return shape;
}

/**
 * Return a shape as GeoJSON.
 * @param {Shape} shape
 * @returns {MultiPolygon}
 */
export function geometryOf(shape) {
  return /** @type {any} */ ({ type: "MultiPolygon", coordinates: shape });
}

/**
 * Move a vertex of a shape.
 * @param {Shape} shape
 * @param {Place} place
 * @param {readonly number[]} position
 * @param {{isChecked?: boolean}} [options]
 */
export function shapeVertexMove(shape, place, position, options) {
  const ring = ringAt(shape, place);
  const at = rounded(position);
  const { vertex } = place;
  const isEnd = vertex === 0 || vertex === ring.length - 1;
  const next = ring.map((old, i) => (i === vertex || (isEnd && (i === 0 || i === ring.length - 1)) ? at : old));
  return withRing(shape, place, next, options);
}

/**
 * Add a vertex to a ring of a shape: it becomes the vertex of the given number, between the present one before it and that.
 * @param {Shape} shape
 * @param {Place} place
 * @param {readonly number[]} position
 * @param {{isChecked?: boolean}} [options]
 */
export function shapeVertexAdd(shape, place, position, options) {
  const ring = ringAt(shape, place);
  if (place.vertex < 1) throw new EditError("unknown_vertex", ring[0]);
  return withRing(shape, place, [...ring.slice(0, place.vertex), rounded(position), ...ring.slice(place.vertex)], options);
}

/**
 * Remove a vertex of a shape. The last three of a hole, or of a part that is not the only one, go together.
 * @param {Shape} shape
 * @param {Place} place
 * @param {{isChecked?: boolean}} [options]
 */
export function shapeVertexRemove(shape, place, options) {
  const ring = ringAt(shape, place);
  if (ring.length <= 4) return place.ring > 0 ? shapeHoleRemove(shape, place) : shapePartRemove(shape, place);
  const open = ring.slice(0, -1).filter((_, i) => i !== place.vertex % (ring.length - 1));
  return withRing(shape, place, [...open, open[0]], options);
}

/**
 * Add a part to a shape.
 * @param {Shape | null} shape null for none yet
 * @param {readonly (readonly number[])[]} drawn at least three vertices, closed or not
 * @returns {Shape}
 */
export function shapePartAdd(shape, drawn) {
  const ring = ringOf(drawn);
  const parts = shape ?? [];
  for (const rings of parts) {
    const crossed = crossingOf(ring, rings);
    if (crossed || isInShape(ring[0], [rings]) || isInRing(rings[0][0], ring)) throw new EditError("invalid", crossed?.at ?? ring[0]);
  }
  return [...parts, [ring]];
}

/**
 * Remove a part of a shape; the last stays.
 * @param {Shape} shape
 * @param {{polygon: number}} place
 * @returns {Shape}
 */
export function shapePartRemove(shape, { polygon }) {
  if (!shape[polygon]) throw new EditError("unknown_vertex");
  if (shape.length === 1) throw new EditError("degenerate_ring", shape[0][0][0]);
  return shape.filter((_, i) => i !== polygon);
}

/**
 * Cut a hole into the part of a shape it lies in.
 * @param {Shape} shape
 * @param {readonly (readonly number[])[]} drawn
 * @returns {Shape}
 */
export function shapeHoleAdd(shape, drawn) {
  const ring = ringOf(drawn);
  const polygon = shape.findIndex((rings) => isInShape(ring[0], [rings]));
  if (polygon < 0) throw new EditError("not_in_shape", ring[0]);
  const met = crossingOf(ring, shape[polygon]);
  const swallowed = shape[polygon].slice(1).find((hole) => isInRing(hole[0], ring));
  if (met || swallowed) throw new EditError("not_in_shape", met?.at ?? ring[0]);
  return shape.map((rings, i) => (i === polygon ? [...rings, ring] : rings));
}

/**
 * Close a hole of a shape.
 * @param {Shape} shape
 * @param {{polygon: number, ring: number}} place
 * @returns {Shape}
 */
export function shapeHoleRemove(shape, { polygon, ring }) {
  if (ring < 1 || !shape[polygon]?.[ring]) throw new EditError("unknown_vertex");
  return shape.map((rings, i) => (i === polygon ? rings.filter((_, k) => k !== ring) : rings));
}

/**
 * Give a ring of a shape another course.
 * @param {Shape} shape
 * @param {{polygon: number, ring: number}} place
 * @param {readonly (readonly number[])[]} drawn
 * @param {{isChecked?: boolean}} [options]
 */
export function shapeRingReplace(shape, place, drawn, options) {
  ringAt(shape, { ...place, vertex: 0 });
  return withRing(shape, place, ringOf(drawn), options);
}

/**
 * Return a drawn ring closed and rounded; refuse one that crosses itself.
 * @param {readonly (readonly number[])[]} drawn
 * @returns {Line}
 */
export function ringOf(drawn) {
  const ring = drawn.map(rounded).filter((at, i, all) => i === 0 || !isSame(at, all[i - 1]));
  if (ring.length && !isSame(ring[0], ring[ring.length - 1])) ring.push(ring[0]);
  if (ring.length < 4) throw new EditError("degenerate_ring", ring[0] ?? null);
  const met = selfMeeting(ring);
  if (met) throw new EditError("invalid", met.at);
  return ring;
}

/** @param {Shape} shape @param {Place} place @returns {Line} */
function ringAt(shape, { polygon, ring, vertex }) {
  const line = shape[polygon]?.[ring];
  if (!line?.[vertex]) throw new EditError("unknown_vertex");
  return line;
}

/**
 * Return the shape with another ring, if that meets neither itself nor the other rings more than the one before it did.
 * @param {Shape} shape
 * @param {{polygon: number, ring: number}} place
 * @param {Line} line
 * @param {{isChecked?: boolean}} [options]
 * @returns {Shape}
 */
function withRing(shape, { polygon, ring }, line, { isChecked = true } = {}) {
  const next = shape.map((rings, i) => (i === polygon ? rings.map((old, k) => (k === ring ? line : old)) : rings));
  if (!isChecked) return next;
  const repeated = line.findIndex((at, i) => i > 0 && isSame(at, line[i - 1]));
  if (repeated > 0) throw new EditError("repeated_vertex", line[repeated]);
  const old = shape[polygon][ring];
  const met = selfMeeting(line);
  if (met && !selfMeeting(old)) throw new EditError("crossing", met.at);
  const others = shape.flat().filter((one) => one !== old);
  const crossed = crossingOf(line, others);
  if (crossed && !crossingOf(old, others)) throw new EditError("crossing", crossed.at);
  const isLost = next[polygon].slice(1).some((hole) => !isInRing(positionInside([hole]), next[polygon][0]));
  if (isLost) throw new EditError("crossing", line[0]);
  return next;
}

/** Where does a ring cross or run along others? Rings may touch in a point. @param {Line} ring @param {readonly Line[]} others @returns {Meeting | null} */
function crossingOf(ring, others) {
  for (let i = 0; i + 1 < ring.length; i++) {
    const box = segmentBox(ring[i], ring[i + 1]);
    for (const other of others) {
      for (const k of segmentsNear(other, box)) {
        const met = meeting(ring[i], ring[i + 1], other[k], other[k + 1]);
        if (met && met.kind !== "touches") return met;
      }
    }
  }
  return null;
}
