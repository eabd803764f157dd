import type { ClickHouseClient } from '@clickhouse/client';

const DAY_MS = 86_400_000;
const DAYS = 14;

/** What is made: conversations of six spans, spread evenly over the fourteen days before `untilMs`. */
export interface BenchData {
  conversations: number;
  /** A full hour. */
  untilMs: number;
}

/** When each of the fourteen days begins, in Unix milliseconds. */
export function daysOf(untilMs: number): number[] {
  return Array.from({ length: DAYS }, (_, index) => untilMs - (DAYS - index) * DAY_MS);
}

/**
 * Inserts day by day, then one in a hundred spans again, as a retried batch leaves them. Whole days are merged, as the
 * server does after an hour; the newest is left as it came.
 */
export async function insertConversations(
  client: ClickHouseClient,
  database: string,
  { conversations, untilMs }: BenchData,
): Promise<void> {
  const days = daysOf(untilMs);
  const perDay = Math.ceil(conversations / DAYS);
  for (const [index, day] of days.entries()) {
    const from = index * perDay;
    const total = Math.min(perDay, conversations - from);
    // The newest day comes in eight inserts.
    const pieces = index === DAYS - 1 ? 8 : 1;
    for (let piece = 0; piece < pieces; piece++) {
      const first = from + Math.floor((total * piece) / pieces);
      const last = from + Math.floor((total * (piece + 1)) / pieces);
      await client.command({ query: insertOf({ database, day, perDay, from, first, last }) });
    }
    await client.command({
      query: `INSERT INTO ${database}.otel_traces (${COLUMNS.join(', ')}) SELECT ${COLUMNS.join(', ')} FROM ${database}.otel_traces
        WHERE Timestamp >= fromUnixTimestamp64Milli(${day}) AND cityHash64(SpanId) % 100 = 0`,
    });
  }
  const today = new Date(untilMs).toISOString().slice(0, 10);
  const partitions = await client.query({
    query: `SELECT DISTINCT partition AS day FROM system.parts WHERE active AND database = '${database}' AND table = 'otel_traces' AND partition < '${today}'`,
    format: 'JSONEachRow',
  });
  for (const { day } of await partitions.json<{ day: string }>()) {
    await client.command({ query: `OPTIMIZE TABLE ${database}.otel_traces PARTITION '${day}' FINAL` });
  }
}

const COLUMNS = [
  'Timestamp',
  'TraceId',
  'SpanId',
  'ParentSpanId',
  'SpanName',
  'SpanKind',
  'ServiceName',
  'ResourceAttributes',
  'ScopeName',
  'ScopeVersion',
  'SpanAttributes',
  'Duration',
  'StatusCode',
  'StatusMessage',
];

/** Copies the spans of the day that begins at `day` from our table into that of `database`. */
export function insertOfDay(database: string, day: number): string {
  return `INSERT INTO ${database}.otel_traces (${COLUMNS.join(', ')}) SELECT ${COLUMNS.join(', ')} FROM ours.otel_traces
    WHERE Timestamp >= fromUnixTimestamp64Milli(${day}) AND Timestamp < fromUnixTimestamp64Milli(${day + DAY_MS})`;
}

/** Each value follows from the number of the conversation, so every table gets the same rows. */
function insertOf({
  database,
  day,
  perDay,
  from,
  first,
  last,
}: {
  database: string;
  day: number;
  perDay: number;
  from: number;
  first: number;
  last: number;
}): string {
  return `INSERT INTO ${database}.otel_traces (${COLUMNS.join(', ')})
WITH
  ${day}000000 + toInt64((number - ${from}) * ${(DAY_MS / perDay).toFixed(6)} * 1e6) AS started,
  concat(formatDateTime(fromUnixTimestamp64Nano(started, 'UTC'), '%Y%m%d_%H%i%S'), '_', leftPad(lower(hex(sipHash64(number))), 16, '0')) AS id,
  lower(hex(SHA256(concat('convotel:', id)))) AS digest,
  cityHash64(number, 'failed') % 50 = 0 AS fails,
  cityHash64(number, 'retried') % 100 = 0 AS is_retried,
  (part, mean) -> toInt64(mean * 1e6 * (0.4 + cityHash64(number, part) % 1000000 / 1e6 * 1.2)) AS lasts,
  [lasts(1, 150), lasts(2, 1200), lasts(3, if(is_retried, 900, 0)), lasts(4, 3400), lasts(5, 1350), lasts(6, 450)] AS durations,
  arrayCumSum(arrayPushFront(arrayPopBack(durations), toInt64(0))) AS offsets,
  arrayFilter(
    part -> (part != 3 OR is_retried) AND NOT (fails AND part > 4),
    range(1, 7)
  ) AS parts,
  arrayJoin(arrayPushBack(parts, 7)) AS part,
  part = 7 AS is_root,
  ['request', 'stt', 'gpt', 'gpt', 'tts', 'response', ''][part] AS step,
  (part = 3) OR (fails AND part IN (4, 7)) AS is_failed
SELECT
  fromUnixTimestamp64Nano(if(is_root, started, started + offsets[part]), 'UTC'),
  substring(digest, 1, 32),
  if(is_root, substring(digest, 33, 16), leftPad(lower(hex(sipHash64(number, part))), 16, '0')),
  if(is_root, '', substring(digest, 33, 16)),
  if(is_root, 'conversation', step),
  'Internal',
  'voice-bot',
  map('service.name', 'voice-bot', 'service.instance.id', 'a1b2c3d4-0000-4000-8000-000000000000',
    'telemetry.sdk.name', 'opentelemetry', 'telemetry.sdk.language', 'nodejs', 'telemetry.sdk.version', '2.12.0'),
  '@convotel/tracing',
  '0.1.0',
  mapFilter((key, text) -> text != '', map(
    'conversation.id', id,
    'conversation.schema.version', if(is_root, '1', ''),
    'conversation.step.name', step,
    'conversation.step.attempt', if(is_retried AND part = 4, '2', ''),
    'gen_ai.operation.name', multiIf(is_root, 'invoke_workflow', step = 'gpt', 'chat', ''),
    'gen_ai.workflow.name', if(is_root, 'voice', ''),
    'gen_ai.request.model', if(step = 'gpt', 'gpt-5', ''),
    'gen_ai.usage.input_tokens', if(step = 'gpt', toString(20 + cityHash64(number, 'in') % 880), ''),
    'gen_ai.usage.output_tokens', if(step = 'gpt', toString(10 + cityHash64(number, 'out') % 390), ''),
    'conversation.input.chars', if(step NOT IN ('', 'request'), toString(5 + cityHash64(number, part, 'c') % 395), ''),
    'conversation.output.chars', if(step NOT IN ('', 'response'), toString(5 + cityHash64(number, part, 'd') % 895), ''),
    'conversation.step.timing.queue_wait', if(step = 'tts', toString(cityHash64(number, 'wait') % 200000 / 1e6), ''),
    'conversation.response_latency', if(step = 'tts', toString(intDiv(offsets[5], 1000) / 1e6), ''),
    'conversation.outcome', if(is_failed, 'failed', 'completed'),
    'error.type', if(is_failed, 'RateLimitError', '')
  )),
  toUInt64(if(is_root, if(fails, offsets[4] + durations[4], offsets[6] + durations[6]), durations[part])),
  if(is_failed, 'Error', 'Unset'),
  if(is_failed, concat('API rate limit exceeded: retry in ', toString(cityHash64(number, 'try') % 60), ' s'), '')
FROM numbers(${first}, ${last - first})
SETTINGS max_insert_threads = 2`;
}

/** A span as the exporter's columns hold it. */
export interface BenchRow {
  start: string;
  end: string;
  TraceId: string;
  SpanId: string;
  ParentSpanId: string;
  SpanName: string;
  SpanAttributes: Record<string, string>;
  StatusCode: string;
  StatusMessage: string;
}

/** Selects the spans of the day that begins at `day`, in the order in which they came. */
export function copyOfDay(day: number): { query: string } {
  return {
    query: `SELECT toString(toUnixTimestamp64Nano(Timestamp)) AS start, toString(toUnixTimestamp64Nano(Timestamp) + Duration) AS end,
        TraceId, SpanId, ParentSpanId, SpanName, SpanAttributes, StatusCode, StatusMessage
      FROM ours.otel_traces FINAL
      WHERE Timestamp >= fromUnixTimestamp64Milli(${day}) AND Timestamp < fromUnixTimestamp64Milli(${day + DAY_MS})
      ORDER BY Timestamp`,
  };
}

const RESOURCE = {
  'service.name': 'voice-bot',
  'service.instance.id': 'a1b2c3d4-0000-4000-8000-000000000000',
  'telemetry.sdk.name': 'opentelemetry',
  'telemetry.sdk.language': 'nodejs',
  'telemetry.sdk.version': '2.12.0',
};
const NUMERIC = /tokens$|chars$|attempt$|timing|latency/;

/** The rows as a program would have sent them. */
export function otlpRequest(rows: readonly BenchRow[]): object {
  const keyValues = (attributes: Record<string, string>): object[] =>
    Object.entries(attributes).map(([key, text]) => ({
      key,
      value: NUMERIC.test(key) ? { doubleValue: Number(text) } : { stringValue: text },
    }));
  const spans = rows.map((row) => ({
    traceId: row.TraceId,
    spanId: row.SpanId,
    parentSpanId: row.ParentSpanId,
    name: row.SpanName,
    kind: 1,
    startTimeUnixNano: row.start,
    endTimeUnixNano: row.end,
    attributes: keyValues(row.SpanAttributes),
    status: { code: row.StatusCode === 'Error' ? 2 : 0, message: row.StatusMessage },
  }));
  const scope = { name: '@convotel/tracing', version: '0.1.0' };
  return { resourceSpans: [{ resource: { attributes: keyValues(RESOURCE) }, scopeSpans: [{ scope, spans }] }] };
}
