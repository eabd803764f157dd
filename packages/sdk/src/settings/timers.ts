/** Taken when this module loads, so that a test's fake timers do not stop delivery. */
const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout, setImmediate: realSetImmediate } = globalThis;

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
