import { traceIdOf } from '@convotel/conventions';
import type { Answer, FoundConversation, SpanRecord } from '@convotel/query';
import { UHUGEINT } from '@duckdb/node-api';
import { idNumber, traceIdHex } from '../store/ids.ts';
import { readSpanRow } from '../store/span-row.ts';
import type { Asking } from './asking.ts';
import { coverConversations } from './coverage.ts';

const TRACE_ID = /^[0-9a-f]{32}$/;

/** `ConversationSource.conversation`: the derived trace, else the newest that carries the id, else the trace named. */
export async function findConversation(asking: Asking, conversationId: string): Promise<Answer<FoundConversation>> {
  const carriers = await asking.rows('conversation-carriers', { values: { conversation_id: conversationId } });
  const carrierIds = carriers.map((row) => row['trace_id'] as bigint);
  const candidates = [idNumber(traceIdOf(conversationId)), ...carrierIds, ...literalIds(conversationId)];
  for (const traceId of candidates) {
    const spans = await readSpans(asking, traceId);
    if (!spans.some(({ role }) => role !== 'other')) continue;
    const otherTraceIds = carrierIds.filter((carrierId) => carrierId !== traceId).map(traceIdHex);
    return { data: { spans, otherTraceIds }, coverage: coverConversations([spans]) };
  }
  return { data: { spans: [], otherTraceIds: [] }, coverage: coverConversations([]) };
}

/** The trace that the id itself names, where it looks like a trace id. */
function literalIds(conversationId: string): bigint[] {
  const lowerCase = conversationId.toLowerCase();
  return TRACE_ID.test(lowerCase) ? [idNumber(lowerCase)] : [];
}

async function readSpans(asking: Asking, traceId: bigint): Promise<SpanRecord[]> {
  const rows = await asking.rows('conversation-spans', {
    values: { trace_id: traceId },
    types: { trace_id: UHUGEINT },
  });
  return rows.map(readSpanRow);
}
