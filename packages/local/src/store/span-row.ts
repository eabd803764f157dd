import type { DuckDBMapValue, DuckDBValue } from '@duckdb/node-api';
import type { SpanRecord, SpanRest } from '@convotel/query';
import { spanIdHex, traceIdHex } from './ids.ts';

/** A row of the table `spans` with the columns of its resource, by column name, null where there is no value. */
export type SpanRow = Record<string, DuckDBValue>;

/** Makes of a row the span that was stored. */
export function readSpanRow(row: SpanRow): SpanRecord {
  const step = textOf(row['step']);
  const rest = readRest(row);
  return present<SpanRecord>({
    traceId: traceIdHex(row['trace_id'] as bigint),
    spanId: spanIdHex(row['span_id'] as bigint),
    parentSpanId: row['parent_span_id'] === null ? undefined : spanIdHex(row['parent_span_id'] as bigint),
    name: textOf(row['name']) ?? step ?? '',
    startTimeUnixNano: row['start_ns'] as bigint,
    durationNano: row['duration_ns'] as bigint,
    role: row['role'] as SpanRecord['role'],
    step,
    depth: row['depth'] as number,
    attempt: numberOf(row['attempt']),
    outcome: row['outcome'] as SpanRecord['outcome'],
    isRecovered: row['is_recovered'] as boolean,
    conversationId: textOf(row['conversation_id']),
    sessionId: textOf(row['session_id']),
    workflow: textOf(row['workflow']),
    serviceName: textOf(row['service_name']),
    samplingRatio: numberOf(row['sampling_ratio']),
    errorType: textOf(row['error_type']),
    errorMessage: textOf(row['error_message']),
    inputText: textOf(row['input_text']),
    outputText: textOf(row['output_text']),
    inputChars: numberOf(row['input_chars']),
    outputChars: numberOf(row['output_chars']),
    timeToFirstOutputSeconds: numberOf(row['time_to_first_output_s']),
    timingsSeconds: readTimings(row['timings_s'] as DuckDBMapValue | null),
    rest: Object.keys(rest).length === 0 ? undefined : rest,
  });
}

function readTimings(map: DuckDBMapValue | null): Record<string, number> | undefined {
  if (map === null) return undefined;
  return Object.fromEntries(map.entries.map(({ key, value }) => [key as string, value as number]));
}

function readRest(row: SpanRow): SpanRest {
  const kept = textOf(row['rest']);
  const resourceAttributes = textOf(row['resource_attributes']);
  const name = textOf(row['scope_name']);
  const version = textOf(row['scope_version']);
  return present<SpanRest>({
    ...(kept === undefined ? {} : (JSON.parse(kept) as SpanRest)),
    kind: numberOf(row['kind']),
    flags: numberOf(row['flags']),
    resourceAttributes: resourceAttributes === undefined ? undefined : (JSON.parse(resourceAttributes) as unknown[]),
    scope: name === undefined && version === undefined ? undefined : present<{ name: string }>({ name, version }),
  });
}

function textOf(value: DuckDBValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: DuckDBValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** Drops the fields that are undefined: what a span does not say is absent. */
function present<Target>(fields: { [Key in keyof Target]: Target[Key] | undefined } & Record<string, unknown>): Target {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Target;
}
