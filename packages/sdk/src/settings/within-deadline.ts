import { clearTimer, setHoldingTimer } from './timers.ts';

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
