import { traceIdOf } from '@convotel/conventions';
import type { Answer, ConversationSpans, SpanRecord } from '@convotel/query';
import { LIST, listValue, UHUGEINT } from '@duckdb/node-api';
import { idNumber, traceIdHex } from '../store/ids.ts';
import { readSpanRow } from '../store/span-row.ts';
import type { Asking } from './asking.ts';
import { coverConversations } from './coverage.ts';

const TRACE_ID = /^[0-9a-f]{32}$/;

/** `ConversationSource.conversation`: the derived trace, else the newest that carries the id, else the trace named. */
export async function findConversation(asking: Asking, conversationId: string): Promise<Answer<ConversationSpans>> {
  const carrierIds = await findCarriers(asking, conversationId);
  const candidates = [idNumber(traceIdOf(conversationId)), ...carrierIds, ...literalIds(conversationId)];
  for (const traceId of candidates) {
    const spans = await readSpans(asking, traceId);
    if (!spans.some(({ role }) => role !== 'other')) continue;
    const otherTraceIds = carrierIds.filter((carrierId) => carrierId !== traceId).map(traceIdHex);
    return { data: { spans, otherTraceIds }, coverage: coverConversations([spans]) };
  }
  return { data: { spans: [], otherTraceIds: [] }, coverage: coverConversations([]) };
}

/** Conversations that carry the id though their trace id does not follow from it, the newest first; mostly none. */
async function findCarriers(asking: Asking, conversationId: string): Promise<bigint[]> {
  const carriers = await asking.rows('conversation-carriers', { values: { conversation_id: conversationId } });
  if (carriers.length === 0) return [];
  const ordered = await asking.rows('conversations-newest-first', {
    values: { trace_ids: listValue(carriers.map((row) => row['trace_id'] as bigint)) },
    types: { trace_ids: LIST(UHUGEINT) },
  });
  return ordered.map((row) => row['trace_id'] as bigint);
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
