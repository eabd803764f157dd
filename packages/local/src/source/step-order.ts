import { appendMissingSteps, orderSteps, type Window } from '@convotel/query';
import type { Asking } from './asking.ts';
import { findNewest } from './newest-conversations.ts';
import type { NumberedConversation } from './numbered-conversations.ts';

/** How many of the newest conversations of the window decide the order of steps. */
const CONVERSATIONS_THAT_DECIDE = 500;

/** `steps` in step order. */
export async function orderStepsOf(asking: Asking, window: Window, steps: readonly string[]): Promise<string[]> {
  const newest = await findNewest(asking, window, CONVERSATIONS_THAT_DECIDE);
  const wanted = new Set(steps);
  return appendMissingSteps(orderSteps(newest.map(firstOffsetsMs)), steps).filter((step) => wanted.has(step));
}

function firstOffsetsMs({ spans, conversation }: NumberedConversation): Map<string, number> {
  const offsets = new Map<string, number>();
  for (const { step, startTimeUnixNano } of spans) {
    if (step === undefined) continue;
    const offsetMs = Number(startTimeUnixNano - conversation.startTimeUnixNano) / 1e6;
    const known = offsets.get(step);
    if (known === undefined || offsetMs < known) offsets.set(step, offsetMs);
  }
  return offsets;
}
