import type { DuckDBConnection } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { SPAN_ID_WORDS, TRACE_ID_WORDS, hexWord, writeIdWords } from './columns.ts';
import { readUndamaged } from './database.ts';

/** Room for this many spans beside those stored, before the filter grows. */
const SPARE_SPANS = 1_000_000;

/**
 * Remembers (trace id, span id) pairs in a few bytes each, and grows as they come: a pair is either certainly new, or
 * may be known.
 */
export class KnownSpanIds {
  /** Oldest first. Pairs are added to the last one; when it is full, one twice as large follows. */
  readonly #filters: BloomFilter[];
  /** Reused for each pair; allocating one would cost more than the look-up. */
  readonly #hash: KeyHash = { block: 0, low: 0, middle: 0, high: 0 };
  /** The spans of a conversation mostly come one after another. */
  readonly #lastTrace = { id: '', words: new Uint32Array(TRACE_ID_WORDS) };

  /** @param expected - How many pairs will be added soon. */
  constructor(expected: number) {
    this.#filters = [new BloomFilter(expected)];
  }

  /** Pairs added so far. */
  get size(): number {
    return this.#filters.reduce((sum, filter) => sum + filter.size, 0);
  }

  /** Adds a pair of hex ids; returns false when it may have been there before. */
  addHex(traceId: string, spanId: string): boolean {
    const last = this.#lastTrace;
    if (traceId !== last.id) {
      writeIdWords(traceId, last.words, 0);
      last.id = traceId;
    }
    const { words } = last;
    return this.addWords(words[0]!, words[1]!, words[2]!, words[3]!, hexWord(spanId, 8), hexWord(spanId, 0));
  }

  /** As {@link KnownSpanIds.addHex}, with the ids as 32-bit words, the lowest first. */
  addWords(trace0: number, trace1: number, trace2: number, trace3: number, span0: number, span1: number): boolean {
    const hash = this.#hash;
    hash.block = mixed(mixed(mixed(span0, trace0), span1), trace1);
    hash.low = mixed(mixed(hash.block ^ trace2, trace3), span0 ^ span1);
    hash.middle = mixed(hash.low, 0x9e3779b1);
    hash.high = mixed(hash.middle, 0x7f4a7c15);
    for (const filter of this.#filters) {
      if (filter.mayHave(hash)) return false;
    }
    let newest = this.#filters.at(-1)!;
    if (newest.size >= newest.capacity) {
      newest = new BloomFilter(newest.capacity * 2);
      this.#filters.push(newest);
    }
    newest.add(hash);
    return true;
  }
}

/** One round of a multiplicative hash with the finish of MurmurHash3 (public domain, A. Appleby). */
function mixed(hash: number, word: number): number {
  let value = Math.imul(hash ^ word, 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 15), 0xc2b2ae35);
  return (value ^ (value >>> 13)) >>> 0;
}

/** The filter of all stored spans; in a damaged store, of those whose ids can be read. */
export async function readKnownSpanIds(
  connection: DuckDBConnection,
): Promise<{ known: KnownSpanIds; hasDamage: boolean }> {
  const [[count] = []] = (await connection.runAndReadAll('SELECT count(*) FROM spans')).getRows();
  const known = new KnownSpanIds(Number(count) + SPARE_SPANS);
  const isWhole = await readUndamaged(connection, (condition) =>
    addIds(known, connection, `SELECT trace_id, span_id FROM spans WHERE ${condition}`),
  );
  return { known, hasDamage: !isWhole };
}

/** Reads the ids as they lie in memory: as bigints they would take ten times as long. */
async function addIds(known: KnownSpanIds, connection: DuckDBConnection, sql: string): Promise<void> {
  const result = await connection.stream(sql);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    const rows = chunk.rowCount;
    const traces = idWords(duckdb.data_chunk_get_vector(chunk.chunk, 0), rows * TRACE_ID_WORDS);
    const spans = idWords(duckdb.data_chunk_get_vector(chunk.chunk, 1), rows * SPAN_ID_WORDS);
    for (let row = 0; row < rows; row++) {
      const trace = row * TRACE_ID_WORDS;
      const span = row * SPAN_ID_WORDS;
      known.addWords(
        traces[trace]!,
        traces[trace + 1]!,
        traces[trace + 2]!,
        traces[trace + 3]!,
        spans[span]!,
        spans[span + 1]!,
      );
    }
  }
}

function idWords(vector: Parameters<typeof duckdb.vector_get_data>[0], words: number): Uint32Array {
  const bytes = duckdb.vector_get_data(vector, words * 4);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, words);
}

/** Words of one block: 512 bits, one line of the processor's cache, so that a look-up misses the cache once. */
const WORDS_PER_BLOCK = 16;
const BITS_PER_BLOCK_MASK = 511;
const BITS_PER_KEY = 32;
const PROBES = 8;

/** Four independent 32-bit hashes of one key. */
interface KeyHash {
  /** Chooses the block. */
  block: number;
  /** These three choose the bits in it. */
  low: number;
  middle: number;
  high: number;
}

/**
 * Tells whether a key was certainly never added, or may have been.
 *
 * A blocked Bloom filter (Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters, 2007) with 32 bits
 * per key: when full, it reports fewer than one in 20,000 unknown keys as known.
 */
class BloomFilter {
  /** How many keys it is sized for; with more, false positives become more frequent. */
  readonly capacity: number;
  /** Keys added so far. */
  size = 0;
  readonly #words: Uint32Array;
  readonly #blockMask: number;

  constructor(capacity: number) {
    const blocks = 2 ** Math.ceil(Math.log2(Math.max(capacity, 1024) / (WORDS_PER_BLOCK * (32 / BITS_PER_KEY))));
    this.capacity = (blocks * WORDS_PER_BLOCK * 32) / BITS_PER_KEY;
    this.#words = new Uint32Array(blocks * WORDS_PER_BLOCK);
    this.#blockMask = blocks - 1;
  }

  /** Whether the key with this hash may have been added. */
  mayHave(hash: KeyHash): boolean {
    const block = (hash.block & this.#blockMask) * WORDS_PER_BLOCK;
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = bitOf(hash, probe);
      if ((this.#words[block + (bit >>> 5)]! & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }

  add(hash: KeyHash): void {
    const block = (hash.block & this.#blockMask) * WORDS_PER_BLOCK;
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = bitOf(hash, probe);
      this.#words[block + (bit >>> 5)]! |= 1 << (bit & 31);
    }
    this.size += 1;
  }
}

/** The bit of its block that a key's n-th probe looks at: nine bits of a hash, three probes to a word. */
function bitOf(hash: KeyHash, probe: number): number {
  const word = probe < 3 ? hash.low : probe < 6 ? hash.middle : hash.high;
  return (word >>> ((probe % 3) * 9)) & BITS_PER_BLOCK_MASK;
}
