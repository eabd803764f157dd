import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `condition` holds; the deadline is for a broken program, not for a slow machine. */
export async function waitUntil(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(2);
  }
}
