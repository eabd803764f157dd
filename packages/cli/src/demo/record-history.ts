import { newConversationId } from '@convotel/conventions';
import { startConversation } from '@convotel/tracing';
import type { PlannedConversation } from './plan-history.ts';

/** Workflow of the made-up past. */
export const HISTORY_WORKFLOW = 'voice';

/** Silence between two steps, as a real pipeline has it. */
const GAP_MS = 2;

/** Makes the spans of conversations that are already over, with their own times. Returns their ids, in the same order. */
export function recordHistory(conversations: readonly PlannedConversation[]): string[] {
  return conversations.map(({ startUnixMs, sessionId, steps }) => {
    const conversationId = newConversationId(() => new Date(startUnixMs));
    const conversation = startConversation({
      conversationId,
      sessionId,
      workflow: HISTORY_WORKFLOW,
      startTime: startUnixMs,
    });
    let timeUnixMs = startUnixMs;
    for (const { step, durationMs, errorMessage, ...used } of steps) {
      conversation.recordStep(step, {
        ...used,
        startTime: timeUnixMs,
        endTime: timeUnixMs + durationMs,
        ...(errorMessage === undefined ? {} : { error: new Error(errorMessage) }),
      });
      timeUnixMs += durationMs + GAP_MS;
    }
    conversation.end({ endTime: timeUnixMs - GAP_MS });
    return conversationId;
  });
}
