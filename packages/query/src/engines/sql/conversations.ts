import { traceIdOf } from '@convotel/conventions';
import { buildConversation } from '../../model/conversation.ts';
import type { ConversationRecord } from '../../model/conversation.ts';
import type { Answer } from '../../model/coverage.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import type {
  ConversationCount,
  ConversationCountsQuestion,
  ConversationSpans,
  ConversationsQuestion,
} from '../../questions.ts';
import { foldIntoHours } from '../../time/fold-into-hours.ts';
import { coverConversations, coverWindow } from './coverage.ts';
import { findNewest, rowsByTrace } from './newest.ts';
import { windowValues } from './sql-store.ts';
import type { SqlStore, TraceKey } from './sql-store.ts';

const QUARTER_HOUR_NANO = 900_000_000_000n;

const TRACE_ID = /^[0-9a-f]{32}$/;

/** The derived trace, else the newest that carries the id, else the trace that the id names. */
export async function findConversation(store: SqlStore, conversationId: string): Promise<Answer<ConversationSpans>> {
  const { traceKey, traceId, span } = store.readers;
  const carriers = await findCarriers(store, conversationId);
  const lowerCase = conversationId.toLowerCase();
  const named = TRACE_ID.test(lowerCase) ? [traceKey(lowerCase)] : [];
  for (const candidate of [traceKey(traceIdOf(conversationId)), ...carriers, ...named]) {
    const spans = (await store.rows('conversation-spans', { trace_id: candidate })).map(span);
    if (!spans.some(({ role }) => role !== 'other')) continue;
    const otherTraceIds = carriers.filter((carrier) => carrier !== candidate).map(traceId);
    return { data: { spans, otherTraceIds }, coverage: coverConversations([spans]) };
  }
  return { data: { spans: [], otherTraceIds: [] }, coverage: coverConversations([]) };
}

/** Conversations that carry the id though their trace id does not follow from it, the newest first; mostly none. */
async function findCarriers(store: SqlStore, conversationId: string): Promise<TraceKey[]> {
  const carriers = await store.rows('conversation-carriers', { conversation_id: conversationId });
  if (carriers.length === 0) return [];
  const ordered = await store.rows('conversations-newest-first', {
    trace_ids: carriers.map((row) => row['trace_id'] as TraceKey),
  });
  return ordered.map((row) => row['trace_id'] as TraceKey);
}

export function listConversations(
  store: SqlStore,
  question: ConversationsQuestion,
): Promise<Answer<ConversationRecord[]>> {
  return question.order === 'newest' ? listNewest(store, question) : listLargest(store, question);
}

async function listNewest(
  store: SqlStore,
  { window, limit, completedAboveNano }: ConversationsQuestion,
): Promise<Answer<ConversationRecord[]>> {
  const listed = await readConversations(store, await findNewest(store, { window, limit, completedAboveNano }));
  return {
    data: listed.map(({ conversation }) => conversation),
    coverage: coverConversations(listed.map(({ spans }) => spans)),
  };
}

async function listLargest(
  store: SqlStore,
  { window, limit, order, completedAboveNano = -1n }: ConversationsQuestion,
): Promise<Answer<ConversationRecord[]>> {
  const rows = await store.rows('largest-conversations', {
    ...windowValues(window),
    by_completed: order === 'slowest',
    completed_above_ns: completedAboveNano,
    row_limit: BigInt(limit),
  });
  const keys = rows.map((row) => row['trace_id'] as TraceKey | null).filter((key) => key !== null);
  const listed = await readConversations(store, keys);
  const { coverage } = await coverWindow(store, window, Number(rows[0]!['seen']));
  return { data: listed.map(({ conversation }) => conversation), coverage };
}

/** A conversation in numbers, and the spans that they were made of, with the fields that numbers and coverage need. */
interface ReadConversation {
  conversation: ConversationRecord;
  spans: SpanRecord[];
}

/** The conversations with the trace ids `keys`, in their order. */
export async function readConversations(store: SqlStore, keys: readonly TraceKey[]): Promise<ReadConversation[]> {
  if (keys.length === 0) return [];
  const groups = rowsByTrace(await store.rows('conversation-numbers', { trace_ids: keys }));
  const rowsByKey = new Map(groups.map((rows) => [rows[0]!['trace_id'] as TraceKey, rows]));
  return keys.map((key) => {
    const spans = rowsByKey.get(key)!.map(store.readers.span);
    return { conversation: buildConversation(spans)!, spans };
  });
}

/** Node has the time zones built in, so the database counts quarter hours of UTC only. */
export async function countConversations(
  store: SqlStore,
  { window, by, timeZone }: ConversationCountsQuestion,
): Promise<Answer<ConversationCount[]>> {
  const rows = await store.rows('conversation-counts', windowValues(window));
  const quarterHours = rows
    .filter((row) => row['quarter_hour'] !== null)
    .map((row) => ({
      startUnixNano: (row['quarter_hour'] as bigint) * QUARTER_HOUR_NANO,
      conversations: Number(row['conversations']),
    }));
  const seen = rows.reduce((sum, row) => sum + Number(row['seen']), 0);
  const { coverage } = await coverWindow(store, window, seen);
  return { data: foldIntoHours(quarterHours, by, timeZone), coverage };
}
