import { BloomFilter, type KeyHash } from './bloom-filter.ts';
import { hexWord } from './columns/ids.ts';

/**
 * Remembers (trace id, span id) pairs in a few bytes each, and grows as they come: it says of a pair that it is new,
 * or that it may be known.
 */
export class KnownSpanIds {
  /** The newest last; only that one is added to, and when it is full one twice as large follows. */
  readonly #filters: BloomFilter[];
  /** Filled anew for each pair; an object a pair would cost more than the look-up. */
  readonly #hash: KeyHash = { block: 0, low: 0, middle: 0, high: 0 };

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
    return this.addWords(
      hexWord(traceId, 24),
      hexWord(traceId, 16),
      hexWord(traceId, 8),
      hexWord(traceId, 0),
      hexWord(spanId, 8),
      hexWord(spanId, 0),
    );
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
