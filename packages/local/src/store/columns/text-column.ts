import { VARCHAR } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { SpanRecord } from '@convotel/query';
import type { Column } from './column.ts';
import { Validity } from './validity.ts';

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
