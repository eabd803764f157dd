import { buildConversation } from '../../model/conversation.ts';
import type { ConversationRecord } from '../../model/conversation.ts';
import { keepOneCopy } from '../../model/copies.ts';
import { samplingWarnings } from '../../model/coverage.ts';
import type { Coverage, SampledProgram } from '../../model/coverage.ts';
import { compareBigint } from '../../model/order.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { isInWindow } from '../../model/window.ts';
import type { ConversationFilters, Window } from '../../model/window.ts';

/** The spans of one trace, each once, and the conversation that they make up, if they do. */
export interface Trace {
  traceId: string;
  spans: readonly SpanRecord[];
  conversation?: ConversationRecord;
}

/** A trace with a root or a step. */
export type ConversationTrace = Trace & { conversation: ConversationRecord };

/** Whether a trace has a root or a step. */
export function isConversation(trace: Trace): trace is ConversationTrace {
  return trace.conversation !== undefined;
}

/** Groups spans by trace. `spans` is in the order of reading and may hold copies. */
export function groupIntoTraces(spans: Iterable<SpanRecord>): Trace[] {
  return [...keepOneCopy(spans)].map(([traceId, spansOfTrace]) => {
    const conversation = buildConversation(spansOfTrace);
    return { traceId, spans: spansOfTrace, ...(conversation && { conversation }) };
  });
}

/** Sorts the newest conversation first, equal ones by trace id. */
export function compareNewestFirst(a: ConversationTrace, b: ConversationTrace): number {
  return (
    compareBigint(b.conversation.startTimeUnixNano, a.conversation.startTimeUnixNano) ||
    (a.traceId < b.traceId ? -1 : Number(a.traceId > b.traceId))
  );
}

/** The traces that `filters` choose. Without a filter that is all of them, also those that are no conversation. */
export function chooseTraces(traces: readonly Trace[], filters: ConversationFilters = {}): readonly Trace[] {
  const isFiltered = Object.values(filters).some((filter) => filter !== undefined);
  return isFiltered ? traces.filter((trace) => isConversation(trace) && matches(trace, filters)) : traces;
}

function matches({ spans, conversation }: ConversationTrace, filters: ConversationFilters): boolean {
  const { service, workflow, session, outcome } = filters;
  return (
    (outcome === undefined || conversation.outcome === outcome) &&
    (service === undefined || spans.some((span) => span.serviceName === service)) &&
    (workflow === undefined || spans.some((span) => span.role === 'root' && span.workflow === workflow)) &&
    (session === undefined || spans.some((span) => span.role !== 'other' && span.sessionId === session))
  );
}

/** Counts the spans of `traces` that start in `window`, and the traces with a root or a step among those. */
export function coverTraces(traces: readonly Trace[], window: Window | undefined): Coverage {
  let conversations = 0;
  let spanCount = 0;
  const sampled: SampledProgram[] = [];
  for (const { spans } of traces) {
    let isSeen = false;
    for (const span of spans) {
      if (!isInWindow(span.startTimeUnixNano, window)) continue;
      spanCount += 1;
      if (span.role !== 'other') isSeen = true;
      if (span.samplingRatio !== undefined) sampled.push(span);
    }
    if (isSeen) conversations += 1;
  }
  return { conversations, spans: spanCount, complete: true, warnings: samplingWarnings(sampled) };
}
