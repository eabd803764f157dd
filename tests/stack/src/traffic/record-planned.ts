import { trace } from '@opentelemetry/api';
import { joinConversation, startConversation } from '@convotel/tracing';
import type { ConversationHandle } from '@convotel/tracing';
import type { PlannedConversation, PlannedStep } from './plan-conversations.ts';

/** Makes the spans of a planned conversation as a program would that learns of it afterwards. */
export function recordPlanned(planned: PlannedConversation): void {
  const { conversationId, workflow, sessionId, startUnixMs, endUnixMs, steps, outcome, foreignSpan } = planned;
  // The root of an open one is another process's, and never arrives: one of this process would end with it.
  const conversation =
    outcome === 'open'
      ? joinConversation(conversationId, { workflow, sessionId })
      : startConversation({ conversationId, workflow, sessionId, startTime: startUnixMs });
  for (const step of steps) recordStep(conversation, step);
  if (foreignSpan !== undefined) {
    conversation.run(() => {
      const span = trace.getTracer('http').startSpan(foreignSpan.name, { startTime: foreignSpan.startUnixMs });
      span.end(foreignSpan.startUnixMs + foreignSpan.durationMs);
    });
  }
  // Its outcome is left to the rule of the conventions: the worst among the last attempts.
  conversation.end(outcome === 'open' ? undefined : { endTime: endUnixMs });
}

function recordStep(conversation: ConversationHandle, planned: PlannedStep): void {
  const { step, startUnixMs, durationMs, error, attempt, timingsSeconds, timeToFirstOutputSeconds } = planned;
  conversation.recordStep(step, {
    startTime: startUnixMs,
    endTime: startUnixMs + durationMs,
    ...(error !== undefined && { error: Object.assign(new Error(error.message), { name: error.name }) }),
    ...(attempt !== undefined && { attempt }),
    ...(planned.inputText !== undefined && { input: planned.inputText }),
    ...(planned.outputText !== undefined && { output: planned.outputText }),
    ...(timingsSeconds !== undefined && { timings: timingsSeconds }),
    ...(timeToFirstOutputSeconds !== undefined && { timeToFirstOutputSeconds }),
  });
}
