// @ts-check
/**
 * Asking while something is dragged: one question is under way, the newest waits, those between are never asked. Pure but for the asking.
 *
 * @template Q, A
 * @typedef {object} Parts
 * @property {(question: Q, signal: AbortSignal) => Promise<A>} ask
 * @property {(answer: A, question: Q) => void} take
 * @property {(error: unknown, question: Q) => void} fail
 * @property {(isUnderWay: boolean) => void} tell
 */

/**
 * @template Q, A
 * @param {Parts<Q, A>} parts
 */
export function makePump({ ask, take, fail, tell }) {
  /** @type {AbortController | null} */
  let current = null;
  /** @type {{question: Q} | null} */
  let waiting = null;

  const next = async () => {
    if (current || !waiting) return;
    const { question } = waiting;
    waiting = null;
    const mine = (current = new AbortController());
    tell(true);
    try {
      const answer = await ask(question, mine.signal);
      if (!mine.signal.aborted) take(answer, question);
    } catch (error) {
      if (!mine.signal.aborted) fail(error, question);
    } finally {
      if (current === mine) {
        current = null;
        if (waiting) void next();
        else tell(false);
      }
    }
  };

  return {
    /**
     * Ask as soon as what is under way is answered; at once where its answer would be of another question altogether.
     * @param {Q} question
     * @param {{isOther?: boolean}} [how]
     */
    push(question, { isOther = false } = {}) {
      waiting = { question };
      if (isOther && current) {
        current.abort();
        current = null;
      }
      void next();
    },
    isUnderWay: () => current !== null || waiting !== null,
  };
}
