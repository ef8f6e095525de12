// @ts-check
/** The places of a city measured one after the other: told how far it is, stopped at will; what was measured is kept. */

import { number } from "../numbers.js";

const lang = document.documentElement.lang === "fa" ? "fa" : "en";
const form = document.getElementById("measure");

if (form instanceof HTMLFormElement) {
  const send = form.querySelector("button[type=submit]");
  const stop = document.getElementById("measure-stop");
  const bar = document.getElementById("measure-bar");
  const told = document.getElementById("measure-words");
  const names = new Map([...form.querySelectorAll("option")].map((option) => [option.value, option.textContent ?? ""]));
  if (send instanceof HTMLButtonElement && stop && bar instanceof HTMLProgressElement && told) {
    form.classList.add("is-scripted");
    send.textContent = send.dataset.all ?? "";
    /** @type {AbortController | null} */
    let current = null;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const codes = (form.dataset.waiting ?? "").split(" ").filter(Boolean);
      const controller = (current = new AbortController());
      const token = String(new FormData(form).get("csrfmiddlewaretoken"));
      send.disabled = true;
      stop.hidden = bar.hidden = false;
      let isOver = true;
      for (const [at, code] of codes.entries()) {
        bar.value = at / codes.length;
        told.textContent = (send.dataset.of ?? "").replace("%(n)s", number(at + 1, lang)).replace("%(all)s", number(codes.length, lang)).replace("%(place)s", names.get(code) ?? code);
        const body = new URLSearchParams({ place: code, csrfmiddlewaretoken: token });
        try {
          const answer = await fetch(location.href, { method: "POST", body, signal: controller.signal, redirect: "manual" });
          if (answer.status >= 400) throw new Error(String(answer.status));
        } catch {
          isOver = controller.signal.aborted;
          if (!isOver) told.textContent = send.dataset.failed ?? "";
          break;
        }
      }
      send.disabled = false;
      stop.hidden = bar.hidden = true;
      if (isOver) location.reload();
    });
    stop.addEventListener("click", () => current?.abort());
  }
}
