import { setTimeout as sleep } from 'node:timers/promises';

const INTERVAL_MS = 100;

/** How long to wait. */
export interface WaitOptions {
  /** @defaultValue `30_000` */
  timeoutMs?: number;
}

/**
 * Asks `check` again and again until it answers something other than `undefined` or `false`, and returns that.
 * @param what What is waited for, for the error's message, such as `Jaeger to have 2000 traces`.
 * @throws `Error` when the time is over, with what `check` threw last as its cause.
 */
export async function waitUntil<Found>(
  what: string,
  check: () => Promise<Found | undefined | false>,
  { timeoutMs = 30_000 }: WaitOptions = {},
): Promise<Found> {
  const endMs = Date.now() + timeoutMs;
  let last: unknown;
  do {
    try {
      const found = await check();
      if (found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(INTERVAL_MS);
  } while (Date.now() < endMs);
  throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`, { cause: last });
}

/** Waits until `url` answers 200. */
export async function waitForOk(url: string, options?: WaitOptions): Promise<void> {
  await waitUntil(`${url} to answer 200`, async () => (await fetch(url)).status === 200, options);
}
