import { appendMissingSteps, orderSteps } from '../../model/step-order.ts';
import { isInWindow } from '../../model/window.ts';
import type { Window } from '../../model/window.ts';
import { compareNewestFirst } from './trace.ts';
import type { ConversationTrace } from './trace.ts';

/** How many of the newest conversations decide the order of steps. */
const CONVERSATIONS_THAT_DECIDE = 500;

/** `steps` in step order: by the newest conversations that start in `window`, then those that none of them has. */
export function orderStepsOf(
  conversations: readonly ConversationTrace[],
  window: Window,
  steps: ReadonlySet<string>,
): string[] {
  const newest = conversations
    .filter(({ conversation }) => isInWindow(conversation.startTimeUnixNano, window))
    .sort(compareNewestFirst)
    .slice(0, CONVERSATIONS_THAT_DECIDE);
  const ordered = orderSteps(newest.map(firstOffsetsMs));
  return appendMissingSteps(ordered, steps).filter((step) => steps.has(step));
}

/** First start of each step − start of the conversation, in ms. */
export function firstOffsetsMs({ spans, conversation }: ConversationTrace): Map<string, number> {
  const offsets = new Map<string, number>();
  for (const { step, startTimeUnixNano } of spans) {
    if (step === undefined) continue;
    const offsetMs = Number(startTimeUnixNano - conversation.startTimeUnixNano) / 1e6;
    const known = offsets.get(step);
    if (known === undefined || offsetMs < known) offsets.set(step, offsetMs);
  }
  return offsets;
}
