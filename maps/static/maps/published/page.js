/**
 * Our page of a published map: the table sorts and shows places in the frame, the embed code can be copied.
 */
import { makeChoosable, makeSortable } from "./table.js";

const words = JSON.parse(document.getElementById("words").textContent);
const table = /** @type {HTMLTableElement} */ (document.getElementById("places"));
const frame = /** @type {HTMLIFrameElement} */ (document.getElementById("map"));
const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;

makeSortable(table, words);
makeChoosable(table, words, (index) => {
  // The frame is sandboxed and has no origin of its own to name; it is told nothing but the number of a row.
  frame.contentWindow.postMessage({ kind: "show-place", row: index }, "*");
  frame.scrollIntoView({ block: "nearest", behavior: isCalm ? "auto" : "smooth" });
});

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-copy]"))) {
  const source = /** @type {HTMLTextAreaElement} */ (document.getElementById(button.dataset.copy));
  button.hidden = false;
  button.addEventListener("click", async () => {
    source.select();
    try {
      await navigator.clipboard.writeText(source.value);
    } catch {
      document.execCommand("copy"); // where the page is not served securely there is no clipboard object
    }
    button.parentElement.querySelector("[role=status]").textContent = words.copied;
  });
}
