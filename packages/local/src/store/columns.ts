import type { SpanRecord } from '@convotel/query';
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBType,
  ENUM,
  INTEGER,
  MAP,
  UBIGINT,
  UHUGEINT,
  UINTEGER,
  VARCHAR,
} from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { Vector } from '@duckdb/node-bindings';

/** Most rows of one data chunk: DuckDB's vector size. */
export const MAX_CHUNK_ROWS = 2048;

/**
 * One column of the table `spans`: where its values come from, and how they are written to a vector of a data chunk.
 */
export interface Column {
  readonly name: string;
  readonly type: DuckDBType;
  /** Fills the first `spans.length` rows of `vector`, which is fresh, from `spans`. */
  fill(vector: Vector, spans: readonly StoredSpan[]): void;
}

/** A span, with the ids of its resource and step in the tables `resources` and `steps`. */
export interface StoredSpan {
  record: SpanRecord;
  resourceId: number;
  /** 0 for a root; undefined for a span that is neither root nor step. */
  stepId: number | undefined;
  /** Its number in order of arrival. */
  arrival: number;
}

/** Which rows of one column hold a value: one bit a row, as DuckDB keeps it. */
class Validity {
  readonly #bits = new Uint32Array(MAX_CHUNK_ROWS / 32);
  #hasNull = false;

  /** Marks every row as valid. */
  reset(): void {
    if (!this.#hasNull) return;
    this.#bits.fill(0xffff_ffff);
    this.#hasNull = false;
  }

  /** Marks `row` as null. */
  setNull(row: number): void {
    if (!this.#hasNull) {
      this.#bits.fill(0xffff_ffff);
      this.#hasNull = true;
    }
    this.#bits[row >>> 5]! &= ~(1 << (row & 31));
  }

  /** Marks every row as null. */
  setAllNull(): void {
    this.#bits.fill(0);
    this.#hasNull = true;
  }

  /** Writes the bits of the first `rows` rows to `vector`; a fresh vector already has every row valid. */
  copyTo(vector: Vector, rows: number): void {
    if (!this.#hasNull) return;
    duckdb.vector_ensure_validity_writable(vector);
    // DuckDB reads whole words of 64 bits.
    duckdb.copy_data_to_vector_validity(vector, 0, this.#bits.buffer, 0, Math.ceil(rows / 64) * 8);
  }
}

/** Where the values of a column come from that few spans have a value for. */
export interface SparseValues<Value> {
  /** Whether no span of the chunk has a value. */
  isEmpty(): boolean;
  /** The value of the span in this row of the chunk. */
  at(row: number): Value | undefined;
}

/** Values of a fixed width, as DuckDB keeps them in memory. */
type Items<Value> = { [index: number]: Value; buffer: ArrayBuffer; BYTES_PER_ELEMENT: number };

function column<Value>(
  name: string,
  type: DuckDBType,
  items: Items<Value>,
  read: ((span: SpanRecord, stored: StoredSpan) => Value | undefined) | SparseValues<Value>,
): Column {
  const validity = new Validity();
  const valueAt =
    typeof read === 'function'
      ? (stored: StoredSpan): Value | undefined => read(stored.record, stored)
      : (_: StoredSpan, row: number): Value | undefined => read.at(row);
  return {
    name,
    type,
    fill(vector, spans) {
      validity.reset();
      if (typeof read === 'object' && read.isEmpty()) {
        validity.setAllNull();
      } else {
        for (let row = 0; row < spans.length; row++) {
          const value = valueAt(spans[row]!, row);
          if (value === undefined) validity.setNull(row);
          else items[row] = value;
        }
        duckdb.copy_data_to_vector(vector, 0, items.buffer, 0, spans.length * items.BYTES_PER_ELEMENT);
      }
      validity.copyTo(vector, spans.length);
    },
  };
}

/** 64 bits with a sign. */
export function bigintColumn(name: string, read: (span: SpanRecord) => bigint): Column {
  return column(name, BIGINT, new BigInt64Array(MAX_CHUNK_ROWS), read);
}

/** 32 bits with a sign. */
export function integerColumn(name: string, values: SparseValues<number>): Column {
  return column(name, INTEGER, new Int32Array(MAX_CHUNK_ROWS), values);
}

/** 32 bits without a sign. */
export function unsignedColumn(
  name: string,
  read: (span: SpanRecord, stored: StoredSpan) => number | undefined,
): Column {
  return column(name, UINTEGER, new Uint32Array(MAX_CHUNK_ROWS), read);
}

/** 64 bits, floating. */
export function doubleColumn(name: string, values: SparseValues<number>): Column {
  return column(name, DOUBLE, new Float64Array(MAX_CHUNK_ROWS), values);
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

/** Texts of any length; null where a span has none. */
export function textColumn(
  name: string,
  read: ((span: SpanRecord) => string | undefined) | SparseValues<string>,
): Column {
  const validity = new Validity();
  const textAt =
    typeof read === 'function'
      ? (stored: StoredSpan): string | undefined => read(stored.record)
      : (_: StoredSpan, row: number): string | undefined => read.at(row);
  return {
    name,
    type: VARCHAR,
    fill(vector, spans) {
      validity.reset();
      if (typeof read === 'object' && read.isEmpty()) {
        validity.setAllNull();
      } else {
        for (let row = 0; row < spans.length; row++) {
          const text = textAt(spans[row]!, row);
          if (text === undefined) validity.setNull(row);
          else duckdb.vector_assign_string_element(vector, row, text);
        }
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

/** Value of each hex digit by character code; ids have been validated, so other characters do not occur. */
const DIGIT_VALUES = new Uint8Array(128);
for (let value = 0; value < 16; value++) DIGIT_VALUES[value.toString(16).charCodeAt(0)] = value;

/** The 32 bits in the eight lower-case hex digits of `hex` that begin at `offset`. */
export function hexWord(hex: string, offset: number): number {
  let word = 0;
  for (let index = offset; index < offset + 8; index++) word = (word << 4) | DIGIT_VALUES[hex.charCodeAt(index)]!;
  return word >>> 0;
}

/** Number of 32-bit words in a trace id. */
export const TRACE_ID_WORDS = 4;

/** Number of 32-bit words in a span id. */
export const SPAN_ID_WORDS = 2;

/** Writes a hex id into `words` from `index` on as DuckDB keeps a number in memory: the lowest 32 bits first. */
export function writeIdWords(hex: string, words: Uint32Array, index: number): void {
  for (let offset = hex.length - 8; offset >= 0; offset -= 8) words[index++] = hexWord(hex, offset);
}

/** The number that a hex id stands for. */
export function idNumber(hex: string): bigint {
  return BigInt(`0x${hex}`);
}

/** A trace id in hex of 32 digits. */
export function traceIdHex(id: bigint): string {
  return id.toString(16).padStart(32, '0');
}

/** A span id in hex of 16 digits. */
export function spanIdHex(id: bigint): string {
  return id.toString(16).padStart(16, '0');
}

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
      // The spans of a conversation mostly come one after another, and have their trace and their parent in common.
      let last: string | undefined;
      let lastAt = 0;
      for (let row = 0; row < spans.length; row++) {
        const hex = read(spans[row]!.record);
        const at = row * wordsPerId;
        if (hex === undefined) {
          validity.setNull(row);
        } else if (hex === last) {
          for (let word = 0; word < wordsPerId; word++) words[at + word] = words[lastAt + word]!;
        } else {
          writeIdWords(hex, words, at);
          [last, lastAt] = [hex, at];
        }
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
