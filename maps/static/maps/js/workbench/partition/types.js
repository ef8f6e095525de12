// @ts-check
/**
 * The shapes of the editing model's values; no code.
 *
 * @import { Line } from "../geometry.js"
 *
 * @typedef {readonly (readonly (readonly number[])[])[]} Face  polygons of rings of signed arc numbers: ~i is arc i backwards
 *
 * @typedef {object} Partition
 * @property {number} tolerance_m
 * @property {readonly Line[]} arcs  numbers stay through edits: an arc that is gone leaves an empty line
 * @property {Readonly<Record<string, Face>>} faces  by code of the place
 * @property {Readonly<Record<string, readonly string[]>>} origins  by code, the loaded places it was made from, where it is not itself alone
 *
 * @typedef {object} PartitionJson  as it travels
 * @property {number} tolerance_m
 * @property {number[][][]} arcs
 * @property {Record<string, number[][][]>} faces
 *
 * @typedef {string | null} Side  code of a place, null outside all
 */

export {};
