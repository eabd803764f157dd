import { setImmediate } from 'node:timers/promises';
import type { Precedence } from './precedence.ts';

/**
 * Runs pieces of work that each hold the process for milliseconds one after another, and lets other requests be answered
 * between two of them.
 */
export class Turns {
  readonly #precedence: Precedence;
  #last: Promise<unknown> = Promise.resolve();

  /** @param precedence - What goes first is let past before each piece. */
  constructor(precedence: Precedence) {
    this.#precedence = precedence;
  }

  /** Runs `work` when its turn has come; settles as it does. */
  take<Result>(work: () => Result): Promise<Result> {
    const result = this.#last
      .then(() => this.#precedence.giveWay())
      .then(() => setImmediate())
      .then(work);
    // A failure is that of whoever gave the work.
    this.#last = result.catch(() => undefined);
    return result;
  }
}
