import { LIST, listValue, UHUGEINT } from '@duckdb/node-api';
import { buildConversation, type Conversation, type SpanRecord } from '@convotel/query';
import { spanIdHex, traceIdHex } from '../store/ids.ts';
import type { SpanRow } from '../store/span-row.ts';
import type { Asking } from './asking.ts';

/** A conversation in numbers, and the spans that they were made of. */
export interface NumberedConversation {
  conversation: Conversation;
  /** All of its spans, with the fields that numbers and coverage need. */
  spans: SpanRecord[];
}

/** The conversations with the trace ids `traceIds`, in their order. */
export async function numberConversations(
  asking: Asking,
  traceIds: readonly bigint[],
): Promise<NumberedConversation[]> {
  if (traceIds.length === 0) return [];
  const rows = await asking.rows('conversation-numbers', {
    values: { trace_ids: listValue([...traceIds]) },
    types: { trace_ids: LIST(UHUGEINT) },
  });
  const spansByTrace = new Map<bigint, SpanRecord[]>();
  for (const row of rows) {
    const traceId = row['trace_id'] as bigint;
    const spans = spansByTrace.get(traceId);
    if (spans === undefined) spansByTrace.set(traceId, [readNumbers(row)]);
    else spans.push(readNumbers(row));
  }
  return traceIds.map((traceId) => {
    const spans = spansByTrace.get(traceId)!;
    return { conversation: buildConversation(spans)!, spans };
  });
}

function readNumbers(row: SpanRow): SpanRecord {
  const record: SpanRecord = {
    traceId: traceIdHex(row['trace_id'] as bigint),
    spanId: spanIdHex(row['span_id'] as bigint),
    name: '',
    role: row['role'] as SpanRecord['role'],
    depth: row['depth'] as number,
    outcome: row['outcome'] as SpanRecord['outcome'],
    isRecovered: false,
    startTimeUnixNano: row['start_ns'] as bigint,
    durationNano: row['duration_ns'] as bigint,
  };
  if (row['step'] !== null) record.step = row['step'] as string;
  if (row['conversation_id'] !== null) record.conversationId = row['conversation_id'] as string;
  if (row['service_name'] !== null) record.serviceName = row['service_name'] as string;
  if (row['sampling_ratio'] !== null) record.samplingRatio = row['sampling_ratio'] as number;
  return record;
}
