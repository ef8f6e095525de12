// @ts-check
/**
 * Asking the server for results while a reader moves a slider: the last question wins, and a fault is told, not swallowed.
 */

/** A fault of asking: the server refused (with its reason) or could not be reached. */
export class AskError extends Error {
  /**
   * @param {"refused" | "unreachable"} kind
   * @param {string} message
   */
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

/**
 * Make a function that asks after a pause, gives up on earlier questions, and hands each answer that still matters to `take`.
 *
 * @template T
 * @param {object} parts
 * @param {(address: string, signal: AbortSignal) => Promise<T>} parts.ask
 * @param {(answer: T) => void} parts.take
 * @param {(error: AskError) => void} parts.fail
 * @param {(isUnderWay: boolean) => void} parts.tell
 * @param {(run: () => void, ms: number) => unknown} [parts.later] for tests
 * @returns {(address: string, pause_ms?: number) => void}
 */
export function asker({ ask, take, fail, tell, later = setTimeout }) {
  let turn = 0;
  /** @type {AbortController | null} */
  let current = null;
  return (address, pause_ms = 0) => {
    const mine = ++turn;
    const run = async () => {
      if (mine !== turn) return;
      current?.abort();
      const controller = (current = new AbortController());
      tell(true);
      try {
        const answer = await ask(address, controller.signal);
        if (mine === turn) take(answer);
      } catch (error) {
        if (controller.signal.aborted || mine !== turn) return;
        fail(error instanceof AskError ? error : new AskError("unreachable", String(error)));
      } finally {
        if (mine === turn) tell(false);
      }
    };
    if (pause_ms > 0) later(run, pause_ms);
    else void run();
  };
}

/**
 * Fetch JSON from our own host; a problem+json answer becomes an error with its text.
 * @param {string} address
 * @param {AbortSignal} signal
 */
export async function fetchJson(address, signal) {
  const response = await fetch(address, { signal, headers: { Accept: "application/json" } });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new AskError("refused", [problem.title, problem.remedy].filter(Boolean).join(" ") || String(response.status));
}
