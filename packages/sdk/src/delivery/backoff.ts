const FIRST_MS = 500;
const GROWTH = 1.5;
const LONGEST_MS = 30_000;

/** How long to wait after each failure in a row: half a second, growing to half a minute, with jitter. */
export class Backoff {
  failures = 0;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Counts one more failure; returns the wait in milliseconds. */
  next(): number {
    const longest = Math.min(FIRST_MS * GROWTH ** this.failures, LONGEST_MS);
    this.failures += 1;
    return longest * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.failures = 0;
  }
}
