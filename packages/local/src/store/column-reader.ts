import {
  type DuckDBDataChunk,
  DuckDBEnumType,
  DuckDBListValue,
  type DuckDBResult,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { Vector } from '@duckdb/node-bindings';

/** The numbers in a column of a chunk of a result. */
export interface KnownNumbers<Items> {
  /** As they are in memory, with any number where there is no value. */
  items: Items;
  /** A bit per row, the lowest first: whether it has a value. Null if all have one. */
  validity: Uint8Array | null;
}

/** One column of a chunk of a result. */
export interface ColumnReader {
  /** Which rows have a value. */
  valuesIn: 'all' | 'some' | 'none';
  /** The value at a row; null where there is none. Lists are arrays. */
  read: ValueReader;
}

/** Reads the value at a row. */
export type ValueReader = (row: number) => unknown;

/** A part of a result, of some thousand rows, with a reader for each of its columns. */
export interface ResultPart {
  rowCount: number;
  /** By name. */
  columns: ReadonlyMap<string, ColumnReader>;
}

/** A part of a result, read with as little work for each column as can be. */
export interface RawPart {
  rowCount: number;
  /** The numbers of a column without nulls, as they are in memory: several of `Items` for one wider number. */
  items<Items>(name: string, Items: ItemArray<Items>): Items;
  /** The numbers of a column with nulls; undefined if all are null. */
  knownItems<Items>(name: string, Items: ItemArray<Items>): KnownNumbers<Items> | undefined;
  reader(name: string): ColumnReader;
}

/** Reads `result` in parts like {@link partsOf}. Each array that is made of a column takes time, so they are made when asked for. */
export async function* rawPartsOf(result: DuckDBResult): AsyncIterable<RawPart> {
  const places = new Map(result.deduplicatedColumnNames().map((name, column) => [name, column]));
  const types = result.columnTypes();
  for await (const chunk of result) {
    const rows = chunk.rowCount;
    const vectorOf = (name: string): Vector => duckdb.data_chunk_get_vector(chunk.chunk, places.get(name)!);
    const itemsOf = <Items>(vector: Vector, Items: ItemArray<Items>, type: DuckDBType): Items => {
      const data = duckdb.vector_get_data(vector, rows * bytesOf(type));
      return new Items(data.buffer, data.byteOffset, data.byteLength / Items.BYTES_PER_ELEMENT);
    };
    yield {
      rowCount: rows,
      items: (name, Items) => itemsOf(vectorOf(name), Items, types[places.get(name)!]!),
      knownItems: (name, Items) => {
        const vector = vectorOf(name);
        const { valuesIn, validity } = validityOf(vector, rows);
        if (valuesIn === 'none') return undefined;
        return { items: itemsOf(vector, Items, types[places.get(name)!]!), validity };
      },
      reader: (name) => columnReader(chunk, places.get(name)!, types[places.get(name)!]!, false),
    };
  }
}

/**
 * Reads `result` in parts, so that the event loop can do other work in between. The columns in `ids` hold numbers that
 * are read as hex ids.
 */
export async function* partsOf(result: DuckDBResult, ids: ReadonlySet<string> = new Set()): AsyncIterable<ResultPart> {
  const names = result.deduplicatedColumnNames();
  const types = result.columnTypes();
  for await (const chunk of result) {
    const columns = new Map(
      names.map((name, column) => [name, columnReader(chunk, column, types[column]!, ids.has(name))]),
    );
    yield { rowCount: chunk.rowCount, columns };
  }
}

/**
 * Reads one column of a chunk. The readers of the driver take several times as long for rows that are null and for texts
 * that repeat, which in spans is most of them.
 */
function columnReader(chunk: DuckDBDataChunk, column: number, type: DuckDBType, isId: boolean): ColumnReader {
  const vector = duckdb.data_chunk_get_vector(chunk.chunk, column);
  const rows = chunk.rowCount;
  const { valuesIn, validity } = validityOf(vector, rows);
  if (valuesIn === 'none') return { valuesIn, read: () => null };
  const read = (isId ? idReader : valueReader)(vector, rows, type) ?? driverReader(chunk, column);
  if (validity === null) return { valuesIn, read };
  return { valuesIn, read: (row) => ((validity[row >>> 3]! >>> (row & 7)) & 1 ? read(row) : null) };
}

/** Which rows have a value: a bit each, or null if all have one. */
function validityOf(vector: Vector, rows: number): { valuesIn: ColumnReader['valuesIn']; validity: Uint8Array | null } {
  // DuckDB keeps one bit a row in words of 64 bits, and nothing where no row is null.
  const validity: Uint8Array | null = duckdb.vector_get_validity(vector, Math.ceil(rows / 64) * 8);
  const valid = validity === null ? rows : countBits(validity, rows);
  if (valid === rows) return { valuesIn: 'all', validity: null };
  return { valuesIn: valid === 0 ? 'none' : 'some', validity };
}

function countBits(bits: Uint8Array, count: number): number {
  let set = 0;
  const whole = count >>> 3;
  for (let byte = 0; byte < whole; byte++) set += BITS_IN_BYTE[bits[byte]!]!;
  for (let bit = whole * 8; bit < count; bit++) set += (bits[bit >>> 3]! >>> (bit & 7)) & 1;
  return set;
}

const BITS_IN_BYTE = Uint8Array.from({ length: 256 }, (_none, byte) => byte.toString(2).replaceAll('0', '').length);

/** How many bytes the number of a row takes. */
function bytesOf({ typeId }: DuckDBType): number {
  switch (typeId) {
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.ENUM:
      return 1;
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.UINTEGER:
      return 4;
    case DuckDBTypeId.UHUGEINT:
      return 16;
    default:
      return 8;
  }
}

/** Reads rows that are not null; undefined for a type that the driver reads as fast. */
function valueReader(vector: Vector, rows: number, type: DuckDBType): ValueReader | undefined {
  switch (type.typeId) {
    case DuckDBTypeId.VARCHAR:
      return textReader(duckdb.vector_get_data(vector, rows * 16), rows);
    case DuckDBTypeId.BIGINT:
      return itemReader(BigInt64Array, vector, rows);
    case DuckDBTypeId.UBIGINT:
      return itemReader(BigUint64Array, vector, rows);
    case DuckDBTypeId.INTEGER:
      return itemReader(Int32Array, vector, rows);
    case DuckDBTypeId.UINTEGER:
      return itemReader(Uint32Array, vector, rows);
    case DuckDBTypeId.DOUBLE:
      return itemReader(Float64Array, vector, rows);
    case DuckDBTypeId.UHUGEINT:
      return hugeReader(vector, rows);
    case DuckDBTypeId.ENUM:
      return enumReader(type as DuckDBEnumType, vector, rows);
    default:
      return undefined;
  }
}

/** A typed array's constructor. */
interface ItemArray<Items> {
  new (buffer: ArrayBufferLike, offset: number, length: number): Items;
  readonly BYTES_PER_ELEMENT: number;
}

function itemReader(
  Items: ItemArray<{ readonly [index: number]: unknown }>,
  vector: Vector,
  rows: number,
): ValueReader {
  const data = duckdb.vector_get_data(vector, rows * Items.BYTES_PER_ELEMENT);
  const items = new Items(data.buffer, data.byteOffset, rows);
  return (row) => items[row];
}

/** The cells of a conversation mostly come one after another, and a number of 128 bits takes long to make. */
function hugeReader(vector: Vector, rows: number): ValueReader {
  const data = duckdb.vector_get_data(vector, rows * 16);
  const words = new BigUint64Array(data.buffer, data.byteOffset, rows * 2);
  const halves = new Uint32Array(data.buffer, data.byteOffset, rows * 4);
  let [last, lastNumber] = [-1, 0n];
  return (row) => {
    if (last === -1 || !isEqual(halves, row * 4, last * 4)) {
      lastNumber = (words[row * 2 + 1]! << 64n) | words[row * 2]!;
      last = row;
    }
    return lastNumber;
  };
}

/** Whether the four words from `a` on are those from `b` on. */
function isEqual(words: Uint32Array, a: number, b: number): boolean {
  return (
    words[a] === words[b] &&
    words[a + 1] === words[b + 1] &&
    words[a + 2] === words[b + 2] &&
    words[a + 3] === words[b + 3]
  );
}

function enumReader({ values, internalTypeId }: DuckDBEnumType, vector: Vector, rows: number): ValueReader | undefined {
  if (internalTypeId !== DuckDBTypeId.UTINYINT) return undefined;
  const places = duckdb.vector_get_data(vector, rows);
  return (row) => values[places[row]!];
}

/** Reads numbers of 64 or 128 bits as hex of 16 or 32 digits. */
function idReader(vector: Vector, rows: number, { typeId }: DuckDBType): ValueReader | undefined {
  const bytesPerId = typeId === DuckDBTypeId.UBIGINT ? 8 : typeId === DuckDBTypeId.UHUGEINT ? 16 : undefined;
  if (bytesPerId === undefined) return undefined;
  // The lowest byte comes first in memory, and the lower half of 128 bits; all ids are written at once.
  const bytes = Buffer.from(duckdb.vector_get_data(vector, rows * bytesPerId)).swap64();
  const digits = bytesPerId * 2;
  const hex = bytes.toString('hex');
  if (bytesPerId === 8) return (row) => hex.slice(row * digits, (row + 1) * digits);
  let last = '';
  let lastId = '';
  return (row) => {
    const halves = hex.slice(row * digits, (row + 1) * digits);
    // The spans of a conversation come one after another.
    if (halves !== last) [last, lastId] = [halves, halves.slice(16) + halves.slice(0, 16)];
    return lastId;
  };
}

/** Longest text in bytes that DuckDB keeps in the vector itself. */
const MAX_INLINE_BYTES = 12;

/**
 * DuckDB keeps a text in 16 bytes: its length in 4, then either the text itself, padded with zeros, or its first 4 bytes and
 * where it is. Equal words are therefore equal texts, and the text of the row before need not be decoded again.
 */
function textReader(data: Uint8Array, rows: number): ValueReader {
  const words = new Uint32Array(data.buffer, data.byteOffset, rows * 4);
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  let [last, lastText] = [-1, ''];
  return (row) => {
    const place = row * 4;
    if (last !== -1 && isEqual(words, place, last)) return lastText;
    const length = words[place]!;
    last = place;
    if (length <= MAX_INLINE_BYTES) {
      lastText = bytes.toString('utf8', row * 16 + 4, row * 16 + 4 + length);
    } else {
      const elsewhere = duckdb.get_data_from_pointer(
        data.buffer as ArrayBuffer,
        data.byteOffset + row * 16 + 8,
        length,
      );
      lastText = Buffer.from(elsewhere.buffer, elsewhere.byteOffset, length).toString();
    }
    return lastText;
  };
}

function driverReader(chunk: DuckDBDataChunk, column: number): ValueReader {
  const vector = chunk.getColumnVector(column);
  return (row) => {
    const value: unknown = vector.getItem(row);
    return value instanceof DuckDBListValue ? value.items : value;
  };
}
