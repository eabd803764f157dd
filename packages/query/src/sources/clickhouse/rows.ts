import { ATTRIBUTE, STEP_TIMING_PREFIX } from '@convotel/conventions';
import type { RowReaders, SqlRow } from '../../engines/sql/sql-store.ts';
import { SPAN_FIELD_BY_ATTRIBUTE } from '../../model/span-record.ts';
import type { SpanRecord, SpanRest } from '../../model/span-record.ts';
import { readSpan } from '../../otlp/read-span.ts';

/** A result in the format `JSONCompactEachRowWithNamesAndTypes`: names, types, then the rows. */
export type CompactAnswer = readonly (readonly unknown[])[];

/** The rows of a result by column name, with 64-bit numbers as bigints. */
export function readRows(answer: CompactAnswer): SqlRow[] {
  const [names = [], types = []] = answer as readonly string[][];
  const readers = types.map(readerOf);
  return answer.slice(2).map((cells) => {
    const row: Record<string, unknown> = {};
    for (let index = 0; index < names.length; index++) row[names[index]!] = readers[index]!(cells[index]);
    return row;
  });
}

/** The columns of a result, with 64-bit numbers as bigints. */
export function readColumns(answer: CompactAnswer): Record<string, readonly unknown[]> {
  const [names = [], types = []] = answer as readonly string[][];
  const rows = answer.slice(2);
  return Object.fromEntries(
    names.map((name, index) => {
      const read = readerOf(types[index]!);
      return [name, rows.map((cells) => read(cells[index]))];
    }),
  );
}

/** 64-bit numbers are strings in the result, because JSON numbers would lose digits. */
function readerOf(type: string): (cell: unknown) => unknown {
  const plain = type.replace(/^(?:Nullable|LowCardinality)\((.*)\)$/, '$1');
  if (plain !== type) return readerOf(plain);
  if (/^U?Int64$/.test(type)) return (cell) => (cell === null ? null : BigInt(cell as string));
  return (cell) => cell;
}

/** In ClickHouse, a trace id is a string. */
export const CLICKHOUSE_READERS: RowReaders = {
  traceKey: (traceId) => traceId,
  traceId: String,
};

/**
 * Reads the span in a row of `conversation-spans` or `conversation-numbers`. The exporter stores all attributes as
 * strings, so those with a number or a boolean are converted back.
 */
export function readSpanRow(row: SqlRow): SpanRecord {
  const textOf = (column: string): string => (row[column] as string | null | undefined) ?? '';
  const start = row['start_ns'] as bigint;
  const resourceAttributes = Object.entries((row['resource_attributes'] ?? {}) as Record<string, string>);
  const samplingRatio =
    row['resource_attributes'] === undefined
      ? ((row['sampling_ratio'] as number | null) ?? undefined)
      : numberIn(resourceAttributes.find(([key]) => key === ATTRIBUTE.samplingRatio)?.[1] ?? '');
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

/** Names that the exporter writes, in the order of OTLP's numbers from 1; `Unspecified` and `Unset` are 0. */
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
