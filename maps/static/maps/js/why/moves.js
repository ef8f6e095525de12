// @ts-check
/** What would move a place across the line takes seconds to find: it is asked for once the page stands, and can be stopped. */

const found = document.getElementById("moves-found");

if (found?.dataset.address) {
  const waiting = found.querySelector(".waiting");
  const busy = found.querySelector(".busy");
  const controller = new AbortController();
  /** @param {boolean} isUnderWay */
  const tell = (isUnderWay) => {
    found.setAttribute("aria-busy", String(isUnderWay));
    if (waiting instanceof HTMLElement) waiting.hidden = isUnderWay;
    if (busy instanceof HTMLElement) busy.hidden = !isUnderWay;
  };
  busy?.querySelector("button")?.addEventListener("click", () => controller.abort());
  void ask(found, found.dataset.address);

  /** @param {HTMLElement} shown @param {string} address */
  async function ask(shown, address) {
    tell(true);
    try {
      const answer = await fetch(address, { signal: controller.signal, headers: { Accept: "text/html" } });
      // A question that cannot be answered is answered with the reason, as a part of the page, too.
      if (!answer.ok && answer.status !== 400 && answer.status !== 404) throw new Error(answer.statusText);
      shown.innerHTML = await answer.text();
      shown.setAttribute("aria-busy", "false");
    } catch {
      tell(false);
      if (!controller.signal.aborted && waiting) waiting.append(` ${shown.dataset.failed ?? ""}`);
    }
  }
}

export {};
