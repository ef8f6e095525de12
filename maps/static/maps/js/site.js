// @ts-check
/** What every page does: dialogs that open and close, keyboard shortcuts, printing. */

for (const opener of document.querySelectorAll("[data-open]")) {
  const dialog = document.getElementById(opener.getAttribute("data-open") ?? "");
  if (!(dialog instanceof HTMLDialogElement)) continue;
  if (opener instanceof HTMLElement) opener.hidden = false;
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.showModal();
  });
  for (const closer of dialog.querySelectorAll("[data-close]")) closer.addEventListener("click", () => dialog.close());
}

// In a row of entries that is wider than the screen, that of this page is seen, and whichever has the focus, whole.
for (const bar of document.querySelectorAll(".city-bar, .tabs.pages")) {
  /** @param {EventTarget | null} entry */
  const reveal = (entry) => {
    if (!(entry instanceof Element)) return;
    const [shown, whole] = [entry.getBoundingClientRect(), bar.getBoundingClientRect()];
    if (shown.left < whole.left || shown.right > whole.right) bar.scrollLeft += (shown.left + shown.right - whole.left - whole.right) / 2;
  };
  reveal(bar.querySelector("[aria-current]"));
  bar.addEventListener("focusin", (event) => reveal(event.target));
}

for (const button of document.querySelectorAll("[data-print]")) {
  if (button instanceof HTMLElement) button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// Scripts may have changed the address since the page was made; whoever switches the language or signs in comes back to what they see.
document.addEventListener("submit", (event) => {
  const next = event.target instanceof HTMLFormElement && event.target.hasAttribute("data-return") ? event.target.elements.namedItem("next") : null;
  if (next instanceof HTMLInputElement) next.value = location.pathname + location.search;
  // Who signs out leaves no form behind that is filled in under their name; their reports stay until they sign in again.
  if (event.target instanceof HTMLFormElement && event.target.hasAttribute("data-leave")) for (const name of ["mahalleh-forms", "mahalleh-needs-form"]) void globalThis.caches?.delete(name);
});
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-return]") : null;
  if (link instanceof HTMLAnchorElement) link.search = new URLSearchParams({ next: location.pathname + location.search }).toString();
});

/** @param {EventTarget | null} target */
function isWriting(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) && !(target instanceof HTMLInputElement && /^(radio|range|checkbox)$/.test(target.type));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
  if (event.key === "?" || event.key === "؟") {
    const dialog = document.getElementById("shortcuts");
    if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  } else if (event.key === "/") {
    const search = document.getElementById("q");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
});
