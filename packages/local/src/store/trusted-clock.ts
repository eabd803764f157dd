/** A clock that is further ahead of, or behind, what it should show by now has jumped. */
export const MAX_STEP_MS = 86_400_000;
/** For so long a clock that has jumped must be watched, while a back end runs, before it is believed. */
export const WATCH_MS = 86_400_000;
/** Before this a clock has not been set at all. 2025-01-01. */
const FIRST_CREDIBLE_MS = Date.UTC(2025, 0, 1);

/** What is remembered of a clock from one run of a back end to the next. */
export interface ClockState {
  /** The time that was believed last, in Unix milliseconds. */
  trustedMs: number;
  /** For how many milliseconds a jump has been watched; 0 without one. */
  watchedMs: number;
}

/**
 * Decides which time the age of data is judged by. A machine's clock may be wrong by years, after a dead battery or by a
 * bad time server, and data that was deleted for its age does not come back. So a clock that jumps by more than a day is
 * watched for a day of running time before it is believed, and meanwhile time goes on from where it was.
 */
export class TrustedClock {
  #state: ClockState;
  #isJumping = false;

  constructor(state: ClockState) {
    this.#state = { ...state };
  }

  get state(): Readonly<ClockState> {
    return this.#state;
  }

  /** Whether the clock shows a time that is not believed yet. */
  get isJumping(): boolean {
    return this.#isJumping;
  }

  /**
   * Takes note of what the clock shows.
   * @param nowMs - What it shows.
   * @param elapsedMs - Time that has passed since the last call, by a clock that cannot be set; 0 at the start.
   */
  observe(nowMs: number, elapsedMs: number): void {
    const { trustedMs, watchedMs } = this.#state;
    const expectedMs = trustedMs + elapsedMs;
    this.#isJumping = Math.abs(nowMs - expectedMs) > MAX_STEP_MS;
    if (!this.#isJumping) {
      // Set back a little, it is believed when it has caught up.
      this.#state = { trustedMs: Math.max(trustedMs, nowMs), watchedMs: 0 };
      return;
    }
    const watched = watchedMs + elapsedMs;
    if (watched < WATCH_MS || nowMs < FIRST_CREDIBLE_MS) {
      this.#state = { trustedMs: expectedMs, watchedMs: watched };
      return;
    }
    this.#isJumping = false;
    this.#state = { trustedMs: nowMs, watchedMs: 0 };
  }

  /** The time by which data may be called old: never later than the clock, nor than what is believed of it. */
  earliestMs(nowMs: number): number {
    return Math.min(nowMs, this.#state.trustedMs);
  }

  /** The time by which data may be called to be from the future. */
  latestMs(nowMs: number): number {
    return nowMs < FIRST_CREDIBLE_MS ? Infinity : Math.max(nowMs, this.#state.trustedMs);
  }
}
