import { performance } from 'node:perf_hooks';
import {
  clearTimeout as realClearTimeout,
  setImmediate as realSetImmediate,
  setTimeout as realSetTimeout,
} from 'node:timers';

// Not the global ones: a test's fake timers, which Jest may have installed before this module loads, do not stop delivery.
const realNow = performance.now.bind(performance);

/** Milliseconds on a clock that never goes back. */
export function nowMs(): number {
  return realNow();
}

/** Calls `work` after `delayMs`; does not keep the process alive. */
export function setTimer(work: () => void, delayMs: number): NodeJS.Timeout {
  return realSetTimeout(work, delayMs).unref();
}

/** The same, and the process waits for it. */
export function setHoldingTimer(work: () => void, delayMs: number): NodeJS.Timeout {
  return realSetTimeout(work, delayMs);
}

export function clearTimer(timer: NodeJS.Timeout | undefined): void {
  realClearTimeout(timer);
}

/** Calls `work` when the present turn of the event loop is over; does not keep the process alive. */
export function soon(work: () => void): void {
  realSetImmediate(work).unref();
}

/** Waits for `work`, but not longer than `deadlineMs`; false when that was not enough. Rejects when `work` does in time. */
export async function withinDeadline(work: Promise<unknown>, deadlineMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<false>((resolve) => {
    timer = setHoldingTimer(() => resolve(false), deadlineMs);
  });
  try {
    return await Promise.race([work.then(() => true), expired]);
  } finally {
    clearTimer(timer);
  }
}
