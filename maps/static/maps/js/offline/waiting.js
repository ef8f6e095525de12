// @ts-check
/**
 * What waits on this phone, of every kind, as the forms list it; sent as soon as there is a connection, by one window at a time.
 *
 * @import { Kind } from "./kinds.js"
 * @import { Item, Store } from "./store.js"
 * @import { Halt } from "./sending.js"
 * @import { Language } from "../numbers.js"
 *
 * @typedef {object} FormConfig what the page tells (`maps.offline.selectors.form_config`)
 * @property {string} user
 * @property {string} city
 * @property {string} csrf
 * @property {string} api
 * @property {Language} language
 * @property {string} worker
 * @property {import("../needs/map.js").NeedMapConfig | null} map
 * @property {Record<string, string>} wrong
 * @property {Record<string, string>} forms the address of each kind's form
 * @property {Record<string, Record<string, string>>} labels
 * @property {{most: number, types: string[]}} [photo]
 *
 * @typedef {{kind: Kind, item: Item}} Row
 */

import { makeApi } from "../api.js";
import { filled } from "../imports/words.js";
import { number } from "../numbers.js";
import { KINDS } from "./kinds.js";
import { sendWaiting } from "./sending.js";
import { openStore } from "./store.js";

const AGAIN_MS = 30_000;
/** After a first failure it is tried sooner, then ever less often: many connections falter for a moment only. */
const SOON_MS = 2_000;

/** @param {string} id @returns {any} */
const the = (id) => document.getElementById(id);

/**
 * Show what waits, and send it.
 * @param {{kind: Kind, config: FormConfig, words: Record<string, string>, edit: (item: Item) => void}} parts
 *   `kind` is that of the form on this page; `edit` fills it in with an item
 */
export async function withWaiting({ kind: own, config, words, edit }) {
  const { user, city, language } = config;
  /** @type {Map<Kind, Store>} */
  const stores = new Map();
  for (const kind of KINDS) stores.set(kind, await openStore({ name: kind.store, user, city }));
  const store = /** @type {Store} */ (stores.get(own));
  /** @type {Row[]} what was sent since the page was opened */
  const sent = [];
  // Other windows of this browser show the same.
  const others = typeof BroadcastChannel === "function" ? new BroadcastChannel("mahalleh-waiting") : null;
  let onItsWay = "";
  /** @type {Halt} */
  let halt = "";
  let isSending = false;
  let isAsked = false;
  let isPressed = false;
  let failures = 0;
  let nextAt = Date.now() + AGAIN_MS;

  /** @returns {Promise<Row[]>} */
  const waiting = async () => {
    const found = await Promise.all([...stores].map(async ([kind, from]) => (await from.all()).map((item) => ({ kind, item }))));
    return found.flat().sort((a, b) => a.item.at - b.item.at);
  };

  const draw = async () => {
    const rows = await waiting();
    const all = [...rows, ...sent];
    const n = rows.length;
    the("queue").hidden = !all.length;
    the("queue").dataset.waiting = String(n);
    the("queue-title").textContent = n === 0 ? words.titleSent : n === 1 ? words.titleOne : filled(words.titleMany, { n: number(n, language) });
    the("queue-send").hidden = !rows.some(({ item }) => item.standing === "waiting");
    the("queue-said").textContent = { "": "", unreachable: navigator.onLine ? words.unreachable : "", "signed-out": words.signIn, reload: words.reload }[halt];
    const list = /** @type {HTMLElement} */ (the("queue-list"));
    // Whoever works by keyboard stays where they are when a report is sent behind them.
    const held = list.contains(document.activeElement) ? document.activeElement?.closest("li") : null;
    const place = held ? controlsOf(held).indexOf(/** @type {HTMLElement} */ (document.activeElement)) : -1;
    list.replaceChildren(...all.map(line));
    const same = [...list.children].find((node) => node instanceof HTMLElement && node.dataset.ticket === held?.dataset.ticket);
    if (same) controlsOf(same)[place]?.focus({ preventScroll: true });
  };

  /** Draw anew here and in the other windows. @param {Row} [row] which was sent */
  const changed = async (row) => {
    others?.postMessage(row ? { user, city, kind: row.kind.name, item: { ...row.item, photos: [] } } : null);
    await draw();
  };

  /** @param {Row} row */
  const line = ({ kind, item }) => {
    const node = document.createElement("li");
    node.className = `is-${item.standing}`;
    node.dataset.ticket = item.ticket;
    const what = document.createElement("p");
    what.className = "what";
    what.textContent = (item.values.text_fa || item.values.text_en).slice(0, 100);
    const meta = document.createElement("p");
    meta.className = "meta small";
    const n = item.photos?.length ?? 0;
    const photos = n && (n === 1 ? words.photoOne : filled(words.photoMany, { n: number(n, language) }));
    meta.textContent = [words[kind.name], ...kind.about(item, config.labels), photos].filter(Boolean).join(" · ");
    const said = document.createElement("p");
    said.className = "said small";
    said.textContent = standing(item);
    node.append(what, meta, said);
    if (item.made) node.append(link(item.made.address, filled(words[`${kind.name}Number`], { n: number(item.made.number, language).replace(/[٬,]/g, "") })));
    if (item.standing === "similar") {
      const list = document.createElement("ul");
      for (const one of item.similar) {
        const entry = document.createElement("li");
        const more = document.createElement("span");
        more.className = "meta small";
        more.textContent = one.meta;
        entry.append(link(one.address, one.title), document.createElement("br"), more);
        list.append(entry);
      }
      node.append(list);
    }
    if (item.standing === "sent") return node;
    const actions = document.createElement("div");
    actions.className = "actions";
    if (item.standing === "similar") {
      actions.append(button(words.another, async () => {
        await stores.get(kind)?.renew({ ...item, isOther: true, standing: "waiting" });
        await changed();
        void sendIfOnline();
      }), button(words.same, () => remove({ kind, item })));
    }
    if (!item.made) actions.append(kind === own ? button(words.edit, () => start(item.ticket)) : link(`${config.forms[kind.name]}#${item.ticket}`, words.edit, false));
    if (item.standing !== "similar") actions.append(button(words.remove, () => remove({ kind, item })));
    node.append(actions);
    return node;
  };

  /** @param {Item} item */
  const standing = (item) => {
    if (item.standing !== "refused") return item.ticket === onItsWay ? words.sending : words[item.standing];
    if (!item.made) return `${words.refused} ${item.said}`;
    return item.photos?.some((photo) => photo.said) ? `${words.photoRefused} ${item.said}` : words.earlier;
  };

  /** @param {Row} row */
  const remove = async ({ kind, item }) => {
    await stores.get(kind)?.remove(item.ticket);
    await changed();
    the("queue-title").focus();
  };

  /** Fill the form in with what waits under a ticket, unless another window has sent it meanwhile. @param {string} ticket */
  const start = async (ticket) => {
    const item = (await store.all()).find((one) => one.ticket === ticket && !one.made);
    if (item) edit(item);
    await draw();
    return Boolean(item);
  };

  /**
   * @param {boolean} [isMore] whether something was added, which is sent too where the rest is being sent
   * @param {boolean} [isPress] whether somebody pressed the button: then it is tried once more, even if what is under way fails
   */
  const send = async (isMore = false, isPress = false) => {
    if (isSending) {
      isAsked ||= isMore;
      isPressed ||= isPress;
      return;
    }
    isSending = true;
    try {
      do {
        isAsked = isPressed = false;
        halt = "";
        for (const kind of KINDS) if (!halt) await sendKind(kind);
      } while (isPressed || (isAsked && !halt));
    } finally {
      isSending = false;
      onItsWay = "";
      failures = halt === "unreachable" ? failures + 1 : 0;
      nextAt = Date.now() + (failures ? Math.min(SOON_MS * 2 ** (failures - 1), AGAIN_MS) : AGAIN_MS);
      await draw();
    }
  };

  /** Without a connection nothing is tried: else it would have to be thought that it arrived. */
  const sendIfOnline = async () => {
    if (navigator.onLine) await send(true);
  };

  /** @param {Kind} kind */
  const sendKind = (kind) => withLock(kind.store, async () => {
    halt = await sendWaiting({
      kind,
      api: makeApi({ base: config.api + kind.path, csrf: config.csrf, language }),
      store: /** @type {Store} */ (stores.get(kind)),
      tell: (ticket) => { onItsWay = ticket; void draw(); },
      take: (item) => {
        const isSent = item.standing === "sent";
        if (isSent) sent.push({ kind, item });
        void changed(isSent ? { kind, item } : undefined);
      },
    });
  });

  others?.addEventListener("message", ({ data }) => {
    const kind = KINDS.find((one) => one.name === data?.kind);
    if (kind && data.user === user && data.city === city) sent.push({ kind, item: data.item });
    void draw();
  });
  the("queue-send").addEventListener("click", () => void send(true, true));
  const tellConnection = () => { the("offline").hidden = navigator.onLine; };
  addEventListener("online", () => {
    tellConnection();
    void send();
  });
  addEventListener("offline", tellConnection);
  setInterval(async () => {
    if (Date.now() >= nextAt && navigator.onLine && (await waiting()).some(({ item }) => item.standing === "waiting")) void send();
  }, SOON_MS);
  tellConnection();
  await draw();

  return {
    /** @param {string} ticket of this page's kind */
    find: async (ticket) => (await store.all()).find((item) => item.ticket === ticket),
    /** Keep a report of this page's kind; false where there is no room. @param {Item} item */
    keep: (item) => store.put(item).then(() => true, () => false),
    /** Show what was kept, and send it when that is possible. */
    async show() {
      await changed();
      the("queue").scrollIntoView({ block: "nearest" });
      the("queue-title").focus();
      void sendIfOnline();
    },
    start,
    sendIfOnline,
  };
}

/** @param {Element} node @returns {HTMLElement[]} */
const controlsOf = (node) => [...node.querySelectorAll("a, button")].filter((one) => one instanceof HTMLElement);

/** Other windows of this browser have the same store: one of them sends. @param {string} name @param {() => Promise<void>} work */
async function withLock(name, work) {
  if (!navigator.locks) return work();
  await navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? work() : undefined));
}

/** @param {string} address @param {string} text @param {boolean} [isApart] */
function link(address, text, isApart = true) {
  const node = document.createElement("a");
  node.href = address;
  if (isApart) [node.target, node.rel] = ["_blank", "noopener"];
  else node.className = "link";
  node.textContent = text;
  return node;
}

/** @param {string} text @param {() => unknown} act */
export function button(text, act) {
  const node = document.createElement("button");
  node.type = "button";
  node.className = "link";
  node.textContent = text;
  node.addEventListener("click", act);
  return node;
}
