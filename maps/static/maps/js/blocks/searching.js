// @ts-check
/** Looking for new paths takes seconds: the page says so meanwhile, and the reader may stop waiting. */

/** Let the form that looks for paths say that it is at work. */
export function searching() {
  const form = document.getElementById("find");
  const stop = document.getElementById("find-stop");
  const told = document.getElementById("find-words");
  const send = form?.querySelector("button[type=submit]");
  if (!(form instanceof HTMLFormElement) || !(send instanceof HTMLButtonElement) || !stop || !told) return;
  /** @type {AbortController | null} */
  let current = null;
  /** @param {string} text @param {boolean} isBusy */
  const tell = (text, isBusy) => {
    told.textContent = text;
    send.disabled = isBusy;
    stop.hidden = !isBusy;
    form.setAttribute("aria-busy", String(isBusy));
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const controller = (current = new AbortController());
    tell(send.dataset.busy ?? "", true);
    try {
      const answer = await fetch(location.href, { method: "POST", body: new FormData(form), signal: controller.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      // The answer is the page with the alternatives in it, which the server has kept.
      location.assign(answer.url.replace(/#.*$/, "") + "#paths");
    } catch {
      if (current === controller) tell(controller.signal.aborted ? "" : (send.dataset.failed ?? ""), false);
    }
  });
  stop.addEventListener("click", () => current?.abort());
}
