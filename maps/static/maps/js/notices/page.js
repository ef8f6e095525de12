// @ts-check
/** What is opened from the list is read: the same form is sent that the button sends, while the page already goes on. */

for (const link of document.querySelectorAll("a[data-notice]")) {
  link.addEventListener("click", () => {
    const form = link.closest("li")?.querySelector("form");
    if (form) void fetch(form.action, { method: "POST", body: new FormData(form), keepalive: true, redirect: "manual" }).catch(() => {});
  });
}
