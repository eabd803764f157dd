import { type DuckDBAppender, type DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { type Column, MAX_CHUNK_ROWS, type StoredSpan } from './columns/column.ts';
import { createSpanColumns } from './columns/span-columns.ts';

/**
 * Writes rows to the table `spans`, a chunk of columns at a time, through one appender that stays open (a new one per
 * request leaks memory). What it has written is part of the connection's transaction once {@link SpanAppender.flush}
 * returns.
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
    return new SpanAppender(await connection.createAppender('spans'), createSpanColumns());
  }

  append(spans: readonly StoredSpan[]): void {
    for (let from = 0; from < spans.length; from += MAX_CHUNK_ROWS) {
      this.#appendChunk(spans.slice(from, from + MAX_CHUNK_ROWS));
    }
  }

  #appendChunk(spans: readonly StoredSpan[]): void {
    this.#dataChunk.reset();
    this.#dataChunk.rowCount = spans.length;
    for (const [index, column] of this.#columns.entries()) {
      column.fill(duckdb.data_chunk_get_vector(this.#dataChunk.chunk, index), spans);
    }
    this.#appender.appendDataChunk(this.#dataChunk);
  }

  flush(): void {
    this.#appender.flushSync();
  }

  close(): void {
    this.#appender.closeSync();
  }
}
