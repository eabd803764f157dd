import { appendMissingSteps, orderSteps, type Window } from '@convotel/query';
import type { Asking } from './asking.ts';
import type { Extent } from './extent.ts';
import { findNewestFirstStarts } from './newest-conversations.ts';

/** How many of the newest conversations of the window decide the order of steps. */
const CONVERSATIONS_THAT_DECIDE = 500;

/** `steps` in step order. `extent` is that of `window`. */
export async function orderStepsOf(
  asking: Asking,
  window: Window,
  steps: readonly string[],
  extent: Extent | undefined,
): Promise<string[]> {
  if (steps.length < 2) return [...steps];
  const conversations = await findNewestFirstStarts(asking, { window, limit: CONVERSATIONS_THAT_DECIDE, extent });
  const offsets = conversations.map((rows) => {
    const ofSteps = rows.filter((row) => row['step'] !== null);
    return new Map(ofSteps.map((row) => [row['step'] as string, Number(row['offset_ns']) / 1e6]));
  });
  const wanted = new Set(steps);
  const ordered = appendMissingSteps(orderSteps(offsets), steps);
  return ordered.filter((step) => wanted.has(step));
}
