import duckdb, { type Vector } from '@duckdb/node-bindings';
import { MAX_CHUNK_ROWS } from './column.ts';

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
