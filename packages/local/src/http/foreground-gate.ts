import { setImmediate } from 'node:timers/promises';
import { SerialQueue } from '@convotel/query/engine';

/** How long bulk work waits for questions before it continues anyway: most are answered in less. */
const MAX_WAIT_MS = 80;
/** How long it then continues without waiting. While questions never stop, it has a quarter of the time. */
const TURN_MS = 25;
/** What a piece of bulk work that need not wait takes off the time waited before. */
const PIECE_MS = 10;

/**
 * Gives interactive work priority over bulk work on the same event loop. A question makes dozens of database calls one
 * after another; with bulk work between any two of them, it would take several times as long.
 */
export class ForegroundGate {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  #waitingSinceMs = 0;
  /** Ends the present wait. */
  #timer: NodeJS.Timeout | undefined;
  /** Waited in vain so far, over several questions. */
  #waitedMs = 0;
  #turnEndsMs = -Infinity;

  /** Runs `work`. Bulk work yields until it settles. */
  async runFirst<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      if (this.#running === 0 && this.#waiting.length > 0) {
        this.#waitedMs += performance.now() - this.#waitingSinceMs;
        this.#release();
      }
    }
  }

  /**
   * Resolves when no foreground work is running, or when bulk work has waited for {@link MAX_WAIT_MS} altogether; then it
   * does not wait for the next {@link TURN_MS}.
   */
  async yield(): Promise<void> {
    if (this.#running === 0) {
      this.#waitedMs = Math.max(0, this.#waitedMs - PIECE_MS);
      return;
    }
    if (performance.now() < this.#turnEndsMs) return;
    if (this.#waiting.length === 0) {
      this.#waitingSinceMs = performance.now();
      this.#timer = setTimeout(() => this.#takeTurn(), Math.max(0, MAX_WAIT_MS - this.#waitedMs));
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #takeTurn(): void {
    this.#waitedMs = 0;
    this.#turnEndsMs = performance.now() + TURN_MS;
    this.#release();
  }

  #release(): void {
    clearTimeout(this.#timer);
    for (const resume of this.#waiting.splice(0)) resume();
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
