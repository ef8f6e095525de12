// @ts-check
/**
 * Photos of a need: looked at before they are sent, each under a ticket of its own, so that one that is sent twice is kept once.
 *
 * @typedef {object} Photo
 * @property {string} ticket a UUID
 * @property {Blob} file
 * @property {string} name
 * @property {string} [said] why it was not taken
 *
 * @typedef {{most: number, types: string[]}} PhotoLimits in bytes
 */

/**
 * Return what is wrong with a file before it is sent, and nothing where it can be.
 * @param {{type: string, size: number}} file
 * @param {PhotoLimits} limits
 * @returns {"" | "type" | "size"}
 */
export function faultOf(file, limits) {
  if (!limits.types.includes(file.type)) return "type";
  return file.size > limits.most ? "size" : "";
}

/**
 * Return where a photo is sent, below the interface of needs.
 * @param {number} need
 * @param {Photo} photo
 * @param {{title: string, keepsLocation: boolean}} told
 */
export function photoPath(need, photo, { title, keepsLocation }) {
  const query = new URLSearchParams({ title: title.trim(), keeps_location: String(keepsLocation) });
  return `/${need}/photos/${photo.ticket}?${query}`;
}
