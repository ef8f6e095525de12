// @ts-check
/** The form of a plan: what the chosen aim does not need is put away, and the standard of the service is told. */

const form = document.getElementById("siting-form");

/** @param {HTMLFormElement} of */
function follow(of) {
  const data = new FormData(of);
  of.dataset.model = String(data.get("model") ?? "mclp");
  of.dataset.limit = String(data.get("limit") ?? "sites");
  const service = of.querySelector("#f-service");
  const standard = document.getElementById("standard-text");
  if (service instanceof HTMLSelectElement && standard) standard.textContent = service.selectedOptions[0]?.dataset.standard ?? "";
}

if (form instanceof HTMLFormElement) {
  form.classList.add("is-live");
  form.addEventListener("input", () => follow(form));
  follow(form);
  document.getElementById("refusal")?.focus();
}

export {};
