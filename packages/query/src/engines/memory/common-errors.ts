import { isFailure } from '@convotel/conventions';
import { compareAbsentLast, compareBigint, compareText } from '../../model/order.ts';
import { isInWindow } from '../../model/window.ts';
import type { CommonError, CommonErrorsQuestion } from '../../questions.ts';
import { isConversation } from './traces.ts';
import type { Trace } from './traces.ts';

/** An error so far, and the trace of its latest step. */
interface Group {
  error: CommonError;
  traceId: string;
}

/** Answers the question `common-errors`, over the traces that its filters choose. */
export function gatherCommonErrors(traces: readonly Trace[], { window, limit }: CommonErrorsQuestion): CommonError[] {
  const groups = new Map<string, Group>();
  for (const { traceId, spans, conversation } of traces.filter(isConversation)) {
    for (const { step, outcome, errorType, errorMessage: message, startTimeUnixNano } of spans) {
      if (step === undefined || !isFailure(outcome) || !isInWindow(startTimeUnixNano, window)) continue;
      // As JSON, so that no text can look like another three; an absent one is null.
      const key = JSON.stringify([step, errorType, message]);
      const group = groups.get(key);
      if (group === undefined) {
        const error: CommonError = {
          step,
          ...(errorType !== undefined && { errorType }),
          ...(message !== undefined && { message }),
          count: 1,
          lastSeenUnixNano: startTimeUnixNano,
          conversationId: conversation.conversationId,
        };
        groups.set(key, { error, traceId });
        continue;
      }
      const { error } = group;
      error.count += 1;
      const isLater =
        startTimeUnixNano > error.lastSeenUnixNano ||
        (startTimeUnixNano === error.lastSeenUnixNano && traceId < group.traceId);
      if (!isLater) continue;
      error.lastSeenUnixNano = startTimeUnixNano;
      error.conversationId = conversation.conversationId;
      group.traceId = traceId;
    }
  }
  return [...groups.values()]
    .map(({ error }) => error)
    .sort(compareErrors)
    .slice(0, limit);
}

function compareErrors(a: CommonError, b: CommonError): number {
  return (
    b.count - a.count ||
    compareBigint(b.lastSeenUnixNano, a.lastSeenUnixNano) ||
    compareText(a.step, b.step) ||
    compareAbsentLast(a.errorType, b.errorType) ||
    compareAbsentLast(a.message, b.message)
  );
}
