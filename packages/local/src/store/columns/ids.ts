import { type DuckDBType, UBIGINT, UHUGEINT } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { SpanRecord } from '@convotel/query';
import { type Column, MAX_CHUNK_ROWS, Validity } from './column.ts';

/** Value of each hex digit by character code; ids come checked, so other characters do not matter. */
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
function writeIdWords(hex: string, words: Uint32Array, index: number): void {
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
