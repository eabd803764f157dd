/** Words of one block: 512 bits, one line of the processor's cache, so that a look-up misses the cache once. */
const WORDS_PER_BLOCK = 16;
const BITS_PER_BLOCK_MASK = 511;
const BITS_PER_KEY = 32;
const PROBES = 8;

/** Four independent 32-bit hashes of one key. */
export interface KeyHash {
  /** Chooses the block. */
  block: number;
  /** These three choose the bits in it. */
  low: number;
  middle: number;
  high: number;
}

/**
 * Says of a key that it was never added, or that it may have been.
 *
 * A blocked Bloom filter (Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters, 2007) of 32 bits a
 * key: full, it takes fewer than one in 20,000 unknown keys for known.
 */
export class BloomFilter {
  /** How many keys it was made for; more make it say "maybe" more often. */
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
