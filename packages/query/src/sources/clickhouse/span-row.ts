import { ATTRIBUTE, STEP_TIMING_PREFIX } from '@convotel/conventions';
import type { RowReaders, SqlRow } from '../../engines/sql/sql-store.ts';
import { SPAN_FIELD_BY_ATTRIBUTE } from '../../model/span-record.ts';
import type { SpanRecord, SpanRest } from '../../model/span-record.ts';
import { readSpan } from '../../otlp/read-span.ts';

/** A trace id is its text in ClickHouse. */
export const CLICKHOUSE_READERS: RowReaders = {
  traceKey: (traceId) => traceId,
  traceId: String,
  span: readSpanRow,
};

/**
 * The span in a row of `conversation-spans` or `conversation-numbers`, by the same reader as any other: the exporter
 * keeps every attribute as text, so those that hold a number or a boolean are given back their type.
 */
function readSpanRow(row: SqlRow): SpanRecord {
  const textOf = (column: string): string => (row[column] as string | null | undefined) ?? '';
  const start = row['start_ns'] as bigint;
  const resourceAttributes = Object.entries(row['resource_attributes'] as Record<string, string>);
  const samplingRatio = numberIn(resourceAttributes.find(([key]) => key === ATTRIBUTE.samplingRatio)?.[1] ?? '');
  const resource = {
    ...(textOf('service_name') !== '' && { serviceName: textOf('service_name') }),
    ...(samplingRatio !== undefined && { samplingRatio }),
    otherAttributes: resourceAttributes
      .filter(([key]) => key !== ATTRIBUTE.serviceName && key !== ATTRIBUTE.samplingRatio)
      .map(([key, stringValue]) => ({ key, value: { stringValue } })),
  };
  const span = {
    traceId: row['trace_id'],
    spanId: row['span_id'],
    parentSpanId: row['parent_span_id'],
    name: row['name'],
    startTimeUnixNano: start,
    endTimeUnixNano: start + (row['duration_ns'] as bigint),
    kind: SPAN_KINDS.indexOf(textOf('kind')) + 1,
    traceState: textOf('trace_state'),
    attributes: Object.entries(row['attributes'] as Record<string, string>).map(([key, text]) => ({
      key,
      value: valueOf(key, text),
    })),
    status: { code: STATUS_CODES.indexOf(textOf('status_code')) + 1, message: textOf('status_message') },
  };
  return readSpan(
    span,
    resource,
    scopeOf(textOf('scope_name'), textOf('scope_version')),
    row['kind'] === undefined ? 'slim' : 'whole',
  );
}

/** As the exporter writes them, in the order of OTLP's numbers from 1 on; `Unspecified` and `Unset` are 0. */
const SPAN_KINDS = ['Internal', 'Server', 'Client', 'Producer', 'Consumer'];
const STATUS_CODES = ['Ok', 'Error'];

function scopeOf(name: string, version: string): SpanRest['scope'] {
  if (name === '' && version === '') return undefined;
  return { ...(name !== '' && { name }), ...(version !== '' && { version }) };
}

function valueOf(key: string, text: string): object {
  if (key === ATTRIBUTE.recovered) return { boolValue: text === 'true' };
  const kind = SPAN_FIELD_BY_ATTRIBUTE.get(key)?.kind;
  const isNumeric = kind === 'integer' || kind === 'double' || key.startsWith(STEP_TIMING_PREFIX);
  const number = isNumeric ? numberIn(text) : undefined;
  return number === undefined ? { stringValue: text } : { doubleValue: number };
}

function numberIn(text: string): number | undefined {
  const number = /^-?\d/.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}
