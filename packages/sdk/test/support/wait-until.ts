import { setTimeout as sleep } from 'node:timers/promises';

/** For a broken program, not for a slow machine. */
const DEADLINE_MS = 25_000;

/** Asks again and again until `condition` holds; rejects when it never does. */
export async function waitUntil(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${condition.toString()}`);
    await sleep(10);
  }
}
