import { DOUBLE, MAP, VARCHAR } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { SpanRecord } from '@convotel/query';
import { type Column, MAX_CHUNK_ROWS, Validity } from './column.ts';

/** Texts of any length; null where a span has none. */
export function textColumn(name: string, read: (span: SpanRecord) => string | undefined): Column {
  const validity = new Validity();
  return {
    name,
    type: VARCHAR,
    fill(vector, spans) {
      validity.reset();
      for (let row = 0; row < spans.length; row++) {
        const text = read(spans[row]!.record);
        if (text === undefined) validity.setNull(row);
        else duckdb.vector_assign_string_element(vector, row, text);
      }
      validity.copyTo(vector, spans.length);
    },
  };
}

/**
 * The named parts of a step, in seconds, as a map. DuckDB keeps a map as a list of (key, value): in the vector the
 * offset and length of each row's entries as two numbers of 64 bits, the entries of all rows in its child.
 */
export function timingsColumn(name: string): Column {
  const entries = new BigUint64Array(MAX_CHUNK_ROWS * 2);
  const validity = new Validity();
  return {
    name,
    type: MAP(VARCHAR, DOUBLE),
    fill(vector, spans) {
      validity.reset();
      const parts: string[] = [];
      const seconds: number[] = [];
      for (let row = 0; row < spans.length; row++) {
        const timings = spans[row]!.record.timingsSeconds;
        const offset = parts.length;
        if (timings === undefined) {
          validity.setNull(row);
        } else {
          for (const part of Object.keys(timings)) {
            parts.push(part);
            seconds.push(timings[part]!);
          }
        }
        entries[row * 2] = BigInt(offset);
        entries[row * 2 + 1] = BigInt(parts.length - offset);
      }
      duckdb.list_vector_reserve(vector, parts.length);
      duckdb.list_vector_set_size(vector, parts.length);
      const child = duckdb.list_vector_get_child(vector);
      const keys = duckdb.struct_vector_get_child(child, 0);
      for (let index = 0; index < parts.length; index++) {
        duckdb.vector_assign_string_element(keys, index, parts[index]!);
      }
      const values = Float64Array.from(seconds);
      duckdb.copy_data_to_vector(duckdb.struct_vector_get_child(child, 1), 0, values.buffer, 0, values.byteLength);
      duckdb.copy_data_to_vector(vector, 0, entries.buffer, 0, spans.length * 16);
      validity.copyTo(vector, spans.length);
    },
  };
}
