// @ts-check
/**
 * Keeps the form of a report on the phone, so that it opens without a connection. Whatever the network answers comes first; what was
 * kept is shown only where it does not answer. Everything else of the site goes past it. Served under the addresses of needs and under
 * those of capacities, each of which it rules alone.
 */

const KEPT = "mahalleh-forms";
/** Where phones kept the form of needs before there were others. */
const KEPT_BEFORE = "mahalleh-needs-form";
const FORMS = ["/needs/report/", "/capacities/new/"];
const worker = /** @type {any} */ (self);

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));

/** @param {string} address @returns {boolean} whether it is part of the form */
function isPart(address) {
  const { origin, pathname } = new URL(address);
  return origin === worker.location.origin && (pathname.startsWith("/static/") || FORMS.some((form) => pathname.endsWith(form)));
}

/** @param {Request} request */
async function answer(request) {
  const cache = await caches.open(KEPT);
  try {
    const response = await fetch(request);
    if (response.ok && !response.redirected && response.type === "basic") await cache.put(request.url.split("?")[0], response.clone());
    return response;
  } catch (error) {
    for (const one of [cache, await caches.open(KEPT_BEFORE)]) {
      const kept = await one.match(request.url.split("?")[0], { ignoreVary: true });
      if (kept) return kept;
    }
    throw error;
  }
}

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  if (event.request.method === "GET" && isPart(event.request.url)) event.respondWith(answer(event.request));
});

// What the page had fetched before this worker was there.
worker.addEventListener("message", (/** @type {any} */ event) => {
  const addresses = /** @type {string[]} */ (event.data?.keep ?? []).filter(isPart);
  event.waitUntil((async () => {
    const before = await caches.open(KEPT_BEFORE);
    await Promise.all(addresses.map(async (address) => {
      const response = await answer(new Request(address, { credentials: "same-origin" })).catch(() => null);
      if (response?.ok) await before.delete(address.split("?")[0], { ignoreVary: true });
    }));
    event.ports[0]?.postMessage(true);
  })());
});
