import { isFailure } from '@convotel/conventions';
import { errorPatternOf } from '../../model/error-pattern.ts';
import { compareAbsentLast, compareBigint, compareText } from '../../model/order.ts';
import { isInWindow } from '../../model/window.ts';
import type { CommonError, CommonErrorsQuestion, Engine } from '../../questions.ts';
import { isConversation, overWindow } from './traces.ts';
import type { Trace } from './traces.ts';

/** The failures of one step, type and pattern so far. */
interface Group {
  count: number;
  latest: Failure;
}

/** What of a failed step tells which is the latest, and what the latest one contributes. */
interface Failure {
  step: string;
  errorType: string | undefined;
  message: string | undefined;
  startTimeUnixNano: bigint;
  traceId: string;
  conversationId: string;
}

/** The question about failures. */
export const errorAnswers = {
  'common-errors': overWindow(gatherCommonErrors),
} satisfies Partial<Engine<readonly Trace[]>>;

function gatherCommonErrors(traces: readonly Trace[], { window, limit }: CommonErrorsQuestion): CommonError[] {
  const groups = new Map<string, Group>();
  for (const { traceId, spans, conversation } of traces.filter(isConversation)) {
    for (const { step, outcome, errorType, errorMessage: message, startTimeUnixNano } of spans) {
      if (step === undefined || !isFailure(outcome) || !isInWindow(startTimeUnixNano, window)) continue;
      const { conversationId } = conversation;
      const failure = { step, errorType, message, startTimeUnixNano, traceId, conversationId };
      // As JSON, so that no text can look like another three; an absent one is null.
      const key = JSON.stringify([step, errorType, message === undefined ? undefined : errorPatternOf(message)]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { count: 1, latest: failure });
      else {
        group.count += 1;
        if (compareLatestFirst(failure, group.latest) < 0) group.latest = failure;
      }
    }
  }
  return [...groups.values()].map(errorOf).sort(compareErrors).slice(0, limit);
}

function compareLatestFirst(a: Failure, b: Failure): number {
  return (
    compareBigint(b.startTimeUnixNano, a.startTimeUnixNano) ||
    compareText(a.traceId, b.traceId) ||
    compareAbsentLast(a.message, b.message)
  );
}

function errorOf({ count, latest }: Group): CommonError {
  const { step, errorType, message, startTimeUnixNano, conversationId } = latest;
  return {
    step,
    ...(errorType !== undefined && { errorType }),
    ...(message !== undefined && { pattern: errorPatternOf(message), message }),
    count,
    lastSeenUnixNano: startTimeUnixNano,
    conversationId,
  };
}

function compareErrors(a: CommonError, b: CommonError): number {
  return (
    b.count - a.count ||
    compareBigint(b.lastSeenUnixNano, a.lastSeenUnixNano) ||
    compareText(a.step, b.step) ||
    compareAbsentLast(a.errorType, b.errorType) ||
    compareAbsentLast(a.pattern, b.pattern)
  );
}
