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

/** A UUID; on an address without TLS browsers make none themselves. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
}

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
