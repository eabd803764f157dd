/**
 * Remembers what short sequences of bytes were decoded to, in a fixed amount of memory. In spans most of them recur, and
 * comparing bytes is faster than decoding them, and creates no garbage. Values are shared: nobody may change them.
 */
export class ByteCache<Value> {
  readonly #maxBytes: number;
  readonly #slotMask: number;
  readonly #bytes: Uint8Array;
  readonly #lengths: Int32Array;
  readonly #values: (Value | undefined)[];
  /** Slot of the bytes in the last {@link ByteCache.find}; -1 if they are too long. */
  #slot = -1;
  #length = 0;

  /**
   * @param slots - How many sequences it remembers at most; a power of two.
   * @param maxBytes - Longest sequence that it remembers.
   */
  constructor(slots: number, maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#slotMask = slots - 1;
    this.#bytes = new Uint8Array(slots * maxBytes);
    this.#lengths = new Int32Array(slots).fill(-1);
    this.#values = Array.from({ length: slots }, () => undefined);
  }

  /** The value for the bytes from `start` to `end`, if it is remembered. */
  find(bytes: Uint8Array, start: number, end: number): Value | undefined {
    const length = end - start;
    this.#slot = -1;
    if (length > this.#maxBytes) return undefined;
    let hash = length;
    for (let index = start; index < end; index++) hash = Math.imul(hash ^ bytes[index]!, 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & this.#slotMask;
    const from = slot * this.#maxBytes;
    if (this.#lengths[slot] === length) {
      let index = 0;
      while (index < length && this.#bytes[from + index] === bytes[start + index]) index += 1;
      if (index === length) return this.#values[slot];
    }
    // Cleared first, because decoding may fail.
    this.#lengths[slot] = -1;
    for (let index = 0; index < length; index++) this.#bytes[from + index] = bytes[start + index]!;
    this.#slot = slot;
    this.#length = length;
    return undefined;
  }

  /** Remembers `value` for the bytes that {@link ByteCache.find} has just not found, and returns it. */
  keep(value: Value): Value {
    if (this.#slot >= 0) {
      this.#values[this.#slot] = value;
      this.#lengths[this.#slot] = this.#length;
    }
    return value;
  }
}
