import { setImmediate } from 'node:timers/promises';
import { SerialQueue } from '@convotel/query/engine';

/** Longest time that bulk work yields at once, so that it makes slow progress under any load of questions. */
const MAX_WAIT_MS = 10;

/**
 * Gives short work that someone waits for priority over bulk work on the same event loop. A question makes dozens of calls
 * to the database one after another; if a piece of bulk work came between any two, the question would take ten times as long.
 */
export class ForegroundGate {
  #running = 0;
  readonly #waiting = new Set<() => void>();

  /** Runs `work`; bulk work yields to it until it settles. */
  async runFirst<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) for (const goOn of this.#waiting) goOn();
    }
  }

  /** Resolves when no foreground work is running, and after some milliseconds at the latest. */
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
 * Runs pieces of work that each block the event loop for milliseconds, one after another, and lets other requests be
 * answered between two of them.
 */
export class BulkQueue {
  readonly #gate: ForegroundGate;
  readonly #queue = new SerialQueue();

  constructor(gate: ForegroundGate) {
    this.#gate = gate;
  }

  /** Runs `work` when its turn has come; settles as it does. */
  run<Result>(work: () => Result): Promise<Result> {
    return this.#queue.run(async () => {
      await this.#gate.yield();
      await setImmediate();
      return work();
    });
  }
}
