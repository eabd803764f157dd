import type { DuckDBType } from '@duckdb/node-api';
import duckdb, { type Vector } from '@duckdb/node-bindings';
import type { SpanRecord } from '@convotel/query';

/** Most rows of one data chunk: DuckDB's vector size. */
export const MAX_CHUNK_ROWS = 2048;

/** One column of the table `spans`: where its values come from, and how they get into a vector of a data chunk. */
export interface Column {
  readonly name: string;
  readonly type: DuckDBType;
  /** Fills the first `spans.length` rows of `vector`, which is fresh, from `spans`. */
  fill(vector: Vector, spans: readonly StoredSpan[]): void;
}

/** A span, and where its resource and its step stand in the tables `resources` and `steps`. */
export interface StoredSpan {
  record: SpanRecord;
  resourceId: number;
  /** 0 for a root; undefined for a span that is neither root nor step. */
  stepId: number | undefined;
}

/** Which rows of one column hold a value: one bit a row, as DuckDB keeps it. */
export class Validity {
  readonly #bits = new Uint32Array(MAX_CHUNK_ROWS / 32);
  #hasNull = false;

  /** Says that every row holds a value. */
  reset(): void {
    if (!this.#hasNull) return;
    this.#bits.fill(0xffff_ffff);
    this.#hasNull = false;
  }

  /** Says that `row` holds none. */
  setNull(row: number): void {
    if (!this.#hasNull) {
      this.#bits.fill(0xffff_ffff);
      this.#hasNull = true;
    }
    this.#bits[row >>> 5]! &= ~(1 << (row & 31));
  }

  /** Hands the bits of the first `rows` rows to `vector`; a fresh vector already has every row valid. */
  copyTo(vector: Vector, rows: number): void {
    if (!this.#hasNull) return;
    duckdb.vector_ensure_validity_writable(vector);
    // DuckDB reads whole words of 64 bits.
    duckdb.copy_data_to_vector_validity(vector, 0, this.#bits.buffer, 0, Math.ceil(rows / 64) * 8);
  }
}
