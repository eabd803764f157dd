import type { SpanRecord } from '@convotel/query';
import type { DuckDBResult } from '@duckdb/node-api';
import { columnReader } from './column-reader.ts';
import { spanRowReader } from './span-rows.ts';

/** A row by column name, null where there is no value. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Calls `onRow` with each row of `result`, some thousand at a time, so that the event loop can do other work in between.
 * `row` is the same object every time, and `readSpan` reads the span that is in it.
 */
export async function readRows(
  result: DuckDBResult,
  onRow: (row: Row, readSpan: (row: Row) => SpanRecord) => void,
): Promise<void> {
  const names = result.deduplicatedColumnNames();
  const types = result.columnTypes().map(({ typeId }) => typeId);
  const row: Record<string, unknown> = {};
  for await (const chunk of result) {
    const filled = names.map((name, column) => ({ name, ...columnReader(chunk, column, types[column]!) }));
    for (const { name } of filled.filter(({ valuesIn }) => valuesIn === 'none')) row[name] = null;
    const namesOf = (rows: 'all' | 'some'): Set<string> =>
      new Set(filled.filter(({ valuesIn }) => valuesIn === rows).map(({ name }) => name));
    const readSpan = spanRowReader(namesOf('all'), namesOf('some'));
    const toRead = filled.filter(({ valuesIn }) => valuesIn !== 'none');
    const { rowCount } = chunk;
    for (let index = 0; index < rowCount; index++) {
      for (const { name, read } of toRead) row[name] = read(index);
      onRow(row, readSpan);
    }
  }
}
