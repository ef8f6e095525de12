import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AskError, asker, fetchJson } from "../../maps/static/maps/js/fetching.js";

/** An asker whose questions are answered by hand. */
function byHand() {
  const log = { taken: [], failed: [], told: [], asked: [], aborted: [] };
  const answers = new Map();
  const ask = asker({
    ask: (address, signal) =>
      new Promise((resolve, reject) => {
        log.asked.push(address);
        answers.set(address, { resolve, reject });
        signal.addEventListener("abort", () => {
          log.aborted.push(address);
          reject(new DOMException("aborted", "AbortError"));
        });
      }),
    take: (answer) => log.taken.push(answer),
    fail: (error) => log.failed.push(error),
    tell: (isUnderWay) => log.told.push(isUnderWay),
  });
  return { ask, answers, log };
}

test("while a slider moves only its last place is asked for", async () => {
  const { ask, answers, log } = byHand();
  for (const place of ["a", "b", "c"]) ask(place, 15);
  await sleep(60);
  assert.deepEqual(log.asked, ["c"]);
  answers.get("c").resolve("answer c");
  await sleep(0);
  assert.deepEqual(log.taken, ["answer c"]);
});

test("an earlier question is given up, and its late answer is not taken", async () => {
  const { ask, answers, log } = byHand();
  ask("a");
  ask("b");
  answers.get("b").resolve("answer b");
  answers.get("a").resolve("answer a");
  await sleep(0);
  assert.deepEqual(log.aborted, ["a"]);
  assert.deepEqual(log.taken, ["answer b"]);
  assert.deepEqual(log.failed, [], "giving up is no fault");
  assert.equal(log.told.at(-1), false);
});

test("a fault is told, and asking goes on afterwards", async () => {
  const { ask, answers, log } = byHand();
  ask("a");
  answers.get("a").reject(new TypeError("network"));
  await sleep(0);
  assert.equal(log.failed[0].kind, "unreachable");
  ask("b");
  answers.get("b").resolve("answer b");
  await sleep(0);
  assert.deepEqual(log.taken, ["answer b"]);
  assert.deepEqual(log.told, [true, false, true, false]);
});

test("a refusal carries the server's own words", async (context) => {
  const server = createServer((request, response) => {
    if (request.url === "/good") return response.writeHead(200, { "Content-Type": "application/json" }).end('{"n": 1}');
    if (request.url === "/html") return response.writeHead(502).end("<h1>Bad gateway</h1>");
    response.writeHead(400, { "Content-Type": "application/problem+json" });
    return response.end(JSON.stringify({ title: "All weights are zero.", remedy: "Give at least one a weight." }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  const base = `http://127.0.0.1:${server.address().port}`;
  const { signal } = new AbortController();
  assert.deepEqual(await fetchJson(`${base}/good`, signal), { n: 1 });
  await assert.rejects(fetchJson(`${base}/bad`, signal), (error) => error instanceof AskError && error.kind === "refused" && error.message === "All weights are zero. Give at least one a weight.");
  await assert.rejects(fetchJson(`${base}/html`, signal), { kind: "refused", message: "502" });
});
