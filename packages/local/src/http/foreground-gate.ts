import { setImmediate } from 'node:timers/promises';
import { SerialQueue } from '@convotel/query/engine';

/** Maximum time that bulk work waits in one `yield`, so that it always makes some progress. */
const MAX_WAIT_MS = 10;

/**
 * Gives interactive work priority over bulk work on the same event loop. A question makes dozens of database calls one
 * after another; with bulk work between any two of them, it would take ten times as long.
 */
export class ForegroundGate {
  #running = 0;
  readonly #waiting = new Set<() => void>();

  /** Runs `work`. Bulk work yields until it settles. */
  async runFirst<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) for (const goOn of this.#waiting) goOn();
    }
  }

  /** Resolves when no foreground work is running, or after {@link MAX_WAIT_MS}. */
  async yield(): Promise<void> {
    if (this.#running === 0) return;
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(goOn);
        resolve();
      };
      const timer = setTimeout(goOn, MAX_WAIT_MS);
      this.#waiting.add(goOn);
    });
  }
}

/**
 * Runs tasks that block the event loop for milliseconds one after another, and lets other requests be answered between
 * them.
 */
export class BulkQueue {
  readonly #gate: ForegroundGate;
  readonly #queue = new SerialQueue();

  constructor(gate: ForegroundGate) {
    this.#gate = gate;
  }

  /** Runs `work` after the tasks before it; settles with its result. */
  run<Result>(work: () => Result): Promise<Result> {
    return this.#queue.run(async () => {
      await this.#gate.yield();
      await setImmediate();
      return work();
    });
  }
}
