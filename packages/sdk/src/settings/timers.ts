import { performance } from 'node:perf_hooks';
import {
  clearTimeout as realClearTimeout,
  setImmediate as realSetImmediate,
  setTimeout as realSetTimeout,
} from 'node:timers';

// Not the globals, because fake timers would stop delivery, and Jest may install them before this module loads.
const realNow = performance.now.bind(performance);

/** Monotonic clock, in milliseconds. */
export function nowMs(): number {
  return realNow();
}

/** Calls `work` after `delayMs`; does not keep the process alive. */
export function setTimer(work: () => void, delayMs: number): NodeJS.Timeout {
  return realSetTimeout(work, delayMs).unref();
}

/** Like {@link setTimer}, but keeps the process alive. */
export function setHoldingTimer(work: () => void, delayMs: number): NodeJS.Timeout {
  return realSetTimeout(work, delayMs);
}

export function clearTimer(timer: NodeJS.Timeout | undefined): void {
  realClearTimeout(timer);
}

/** Calls `work` after the current turn of the event loop; does not keep the process alive. */
export function soon(work: () => void): void {
  realSetImmediate(work).unref();
}

/**
 * Waits for `work` for at most `deadlineMs`; resolves to false if it took longer. Rejects if `work` rejects before the
 * deadline.
 */
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
