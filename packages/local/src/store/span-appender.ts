import { setImmediate } from 'node:timers/promises';
import { type DuckDBAppender, type DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { Column, StoredSpan } from './columns/column.ts';
import { createSpanColumns } from './columns/span-columns.ts';

/** Rows laid into columns without a break: a few milliseconds' work, in which nobody is answered. At most one vector. */
const ROWS_PER_TURN = 1024;

/**
 * Writes rows to the table `spans`, a chunk of columns at a time, through one appender that stays open (a new one per
 * request leaks memory).
 */
export class SpanAppender {
  readonly #appender: DuckDBAppender;
  readonly #columns: readonly Column[];
  readonly #dataChunk: DuckDBDataChunk;

  private constructor(appender: DuckDBAppender, columns: readonly Column[]) {
    this.#appender = appender;
    this.#columns = columns;
    this.#dataChunk = DuckDBDataChunk.create(columns.map((column) => column.type));
  }

  static async open(connection: DuckDBConnection): Promise<SpanAppender> {
    const columns = new Map(createSpanColumns().map((column) => [column.name, column]));
    const table = await connection.runAndReadAll(
      "SELECT column_name FROM duckdb_columns() WHERE table_name = 'spans' ORDER BY column_index",
    );
    // An appender takes the columns in the order of the table, which differs with the versions that made it.
    const ordered = table.getRows().map(([name]) => columns.get(name as string)!);
    return new SpanAppender(await connection.createAppender('spans'), ordered);
  }

  /** Writes `spans` as part of the connection's transaction, and lets others work in between. */
  async append(spans: readonly StoredSpan[]): Promise<void> {
    for (let from = 0; from < spans.length; from += ROWS_PER_TURN) {
      if (from > 0) await setImmediate();
      this.#appendChunk(spans.slice(from, from + ROWS_PER_TURN));
    }
    this.#appender.flushSync();
  }

  #appendChunk(spans: readonly StoredSpan[]): void {
    this.#dataChunk.reset();
    this.#dataChunk.rowCount = spans.length;
    for (const [index, column] of this.#columns.entries()) {
      column.fill(duckdb.data_chunk_get_vector(this.#dataChunk.chunk, index), spans);
    }
    this.#appender.appendDataChunk(this.#dataChunk);
  }

  close(): void {
    this.#appender.closeSync();
  }
}
