import { setImmediate } from 'node:timers/promises';

/**
 * Runs pieces of work that each hold the process for milliseconds one after another, and lets other requests be answered
 * between two of them.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when its turn has come; settles as it does. */
  take<Result>(work: () => Result): Promise<Result> {
    const result = this.#last.then(() => setImmediate()).then(work);
    // A failure is that of whoever gave the work.
    this.#last = result.catch(() => undefined);
    return result;
  }
}
