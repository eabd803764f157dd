import { setImmediate } from 'node:timers/promises';

/** Runs at most `maxRunning` tasks at the same time; further ones wait in a queue. */
export class ConcurrencyLimiter {
  readonly #waiting: (() => void)[] = [];
  readonly #maxRunning: number;
  #running = 0;
  #idle: { promise: Promise<void>; resolve: () => void } | undefined;

  constructor(maxRunning: number) {
    this.#maxRunning = maxRunning;
  }

  /** Runs `work` as soon as there is room. Its failure is the caller's to handle; other work goes on. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#maxRunning) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The slot is passed directly to the first task in the queue.
      const next = this.#waiting.shift();
      if (next === undefined) this.#leave();
      else next();
    }
  }

  /** Resolves when no task is running or waiting. */
  async whenIdle(): Promise<void> {
    if (this.#running === 0) return;
    if (this.#idle === undefined) {
      let resolve: () => void = () => undefined;
      const promise = new Promise<void>((settle) => (resolve = settle));
      this.#idle = { promise, resolve };
    }
    await this.#idle.promise;
  }

  #leave(): void {
    this.#running -= 1;
    if (this.#running > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}

/** Runs one task after another, in order. */
export class SerialQueue extends ConcurrencyLimiter {
  constructor() {
    super(1);
  }
}

/** Maximum time for which a long computation blocks the event loop, in milliseconds. */
const MAX_SLICE_MS = 10;

/** Maps `items` in order, and lets other work run after every {@link MAX_SLICE_MS}, so that large conversations do not block it. */
export async function mapInSlices<Item, Result>(items: Iterable<Item>, map: (item: Item) => Result): Promise<Result[]> {
  const results: Result[] = [];
  let sliceEndMs = performance.now() + MAX_SLICE_MS;
  for (const item of items) {
    results.push(map(item));
    // Checks the clock only occasionally, because that takes longer than a short task.
    if (results.length % 32 !== 0 || performance.now() < sliceEndMs) continue;
    await setImmediate();
    sliceEndMs = performance.now() + MAX_SLICE_MS;
  }
  return results;
}
