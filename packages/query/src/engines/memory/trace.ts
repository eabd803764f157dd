import type { Conversation } from '../../model/conversation.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { buildConversation } from '../../model/build-conversation.ts';
import { keepOneCopy } from './keep-one-copy.ts';

/** The spans of one trace, each once, and the conversation that they are, where they are one. */
export interface Trace {
  traceId: string;
  spans: readonly SpanRecord[];
  conversation?: Conversation;
}

/** A trace with a root or a step. */
export type ConversationTrace = Trace & { conversation: Conversation };

/** Whether a trace has a root or a step. */
export function isConversation(trace: Trace): trace is ConversationTrace {
  return trace.conversation !== undefined;
}

/** Puts spans together into traces. `spans` is in the order of reading and may hold copies. */
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

/** Sorts the smaller number first. */
export function compareBigint(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}
