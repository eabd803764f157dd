import { BIGINT, BOOLEAN, DOUBLE, type DuckDBType, ENUM, INTEGER, UINTEGER } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { SpanRecord } from '@convotel/query';
import { type Column, MAX_CHUNK_ROWS, type StoredSpan, Validity } from './column.ts';

/** Values of a fixed width, as DuckDB keeps them in memory. */
type Items<Value> = { [index: number]: Value; buffer: ArrayBuffer; BYTES_PER_ELEMENT: number };

function column<Value>(
  name: string,
  type: DuckDBType,
  items: Items<Value>,
  read: (span: SpanRecord, stored: StoredSpan) => Value | undefined,
): Column {
  const validity = new Validity();
  return {
    name,
    type,
    fill(vector, spans) {
      validity.reset();
      for (let row = 0; row < spans.length; row++) {
        const stored = spans[row]!;
        const value = read(stored.record, stored);
        if (value === undefined) validity.setNull(row);
        else items[row] = value;
      }
      duckdb.copy_data_to_vector(vector, 0, items.buffer, 0, spans.length * items.BYTES_PER_ELEMENT);
      validity.copyTo(vector, spans.length);
    },
  };
}

/** 64 bits with a sign. */
export function bigintColumn(name: string, read: (span: SpanRecord) => bigint): Column {
  return column(name, BIGINT, new BigInt64Array(MAX_CHUNK_ROWS), read);
}

/** 32 bits with a sign. */
export function integerColumn(name: string, read: (span: SpanRecord) => number | undefined): Column {
  return column(name, INTEGER, new Int32Array(MAX_CHUNK_ROWS), read);
}

/** 32 bits without a sign. */
export function unsignedColumn(
  name: string,
  read: (span: SpanRecord, stored: StoredSpan) => number | undefined,
): Column {
  return column(name, UINTEGER, new Uint32Array(MAX_CHUNK_ROWS), read);
}

/** 64 bits, floating. */
export function doubleColumn(name: string, read: (span: SpanRecord) => number | undefined): Column {
  return column(name, DOUBLE, new Float64Array(MAX_CHUNK_ROWS), read);
}

/** True or false, a byte each. */
export function booleanColumn(name: string, read: (span: SpanRecord) => boolean): Column {
  return column(name, BOOLEAN, new Uint8Array(MAX_CHUNK_ROWS), (span) => (read(span) ? 1 : 0));
}

/** One of a few texts, in the order in which the enum type of the table has them. */
export function enumColumn<Text extends string>(
  name: string,
  texts: readonly Text[],
  read: (span: SpanRecord) => Text,
): Column {
  return column(name, ENUM(texts), new Uint8Array(MAX_CHUNK_ROWS), (span) => texts.indexOf(read(span)));
}
