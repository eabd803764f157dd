import { type DuckDBType, UBIGINT, UHUGEINT } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { SpanRecord } from '@convotel/query';
import { SPAN_ID_WORDS, TRACE_ID_WORDS, writeIdWords } from '../ids.ts';
import { type Column, MAX_CHUNK_ROWS, Validity } from './column.ts';

function idColumn(
  name: string,
  type: DuckDBType,
  wordsPerId: number,
  read: (span: SpanRecord) => string | undefined,
): Column {
  const words = new Uint32Array(MAX_CHUNK_ROWS * wordsPerId);
  const validity = new Validity();
  return {
    name,
    type,
    fill(vector, spans) {
      validity.reset();
      for (let row = 0; row < spans.length; row++) {
        const hex = read(spans[row]!.record);
        if (hex === undefined) validity.setNull(row);
        else writeIdWords(hex, words, row * wordsPerId);
      }
      duckdb.copy_data_to_vector(vector, 0, words.buffer, 0, spans.length * wordsPerId * 4);
      validity.copyTo(vector, spans.length);
    },
  };
}

/** A trace id as a number of 128 bits. */
export function traceIdColumn(name: string, read: (span: SpanRecord) => string): Column {
  return idColumn(name, UHUGEINT, TRACE_ID_WORDS, read);
}

/** A span id as a number of 64 bits. */
export function spanIdColumn(name: string, read: (span: SpanRecord) => string | undefined): Column {
  return idColumn(name, UBIGINT, SPAN_ID_WORDS, read);
}
