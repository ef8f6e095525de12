// @ts-check
/** The form that takes a file in: dropped or chosen, sent with progress, stopped at will. Without it, the form is an ordinary one. */

import { filled, pageLanguage, said, size } from "./words.js";
import { percent } from "./shares.js";

const words = said();
const language = pageLanguage();

/** @template {HTMLElement} T @param {string} id @param {new () => T} kind @returns {T} */
function part(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${id}.`);
  return found;
}

const form = part("bring", HTMLFormElement);
const file = part("file", HTMLInputElement);
const drop = part("drop", HTMLElement);
const chosen = part("chosen", HTMLElement);
const sending = part("sending", HTMLElement);
const text = part("sending-text", HTMLElement);
const bar = part("sending-bar", HTMLProgressElement);
const stop = part("stop", HTMLButtonElement);
const send = part("send", HTMLButtonElement);
const failed = part("failed", HTMLElement);
/** @type {XMLHttpRequest | null} */
let current = null;
let hasArrived = false;
let isUnwanted = false;

for (const hint of drop.querySelectorAll(".drop-hint")) if (hint instanceof HTMLElement) hint.hidden = false;

/** @param {string} title @param {string} [advice] */
function complain(title, advice = "") {
  const [heading, paragraph] = failed.children;
  heading.textContent = title;
  paragraph.textContent = advice;
  failed.hidden = false;
  failed.focus();
}

function tellChosen() {
  const one = file.files?.[0];
  chosen.textContent = one ? `\u2068${one.name}\u2069 · ${size(one.size, language, words)}` : "";
  failed.hidden = true;
}
file.addEventListener("change", tellChosen);
tellChosen(); // the browser may have kept the choice over a reload

let depth = 0;
/** @param {DragEvent} event */
const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
for (const type of /** @type {const} */ (["dragenter", "dragover", "dragleave", "drop"])) {
  document.addEventListener(type, (event) => {
    if (!hasFiles(event) || current) return;
    event.preventDefault(); // anywhere: a file that misses the box must not replace the page
    depth = type === "dragenter" ? depth + 1 : type === "dragleave" ? Math.max(depth - 1, 0) : type === "drop" ? 0 : depth;
    drop.classList.toggle("is-over", depth > 0);
    const files = event.dataTransfer?.files;
    if (type !== "drop" || !files) return;
    if (files.length !== 1) return complain(words.one ?? "");
    file.files = files;
    tellChosen();
    send.focus();
  });
}

/** @param {boolean} isSending */
function tellSending(isSending) {
  sending.hidden = !isSending;
  send.hidden = isSending;
  for (const field of form.querySelectorAll("fieldset")) field.disabled = isSending;
  if (isSending) stop.focus();
}

/** @param {ProgressEvent} event @param {File} one */
function tellProgress(event, one) {
  const share = event.lengthComputable && event.total ? event.loaded / event.total : 0;
  bar.value = share;
  text.textContent =
    share >= 1
      ? filled(words.arrived ?? "", { file: one.name })
      : filled(words.sending ?? "", { file: one.name, done: size(Math.min(event.loaded, one.size), language, words), of: size(one.size, language, words) }) +
        ` (${percent(share, language)})`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const one = file.files?.[0];
  if (!one) return complain(words.none ?? "");
  failed.hidden = true;
  const body = new FormData(form);
  const request = (current = new XMLHttpRequest());
  hasArrived = isUnwanted = false;
  bar.value = 0;
  text.textContent = "";
  stop.disabled = false;
  tellSending(true);
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.addEventListener("progress", (progress) => tellProgress(progress, one));
  const over = () => {
    current = null;
    tellSending(false);
  };
  /** @param {string | undefined} how */
  const tellStopped = (how) => {
    over();
    chosen.textContent = how ?? "";
    send.focus();
  };
  request.upload.addEventListener("load", () => (hasArrived = true));
  request.addEventListener("abort", () => tellStopped(words.stopped));
  request.addEventListener("error", () => {
    over();
    complain(words.unreachable ?? "", words.unreachableAdvice);
  });
  request.addEventListener("load", async () => {
    if (request.status === 201) {
      const { address } = request.response;
      const isGivenUp = isUnwanted && (await giveUp(address));
      return isGivenUp ? tellStopped(words.givenUp) : location.assign(address);
    }
    over();
    const problem = request.response ?? {};
    complain(words.failed ?? "", [problem.title, problem.remedy].filter(Boolean).join(" ") || String(request.status));
  });
  request.send(body);
});

/** @param {string} address of an upload nobody wants any more @returns {Promise<boolean>} whether it is gone */
async function giveUp(address) {
  const body = new FormData();
  body.set("do", "cancel");
  body.set("csrfmiddlewaretoken", String(new FormData(form).get("csrfmiddlewaretoken")));
  return fetch(address, { method: "POST", body }).then((answer) => answer.ok, () => false);
}

stop.addEventListener("click", () => {
  if (!hasArrived) return current?.abort();
  isUnwanted = true; // the server has all of it: only an answer tells which upload to give up
  stop.disabled = true;
  text.textContent = words.stopping ?? "";
});
addEventListener("beforeunload", (event) => {
  if (current && current.readyState < 4) event.preventDefault();
});
