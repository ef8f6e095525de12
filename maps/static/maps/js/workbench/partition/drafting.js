// @ts-check
/**
 * Edits of places at work: arcs are cut where a drawn line meets them, their sides are painted, and places are read from the sides.
 *
 * @import { MultiPolygon, Polygon } from "geojson"
 * @import { Line, Position } from "../geometry.js"
 * @import { Face, Partition, Side } from "./types.js"
 */

import {
  EditError,
  NEAR_DEG,
  boxAround,
  boxOf,
  isClosed,
  isInRing,
  isInShape,
  isSame,
  linesNear,
  meeting,
  positionInside,
  ringOf,
  rounded,
  segmentBox,
  segmentsNear,
  selfMeeting,
  shareAlong,
  turning,
} from "../geometry.js";
import { metresPerDegree } from "../measure.js";
import { faceAt, polygonOf } from "./asking.js";
import {
  GONE,
  along,
  around,
  grown,
  isNear,
  isOnEdge,
  isSameLine,
  keyOf,
  lineOfRing,
  middleOf,
  partsOf,
  withInserted,
  withoutRepeats,
} from "./lines.js";
import { islandsOf, nodesOf, topologies, topologyOf } from "./topology.js";
import { conflictsOf, errorOf } from "./validity.js";

/**
 * @typedef {object} Piece  of a drawn line, between the points where it meets arcs
 * @property {Line} line
 * @property {boolean} isFree  false where it runs along an arc
 * @property {boolean} isLoose  true if one end meets no arc
 */

/** A partition being changed: the only mutable thing here, and it never leaves this module. */
export class Draft {
  /** @param {Partition} partition */
  constructor(partition) {
    const { left, right } = topologyOf(partition);
    this.partition = partition;
    this.arcs = [...partition.arcs];
    this.left = [...left];
    this.right = [...right];
    /** @type {Set<number>} */
    this.changed = new Set();
    /** @type {Set<string>} */
    this.codes = new Set();
    /** @type {ReturnType<typeof nodesOf> | null} */
    this.nodes = null;
    this.reach_deg = (partition.tolerance_m / 111_320) * 6; // enough up to 80° of latitude
  }

  /** @param {number} arc */
  touch(arc) {
    this.nodes = null;
    this.changed.add(arc);
    for (const code of [this.left[arc], this.right[arc]]) if (code !== null) this.codes.add(code);
  }

  /** @param {Line} line @param {Side} left @param {Side} right */
  addArc(line, left, right) {
    const arc = this.arcs.push(line) - 1;
    this.left[arc] = left;
    this.right[arc] = right;
    this.touch(arc);
    return arc;
  }

  /** Cut an arc in two at one of its vertices. @param {number} arc @param {number} index */
  cut(arc, index) {
    const line = this.arcs[arc];
    if (index <= 0 || index >= line.length - 1) return;
    this.addArc(line.slice(index), this.left[arc], this.right[arc]);
    this.arcs[arc] = line.slice(0, index + 1);
    this.touch(arc);
  }

  /** Make a node of a vertex that several arcs have. @param {Position} at */
  weld(at) {
    for (const arc of linesNear([...this.arcs], around(at, at, 0))) {
      for (let i = this.arcs[arc].length - 1; i >= 0; i--) {
        if (!isSame(this.arcs[arc][i], at)) continue;
        this.touch(arc);
        this.cut(arc, i);
      }
    }
  }

  /** Where two changed arcs have come to be the same line, leave one, with the places of both beside it. */
  #unite() {
    const { ends, start } = (this.nodes ??= nodesOf(this.arcs));
    for (const arc of this.changed) {
      for (const way of this.arcs[arc].length ? ends[start[arc]] : []) {
        const other = way < 0 ? ~way : way;
        if (other === arc || !isSameLine(this.line(way), this.arcs[arc])) continue;
        const [left, right] = way < 0 ? [this.right[other], this.left[other]] : [this.left[other], this.right[other]];
        if ((left !== null && this.left[arc] !== null) || (right !== null && this.right[arc] !== null)) {
          throw new EditError("overlap", this.arcs[arc][0], { code: left ?? right ?? "" });
        }
        this.touch(other);
        this.left[arc] ??= left;
        this.right[arc] ??= right;
        this.touch(arc);
        this.left[other] = this.right[other] = null;
        this.arcs[other] = GONE;
        this.nodes = null;
        this.#unite();
        return;
      }
    }
  }

  /** Give the left side of a half, that is of an arc seen in one direction, to a place. @param {number} half @param {Side} code */
  paintSide(half, code) {
    const arc = half < 0 ? ~half : half;
    this.touch(arc);
    if (half < 0) this.right[arc] = code;
    else this.left[arc] = code;
    this.touch(arc);
  }

  /**
   * Bring a line and the arcs beside some places together: both get a vertex wherever they meet, and arcs are cut there.
   * @param {Line} drawn
   * @param {ReadonlySet<Side>} codes
   * @returns {Piece[]}
   */
  node(drawn, codes) {
    const near = linesNear([...this.arcs], grown(boxOf(drawn), 2 * this.reach_deg));
    const arcs = near.filter((arc) => codes.has(this.left[arc]) || codes.has(this.right[arc]));
    const { contested } = topologyOf(this.partition);
    for (const arc of arcs) if (contested.has(arc)) throw new EditError("overlaps_already", this.arcs[arc][0]);

    let line = withoutRepeats(this.#snapped(drawn, arcs).map((at) => this.#pulled(at, arcs)));
    line = withoutRepeats(withInserted(line, (a, b) => this.#verticesAlong(a, b, arcs, null)));
    line = withoutRepeats(this.#withCrossings(line, arcs));

    const keys = new Set(line.map(keyOf));
    /** @type {Set<string>} */
    const nodes = new Set();
    /** @type {Set<string>} */
    const edges = new Set();
    for (const arc of arcs) {
      // From the end, so that what remains to be cut keeps its number.
      for (let i = this.arcs[arc].length - 1; i >= 0; i--) {
        const key = keyOf(this.arcs[arc][i]);
        if (!keys.has(key)) continue;
        nodes.add(key);
        if (i + 1 < this.arcs[arc].length) {
          const next = keyOf(this.arcs[arc][i + 1]);
          if (keys.has(next)) edges.add(`${key} ${next}`).add(`${next} ${key}`);
        }
        this.cut(arc, i);
      }
    }
    return piecesOf(line, nodes, edges);
  }

  /**
   * Return a drawn line on the arcs it was meant to run along: a vertex within the tolerance of a vertex goes there, else onto the edge, and
   * vertices of arcs within the tolerance of the line become its own. What is hardly wider than the tolerance stays as it was drawn.
   * @param {Line} drawn
   * @param {number[]} arcs
   * @returns {Position[]}
   */
  #snapped(drawn, arcs) {
    const { tolerance_m } = this.partition;
    const moved = drawn.map((at) => {
      /** @type {Position | null} */
      let corner = null;
      /** @type {Position | null} */
      let foot = null;
      let [corner_m, foot_m] = [tolerance_m, tolerance_m];
      const [x_m, y_m] = metresPerDegree(at[1]);
      const far = (/** @type {Position} */ to) => Math.hypot((to[0] - at[0]) * x_m, (to[1] - at[1]) * y_m);
      const box = around(at, at, this.reach_deg);
      for (const arc of arcs) {
        for (const i of segmentsNear(this.arcs[arc], box)) {
          const [a, b] = [this.arcs[arc][i], this.arcs[arc][i + 1]];
          for (const end of [a, b]) if (far(end) <= corner_m) [corner, corner_m] = [end, far(end)];
          const on = along(a, b, shareAlong(at, a, b, x_m / y_m));
          if (far(on) <= foot_m) [foot, foot_m] = [on, far(on)];
        }
      }
      return corner ?? (foot && !isNear(foot, at) ? rounded(foot) : at);
    });
    const snapped = withoutRepeats(moved);
    const followed = withInserted(snapped, (a, b) => this.#verticesAlong(a, b, arcs, tolerance_m));
    const least = isClosed(drawn) ? 4 : 2;
    return [followed, snapped].find((line) => line.length >= least && !selfMeeting(line)) ?? [...drawn];
  }

  /**
   * Return the vertices of arcs within a distance of a segment, but for its ends.
   * @param {Position} a
   * @param {Position} b
   * @param {number[]} arcs
   * @param {number | null} within_m  null: as near as rounding
   */
  #verticesAlong(a, b, arcs, within_m) {
    const box = around(a, b, within_m === null ? NEAR_DEG : this.reach_deg);
    const [x_m, y_m] = metresPerDegree(a[1]);
    /** @type {Set<Position>} */
    const found = new Set();
    for (const arc of arcs) {
      for (const i of segmentsNear(this.arcs[arc], box)) {
        for (const p of [this.arcs[arc][i], this.arcs[arc][i + 1]]) {
          if (isSame(p, a) || isSame(p, b)) continue;
          const share = shareAlong(p, a, b, x_m / y_m);
          if (within_m !== null && (share === 0 || share === 1)) continue;
          const on = along(a, b, share);
          if (within_m === null ? isNear(p, on) : Math.hypot((on[0] - p[0]) * x_m, (on[1] - p[1]) * y_m) <= within_m) found.add(p);
        }
      }
    }
    return [...found];
  }

  /**
   * Return the vertex of an arc at a position, or the position itself, which then becomes a vertex of the arcs it lies on.
   * @param {Position} at
   * @param {number[]} arcs
   */
  #pulled(at, arcs) {
    const box = around(at, at, NEAR_DEG);
    /** @type {[number, number][]} */
    const edges = [];
    for (const arc of arcs) {
      for (const i of segmentsNear(this.arcs[arc], box)) {
        const [a, b] = [this.arcs[arc][i], this.arcs[arc][i + 1]];
        if (isNear(a, at)) return a;
        if (isNear(b, at)) return b;
        if (isOnEdge(at, a, b)) edges.push([arc, i]);
      }
    }
    for (const [arc, i] of edges.reverse()) {
      this.arcs[arc] = [...this.arcs[arc].slice(0, i + 1), at, ...this.arcs[arc].slice(i + 1)];
      this.touch(arc);
    }
    return at;
  }

  /** Return the line with a vertex wherever it crosses an arc, and give the arcs the same vertices. @param {Line} line @param {number[]} arcs */
  #withCrossings(line, arcs) {
    /** @type {Map<number, Map<number, Position[]>>} */
    const inserted = new Map();
    const next = withInserted(line, (a, b) => {
      /** @type {Position[]} */
      const found = [];
      for (const arc of arcs) {
        for (const i of segmentsNear(this.arcs[arc], segmentBox(a, b))) {
          const met = meeting(a, b, this.arcs[arc][i], this.arcs[arc][i + 1]);
          if (met?.kind !== "crosses") continue;
          const at = rounded(met.at);
          found.push(at);
          const bySegment = inserted.get(arc) ?? inserted.set(arc, new Map()).get(arc);
          bySegment?.set(i, [...(bySegment.get(i) ?? []), at]);
        }
      }
      return found;
    });
    for (const [arc, bySegment] of inserted) {
      let i = -1;
      this.arcs[arc] = withoutRepeats(withInserted(this.arcs[arc], () => bySegment.get(++i) ?? []));
      this.touch(arc);
    }
    return next;
  }

  /**
   * Give to a place whatever belongs to another, or to none, inside a polygon. Tells how many sides of arcs changed hands.
   * @param {Polygon | MultiPolygon} polygon
   * @param {Side} from
   * @param {string} to
   */
  paint(polygon, from, to) {
    // The inside of every ring's edges is to the left.
    const rings = partsOf(polygon).flatMap((part) => part.map(ringOf).map((ring, i) => (turning(ring) > 0 === (i === 0) ? ring : [...ring].reverse())));
    const pieces = rings.map((ring) => this.node(ring, new Set([from])));
    /** @type {Set<string>} */
    const edges = new Set();
    for (const { line } of pieces.flat()) for (let i = 1; i < line.length; i++) edges.add(`${keyOf(line[i - 1])} ${keyOf(line[i])}`);
    const outline = pieces.map((ring) => [ring[0].line[0], ...ring.flatMap(({ line }) => line.slice(1))]);
    const found = from === null ? null : /** @type {any} */ (polygonOf(this.partition, from).coordinates);
    let count = 0;
    for (const { line, isFree } of pieces.flat()) {
      if (!isFree) continue;
      const at = middleOf(line);
      if (found ? !isInShape(at, found) : faceAt(this.partition, at) !== null) continue;
      this.addArc(line, to, from);
      count++;
    }
    const box = outline.map(boxOf).reduce(boxAround);
    for (const arc of linesNear([...this.arcs], box)) {
      if (this.left[arc] !== from && this.right[arc] !== from) continue;
      const [a, b] = this.arcs[arc];
      const isLeftEdge = edges.has(`${keyOf(a)} ${keyOf(b)}`);
      const isRightEdge = edges.has(`${keyOf(b)} ${keyOf(a)}`);
      const isWithin = !isLeftEdge && !isRightEdge && isInShape([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], [outline]);
      for (const [half, isInside] of /** @type {[number, boolean][]} */ ([[arc, isLeftEdge || isWithin], [~arc, isRightEdge || isWithin]])) {
        if (!isInside || (half < 0 ? this.right[arc] : this.left[arc]) !== from) continue;
        this.paintSide(half, to);
        count++;
      }
    }
    return count;
  }

  /** @param {number} half */
  nodeAfter(half) {
    this.nodes ??= nodesOf(this.arcs);
    return half < 0 ? this.nodes.start[~half] : this.nodes.end[half];
  }

  /** @param {number} half @returns {Line} */
  line(half) {
    return half < 0 ? [...this.arcs[~half]].reverse() : this.arcs[half];
  }

  /**
   * Follow the boundary of what a side names, always with it to the left, and return the rings.
   * @param {readonly number[]} halves
   * @returns {number[][]}
   */
  rings(halves) {
    /** @type {Map<number, number[]>} */
    const leaving = new Map();
    for (const half of halves) {
      const node = this.nodeAfter(~half);
      leaving.set(node, [...(leaving.get(node) ?? []), half]);
    }
    const unused = new Set(halves);
    const rings = [];
    for (const first of halves) {
      if (!unused.has(first)) continue;
      const ring = [];
      for (let half = first; ; ) {
        ring.push(half);
        unused.delete(half);
        const ways = leaving.get(this.nodeAfter(half)) ?? [];
        /** @type {number | undefined} */
        const next = ways.length === 1 ? ways[0] : this.#nextClockwise(half, ways);
        if (next === first) break;
        if (next === undefined || !unused.has(next)) throw new EditError("overlaps_already", this.line(half)[0]);
        half = next;
      }
      rings.push(ring);
    }
    return rings;
  }

  /** @param {number} half arriving @param {readonly number[]} ways */
  #nextClockwise(half, ways) {
    const back = this.line(~half);
    const [from_x, from_y] = back[0];
    const angle = Math.atan2(back[1][1] - from_y, back[1][0] - from_x);
    let best;
    let least = Infinity;
    for (const way of ways) {
      const [, to] = this.line(way);
      let turn = angle - Math.atan2(to[1] - from_y, to[0] - from_x);
      if (way === ~half || turn === 0) turn = 2 * Math.PI;
      else if (turn < 0) turn += 2 * Math.PI;
      if (turn < least) [least, best] = [turn, way];
    }
    return best;
  }

  /**
   * Sort rings into polygons: an outer ring, then its holes. Holes of the outside are left out.
   * @param {readonly number[][]} rings
   */
  polygons(rings) {
    const measured = rings.map((ring) => ({ ring, line: lineOfRing(this.arcs, ring) })).map((one) => ({ ...one, area: turning(one.line) }));
    const shells = measured.filter(({ area }) => area > 0).sort((a, b) => a.area - b.area).map((one) => ({ ...one, rings: [one.ring] }));
    let lost = 0;
    for (const { ring, line, area } of measured) {
      if (area > 0) continue;
      const at = positionInside([line]);
      const shell = shells.find((one) => one.area > -area && isInRing(at, one.line));
      if (shell) shell.rings.push(ring);
      else lost++;
    }
    return { polygons: shells.map((shell) => shell.rings), lost };
  }

  /** @param {Side} code */
  halves(code) {
    const halves = [];
    for (let arc = 0; arc < this.arcs.length; arc++) {
      if (!this.arcs[arc].length) continue;
      if (this.left[arc] === code) halves.push(arc);
      if (this.right[arc] === code) halves.push(~arc);
    }
    return halves;
  }

  /**
   * Read a place from the sides of the arcs: polygons of rings, each ring touching itself nowhere.
   * @param {Side} code
   */
  trace(code) {
    const simple = this.rings(this.halves(code)).flatMap((ring) => this.#loops(ring));
    const { polygons, lost } = this.polygons(simple);
    if (lost && code !== null) throw new EditError("overlaps_already", this.line(simple[0][0])[0]);
    return polygons;
  }

  /** Cut a ring where it comes back to a node. @param {readonly number[]} ring */
  #loops(ring) {
    /** @type {number[]} */
    const stack = [];
    const loops = [];
    for (const half of ring) {
      stack.push(half);
      const end = this.nodeAfter(half);
      const start = stack.findIndex((one) => this.nodeAfter(~one) === end);
      if (start >= 0) loops.push(stack.splice(start));
    }
    return loops;
  }

  /**
   * Return the parts into which arcs with the place on both sides cut it, as rings of halves.
   * @param {string} code
   */
  cells(code) {
    return this.polygons(this.rings(this.halves(code))).polygons;
  }

  /**
   * Return the changed partition: arcs with one place on both sides go, arcs that need no node between them are joined.
   * @param {Record<string, readonly string[]>} origins of the places made
   * @returns {Partition}
   */
  finish(origins) {
    const { partition } = this;
    this.#clear();
    this.#unite();
    this.#clear();
    this.#join();
    const { contested } = topologyOf(partition);
    for (const arc of contested) {
      if (this.codes.has(this.left[arc] ?? "") || this.codes.has(this.right[arc] ?? "")) throw new EditError("overlaps_already", partition.arcs[arc][0]);
    }
    /** @type {Record<string, Face>} */
    const faces = { ...partition.faces };
    /** @type {Record<string, readonly string[]>} */
    const made = { ...partition.origins, ...origins };
    for (const code of this.codes) {
      const face = this.trace(code);
      if (face.length) faces[code] = face;
      else {
        delete faces[code];
        delete made[code];
      }
    }
    while (this.arcs.length > partition.arcs.length && !this.arcs[this.arcs.length - 1].length) this.arcs.pop();
    const next = { ...partition, arcs: this.arcs, faces, origins: made };
    const { start, end, ends } = nodesOf(this.arcs);
    const [left, right] = [this.left, this.right].map((codes) => codes.slice(0, this.arcs.length).map((code, arc) => (this.arcs[arc].length ? code : null)));
    topologies.set(faces, { left, right, start, end, ends, ...islandsOf(this.arcs, start, end, ends), contested });
    const numbers = [...this.changed].filter((arc) => this.arcs[arc]?.length);
    const found = conflictsOf(next, numbers.map((arc) => [arc, 0, this.arcs[arc].length - 1]));
    if (found.length) {
      const old = [...this.changed].filter((arc) => partition.arcs[arc]?.length);
      const known = conflictsOf(partition, old.map((arc) => [arc, 0, partition.arcs[arc].length - 1]));
      if (found.length > known.length) throw errorOf(next, found[0]);
    }
    return next;
  }

  /** Drop arcs with the same place, or none, on both sides. */
  #clear() {
    this.nodes = null;
    for (let arc = 0; arc < this.arcs.length; arc++) if (this.left[arc] === this.right[arc]) this.arcs[arc] = GONE;
  }

  /** Join changed arcs with the one other arc they meet, where the same places lie beside both. */
  #join() {
    const { ends, start, end } = (this.nodes = nodesOf(this.arcs));
    for (let node = 0; node < ends.length; node++) {
      if (ends[node].length !== 2) continue;
      const [one, other] = ends[node];
      const [a, b] = [one < 0 ? ~one : one, other < 0 ? ~other : other];
      if (a === b || !(this.changed.has(a) || this.changed.has(b))) continue;
      const sides = (/** @type {number} */ half) => (half < 0 ? [this.right[~half], this.left[~half]] : [this.left[half], this.right[half]]);
      const [left, right] = sides(~one);
      if (sides(other)[0] !== left || sides(other)[1] !== right) continue;
      // The lower number stays and keeps its direction.
      const [into, out] = (a < b ? one < 0 : other >= 0) ? [~one, other] : [~other, one];
      const [keep, gone] = a < b ? [a, b] : [b, a];
      const [first, last] = [this.nodeAfter(~into), this.nodeAfter(out)];
      const line = [...this.line(into), ...this.line(out).slice(1)];
      this.touch(keep);
      this.touch(gone);
      [this.left[keep], this.right[keep]] = sides(into);
      this.arcs[keep] = line;
      this.arcs[gone] = GONE;
      ends[node] = [];
      ends[first][ends[first].indexOf(into)] = keep;
      ends[last][ends[last].indexOf(~out)] = ~keep;
      [start[keep], end[keep], start[gone], end[gone]] = [first, last, -1, -1];
      this.nodes = { ends, start, end };
    }
  }
}

/**
 * Cut a line at its nodes.
 * @param {Line} line
 * @param {ReadonlySet<string>} nodes
 * @param {ReadonlySet<string>} edges of arcs
 * @returns {Piece[]}
 */
function piecesOf(line, nodes, edges) {
  const isRing = isClosed(line);
  if (isRing) {
    const first = line.findIndex((at) => nodes.has(keyOf(at)));
    if (first > 0) line = [...line.slice(first, -1), ...line.slice(0, first + 1)];
  }
  /** @type {Piece[]} */
  const pieces = [];
  for (let from = 0, to = 1; to < line.length; to++) {
    const isNodeThere = nodes.has(keyOf(line[to]));
    if (!isNodeThere && to < line.length - 1) continue;
    const piece = line.slice(from, to + 1);
    const isFree = piece.length > 2 || !edges.has(`${keyOf(piece[0])} ${keyOf(piece[1])}`);
    pieces.push({ line: piece, isFree, isLoose: !isRing && !(isNodeThere && nodes.has(keyOf(piece[0]))) });
    from = to;
  }
  return pieces;
}
