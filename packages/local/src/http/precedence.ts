/** Longest that work which gives way waits at one time; so it goes on, slowly, however much is asked. */
const LONGEST_WAIT_MS = 10;

/**
 * Lets short work that somebody waits for go before bulk work on the same event loop. A question makes dozens of calls to
 * the database one after another; if a piece of bulk work came between any two, the question would take ten times as long.
 */
export class Precedence {
  #running = 0;
  readonly #waiting = new Set<() => void>();

  /** Runs `work`, before which others give way until it settles. */
  async goFirst<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) for (const goOn of this.#waiting) goOn();
    }
  }

  /** Resolves when nothing goes first any more, and after some milliseconds at the latest. */
  async giveWay(): Promise<void> {
    if (this.#running === 0) return;
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(goOn);
        resolve();
      };
      const timer = setTimeout(goOn, LONGEST_WAIT_MS);
      this.#waiting.add(goOn);
    });
  }
}
