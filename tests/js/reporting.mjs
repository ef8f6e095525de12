/** What the tests of reports share: forms as they are filled in, a phone's store, and a server that loses answers. */

import { ApiError } from "../../maps/static/maps/js/api.js";
import { sendWaiting } from "../../maps/static/maps/js/offline/sending.js";

export const NEED = { round: "3", organisation: "7", place: "s01", sector: "health", approach: "social", severity: "4", people_affected: "۱٬۲۰۰", women: "", text_fa: " درمانگاه نیست ", text_en: "", service: "", geometry: "", lon: "", lat: "" };
export const CAPACITY = { organisation: "7", place: "s01", kind: "place", text_fa: " زمین بازی ", text_en: "", amount: "۱٬۲۰۰", contact: " ۰۹۱۲ ", geometry: "", lon: "", lat: "" };

export const item = (ticket, values, changes = {}) => ({ ticket, user: "u", city: "c", values, standing: "waiting", isOther: false, isTried: false, isEdited: false, said: "", field: "", similar: [], made: null, at: 1, ...changes });

export const photo = (ticket) => ({ ticket, name: `${ticket}.jpg`, file: { type: "image/jpeg", size: 9, of: ticket } });

export function store(...items) {
  const kept = new Map(items.map((one) => [one.ticket, one]));
  const isSame = (one) => kept.get(one.ticket)?.at === one.at;
  return {
    kept,
    all: async () => [...kept.values()],
    put: async (one) => void kept.set(one.ticket, one),
    renew: async (one) => isSame(one) && Boolean(kept.set(one.ticket, one)),
    finish: async (one) => isSame(one) && kept.delete(one.ticket),
    remove: async (ticket) => void kept.delete(ticket),
  };
}

/** A server that knows tickets, and loses answers or refuses as it is told. */
export function server({ lose = 0, similar = [], refuse = null } = {}) {
  const records = new Map();
  const state = { records, lose, losePhotos: 0, photos: new Map(), asked: [], refusePhoto: {} };
  const api = async (method, path, { body }) => {
    if (path.includes("/photos/")) {
      const [, number, ticket] = /^\/(\d+)\/photos\/([^?]+)/.exec(path);
      state.asked.push([method, number, ticket]);
      if (state.refusePhoto[ticket]) throw state.refusePhoto[ticket];
      const is_new = !state.photos.has(ticket);
      state.photos.set(ticket, { number: Number(number), body, path });
      if (state.losePhotos-- > 0) throw new ApiError(0, "lost");
      return { body: { is_new }, etag: "" };
    }
    state.asked.push([method, path, body.ticket]);
    if (path === "/similar") return { body: { similar: records.has(body.ticket) ? [] : similar }, etag: "" };
    if (refuse) throw refuse;
    const is_new = !records.has(body.ticket);
    if (is_new) records.set(body.ticket, { ...body, number: records.size + 1 });
    if (state.lose-- > 0) throw new ApiError(0, "lost");
    return { body: { number: records.get(body.ticket).number, address: "/c/needs/1/", is_new }, etag: "" };
  };
  return { state, api };
}

export async function run(kind, parts, kept) {
  const taken = [];
  const halt = await sendWaiting({ kind, api: parts.api, store: kept, tell: () => {}, take: (one) => taken.push(one) });
  return { halt, taken };
}
