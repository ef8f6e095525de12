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

for (const button of document.querySelectorAll("[data-print]")) {
  if (button instanceof HTMLElement) button.hidden = false;
  button.addEventListener("click", () => window.print());
}

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
