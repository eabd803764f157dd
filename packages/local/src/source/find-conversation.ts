import { traceIdOf } from '@convotel/conventions';
import type { Answer, FoundConversation } from '@convotel/query';
import { UHUGEINT } from '@duckdb/node-api';
import { idNumber, traceIdHex } from '../store/ids.ts';
import { readSpanRow } from '../store/span-row.ts';
import type { Asking } from './asking.ts';
import { coverConversations } from './coverage.ts';

const TRACE_ID = /^[0-9a-f]{32}$/;

/** `ConversationSource.conversation`: the derived trace, else the newest that carries the id, else the trace named. */
export async function findConversation(asking: Asking, conversationId: string): Promise<Answer<FoundConversation>> {
  const derivedId = idNumber(traceIdOf(conversationId));
  const lowerCase = conversationId.toLowerCase();
  const literalId = TRACE_ID.test(lowerCase) ? idNumber(lowerCase) : null;
  const rows = await asking.rows('conversation-traces', {
    values: { conversation_id: conversationId, derived_id: derivedId, literal_id: literalId },
    types: { derived_id: UHUGEINT, literal_id: UHUGEINT },
  });
  const traces = rows.map((row) => ({ traceId: row['trace_id'] as bigint, carriesId: row['carries_id'] as boolean }));
  const found =
    traces.find(({ traceId }) => traceId === derivedId) ??
    traces.find(({ carriesId }) => carriesId) ??
    traces.find(({ traceId }) => traceId === literalId);
  const spanRows =
    found === undefined
      ? []
      : await asking.rows('conversation-spans', {
          values: { trace_id: found.traceId },
          types: { trace_id: UHUGEINT },
        });
  const spans = spanRows.map(readSpanRow);
  return {
    data: {
      spans,
      otherTraceIds: traces
        .filter((trace) => trace !== found && trace.carriesId)
        .map(({ traceId }) => traceIdHex(traceId)),
    },
    coverage: coverConversations(spans.length === 0 ? [] : [spans]),
  };
}
