/** A clock that deviates further than this from the expected time has jumped. */
export const MAX_STEP_MS = 86_400_000;
/** How long a back end must run after a jump of the clock before the new time is believed. */
export const WATCH_MS = 86_400_000;
/** 2025-01-01. A clock that shows an earlier time has never been set. */
const FIRST_CREDIBLE_MS = Date.UTC(2025, 0, 1);

/** What is remembered about the clock between runs of a back end. */
export interface ClockState {
  /** The time that was believed last, in Unix milliseconds. */
  trustedMs: number;
  /** For how many milliseconds a jump has been watched; 0 without one. */
  watchedMs: number;
}

/**
 * Decides which time is used to judge the age of data. A machine's clock may be wrong by years, after a dead battery or
 * by a bad time server, and data that was deleted for its age does not come back. So a clock that jumps by more than a
 * day is watched for a day of running time before it is believed, and meanwhile time goes on from where it was. One that
 * jumps again, by more than a day, is watched anew.
 */
export class TrustedClock {
  #state: ClockState;
  #isJumping = false;
  /** How far ahead of the expected time it was the last time, if it had jumped. */
  #jumpMs: number | undefined;

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
   * Records what the clock shows.
   * @param nowMs - What it shows.
   * @param elapsedMs - Time that has passed since the last call, by a clock that cannot be set; 0 at the start.
   */
  observe(nowMs: number, elapsedMs: number): void {
    const { trustedMs, watchedMs } = this.#state;
    const expectedMs = trustedMs + elapsedMs;
    const jumpMs = nowMs - expectedMs;
    const earlierJumpMs = this.#jumpMs ?? jumpMs;
    this.#isJumping = Math.abs(jumpMs) > MAX_STEP_MS;
    this.#jumpMs = this.#isJumping ? jumpMs : undefined;
    if (!this.#isJumping) {
      // A clock that was set back a little is believed once it has caught up.
      this.#state = { trustedMs: Math.max(trustedMs, nowMs), watchedMs: 0 };
      return;
    }
    const watched = Math.abs(jumpMs - earlierJumpMs) > MAX_STEP_MS ? 0 : watchedMs + elapsedMs;
    if (watched < WATCH_MS || nowMs < FIRST_CREDIBLE_MS) {
      this.#state = { trustedMs: expectedMs, watchedMs: watched };
      return;
    }
    this.#isJumping = false;
    this.#jumpMs = undefined;
    this.#state = { trustedMs: nowMs, watchedMs: 0 };
  }

  /** The time for judging whether data is too old: the earlier of the clock and the believed time. */
  earliestMs(nowMs: number): number {
    return Math.min(nowMs, this.#state.trustedMs);
  }

  /** The time for judging whether data is from the future. */
  latestMs(nowMs: number): number {
    return nowMs < FIRST_CREDIBLE_MS ? Infinity : Math.max(nowMs, this.#state.trustedMs);
  }
}
