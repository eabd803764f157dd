import type { DuckDBMapValue } from '@duckdb/node-api';
import type { SpanRecord, SpanRest } from '@convotel/query';
import { SPAN_FIELDS, takeKnownAttributes } from '@convotel/query/engine';
import { spanIdHex, traceIdHex } from './columns/ids.ts';

/** A row of the table `spans` with the columns of its resource, by column name, null where there is no value. */
export type SpanRow = Readonly<Record<string, unknown>>;

/** Where each field of {@link SPAN_FIELDS} stands, but for the depth, which every span has. */
const OPTIONAL_FIELDS = SPAN_FIELDS.filter(({ field }) => field !== 'depth');

/** The span in a row. What the row has no column for is left out. */
export function readSpanRow(row: SpanRow): SpanRecord {
  const step = textOf(row['step']);
  const record: SpanRecord = {
    traceId: traceIdHex(row['trace_id'] as bigint),
    spanId: spanIdHex(row['span_id'] as bigint),
    name: textOf(row['name']) ?? step ?? '',
    startTimeUnixNano: row['start_ns'] as bigint,
    durationNano: row['duration_ns'] as bigint,
    role: row['role'] as SpanRecord['role'],
    outcome: row['outcome'] as SpanRecord['outcome'],
    isRecovered: row['is_recovered'] === true,
    depth: row['depth'] as number,
  };
  const parentSpanId = row['parent_span_id'];
  if (typeof parentSpanId === 'bigint') record.parentSpanId = spanIdHex(parentSpanId);
  const fields = record as unknown as Record<string, unknown>;
  for (const { field, column } of OPTIONAL_FIELDS) {
    const value = row[column];
    if (value !== null && value !== undefined) fields[field] = value;
  }
  const timings = readTimings(row['timings_s'] as DuckDBMapValue | null | undefined);
  if (timings !== undefined) record.timingsSeconds = timings;
  const rest = readRest(row);
  if (Object.keys(rest).length === 0) return record;
  record.rest = rest;
  takeKnownAttributes(record);
  if (Object.keys(rest).length === 0) delete record.rest;
  return record;
}

function readTimings(map: DuckDBMapValue | null | undefined): Record<string, number> | undefined {
  if (map === null || map === undefined) return undefined;
  return Object.fromEntries(map.entries.map(({ key, value }) => [key as string, value as number]));
}

function readRest(row: SpanRow): SpanRest {
  const kept = textOf(row['rest']);
  const resourceAttributes = textOf(row['resource_attributes']);
  const rest: SpanRest = kept === undefined ? {} : (JSON.parse(kept) as SpanRest);
  if (typeof row['kind'] === 'number') rest.kind = row['kind'];
  if (typeof row['flags'] === 'number') rest.flags = row['flags'];
  if (resourceAttributes !== undefined) rest.resourceAttributes = readResource(resourceAttributes);
  const name = textOf(row['scope_name']);
  const version = textOf(row['scope_version']);
  if (name !== undefined || version !== undefined) {
    rest.scope = { ...(name !== undefined && { name }), ...(version !== undefined && { version }) };
  }
  return rest;
}

/** The resource that was read last: the spans of one conversation mostly share one. */
let lastResource: { text: string; attributes: unknown[] } | undefined;

function readResource(text: string): unknown[] {
  if (lastResource?.text !== text) lastResource = { text, attributes: JSON.parse(text) as unknown[] };
  return lastResource.attributes;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
