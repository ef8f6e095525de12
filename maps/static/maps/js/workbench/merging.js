// @ts-check
/**
 * Two people changed the same shape. Where they changed different stretches of its boundary, both changes can be kept. Pure.
 * A boundary is read as a sequence of vertices, and merged as lines of a text are: by what each side did to the common ancestor.
 *
 * @import { Position, Shape } from "./geometry.js"
 */

import { turning } from "./geometry.js";

/** @param {Position} at */
const keyOf = (at) => `${at[0]} ${at[1]}`;

/** @param {Shape} one @param {Shape} other */
export function isSameShape(one, other) {
  return one.length === other.length && one.every((rings, i) => rings.length === other[i].length && rings.every((ring, k) => isSameRing(ring, other[i][k])));
}

/**
 * Whether two closed rings are the same, wherever they start and whichever way they turn.
 * @param {readonly Position[]} one
 * @param {readonly Position[]} other
 */
export function isSameRing(one, other) {
  if (one.length !== other.length) return false;
  const [a, b] = [opened(one), opened(other)].map((ring) => ring.map(keyOf));
  const start = b.indexOf(a[0]);
  return start >= 0 && a.every((key, i) => key === b[(start + i) % b.length]);
}

/**
 * Return the ring without its closing position, turning counter-clockwise.
 * @param {readonly Position[]} ring
 */
function opened(ring) {
  const open = ring.slice(0, -1);
  return turning(ring) < 0 ? open.reverse() : open;
}

/**
 * Merge what two sides did to an ancestor; null where both changed the same stretch, or the parts cannot be paired.
 * @param {Shape} ancestor
 * @param {Shape} mine
 * @param {Shape} theirs
 * @returns {Position[][][] | null}
 */
export function mergeShapes(ancestor, mine, theirs) {
  if (isSameShape(mine, theirs) || isSameShape(theirs, ancestor)) return copied(mine);
  if (isSameShape(mine, ancestor)) return copied(theirs);
  const isPaired = [mine, theirs].every((shape) => shape.length === ancestor.length && shape.every((rings, i) => rings.length === ancestor[i].length));
  if (!isPaired) return null;
  const merged = ancestor.map((rings, i) => rings.map((ring, k) => mergeRings(ring, mine[i][k], theirs[i][k])));
  return merged.some((rings) => rings.some((ring) => ring === null)) ? null : /** @type {Position[][][]} */ (merged);
}

/** @param {Shape} shape @returns {Position[][][]} */
const copied = (shape) => shape.map((rings) => rings.map((ring) => [...ring]));

/**
 * Merge three closed rings.
 * @param {readonly Position[]} ancestor
 * @param {readonly Position[]} mine
 * @param {readonly Position[]} theirs
 * @returns {Position[] | null}
 */
export function mergeRings(ancestor, mine, theirs) {
  const [a, m, t] = [ancestor, mine, theirs].map(opened);
  const [inMine, inTheirs] = [new Set(m.map(keyOf)), new Set(t.map(keyOf))];
  const anchor = a.map(keyOf).find((key) => inMine.has(key) && inTheirs.has(key));
  if (anchor === undefined) return null;
  const [from, one, other] = [a, m, t].map((ring) => {
    const start = ring.findIndex((at) => keyOf(at) === anchor);
    return [...ring.slice(start), ...ring.slice(0, start), ring[start]];
  });
  const merged = mergeLines(from, one, other);
  return merged && merged.length > 3 ? merged : null;
}

/**
 * Merge three lines with common ends.
 * @param {readonly Position[]} from
 * @param {readonly Position[]} one
 * @param {readonly Position[]} other
 * @returns {Position[] | null}
 */
function mergeLines(from, one, other) {
  const [inOne, inOther] = [matches(from, one), matches(from, other)];
  /** @type {Position[]} */
  const merged = [];
  let [i, k, l] = [0, 0, 0]; // next of each that is not merged yet
  while (i < from.length) {
    let j = i; // next of the ancestor that both kept
    while (inOne[j] < 0 || inOther[j] < 0) j++;
    const [was, first, second] = [from.slice(i, j), one.slice(k, inOne[j]), other.slice(l, inOther[j])];
    if (isSameLine(first, was)) merged.push(...second);
    else if (isSameLine(second, was) || isSameLine(first, second)) merged.push(...first);
    else return null;
    merged.push(from[j]);
    [i, k, l] = [j + 1, inOne[j] + 1, inOther[j] + 1];
  }
  return merged;
}

/** @param {readonly Position[]} one @param {readonly Position[]} other */
const isSameLine = (one, other) => one.length === other.length && one.every((at, i) => keyOf(at) === keyOf(other[i]));

/**
 * For each vertex of a line say which of the other it is, or −1: the longest common subsequence, with both ends in it.
 * @param {readonly Position[]} line
 * @param {readonly Position[]} other
 */
function matches(line, other) {
  const [a, b] = [line.map(keyOf), other.map(keyOf)];
  const found = new Array(a.length).fill(-1);
  let start = 0;
  while (start < a.length - 1 && start < b.length - 1 && a[start] === b[start]) found[start] = start++;
  let [end, tail] = [a.length - 1, b.length - 1];
  while (end >= start && tail >= start && a[end] === b[tail]) found[end--] = tail--;
  const [rows, columns] = [end - start + 1, tail - start + 1];
  if (rows <= 0 || columns <= 0) return found;
  const lengths = new Uint16Array((rows + 1) * (columns + 1));
  for (let i = rows - 1; i >= 0; i--) {
    for (let k = columns - 1; k >= 0; k--) {
      const at = i * (columns + 1) + k;
      lengths[at] = a[start + i] === b[start + k] ? lengths[at + columns + 2] + 1 : Math.max(lengths[at + columns + 1], lengths[at + 1]);
    }
  }
  for (let i = 0, k = 0; i < rows && k < columns; ) {
    const at = i * (columns + 1) + k;
    if (a[start + i] === b[start + k]) found[start + i++] = start + k++;
    else if (lengths[at + columns + 1] >= lengths[at + 1]) i++;
    else k++;
  }
  return found;
}
