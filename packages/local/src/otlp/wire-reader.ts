import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { OtlpFormatError } from '@convotel/query/engine';

/** Maximum nesting depth of values. */
export const MAX_NESTING = 64;

/** Reads one field, given its number and wire type, from `reader` into `target`; returns false to skip it. */
export type FieldReader<Target> = (target: Target, field: number, wireType: WireType, reader: WireReader) => boolean;

/** Reads the part of protobuf's wire format (protobuf.dev, Encoding) that OTLP uses. */
export class WireReader {
  readonly #bytes: Buffer;
  readonly #reader: BinaryReader;
  #depth = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#reader = new BinaryReader(bytes);
  }

  /** Reads the fields of a whole message into `target`. */
  readWhole<Target>(target: Target, readField: FieldReader<Target>): Target {
    return this.#readUntil(this.#bytes.length, target, readField);
  }

  /** Reads the fields of an embedded message into `target`. */
  message<Target>(wireType: WireType, target: Target, readField: FieldReader<Target>): Target {
    const end = this.#endOfDelimited(wireType);
    this.#depth += 1;
    if (this.#depth > MAX_NESTING) throw new OtlpFormatError(`values nested more than ${MAX_NESTING} deep`);
    this.#readUntil(end, target, readField);
    this.#depth -= 1;
    return target;
  }

  text(wireType: WireType): string {
    const end = this.#endOfDelimited(wireType);
    const start = this.#reader.pos;
    this.#reader.pos = end;
    return TEXTS.find(this.#bytes, start, end) ?? TEXTS.keep(this.#decoded(start, end));
  }

  #decoded(start: number, end: number): string {
    const text = this.#bytes.toString('utf8', start, end);
    // Invalid UTF-8 becomes U+FFFD, which may also be part of the text.
    if (text.includes('\ufffd'))
      return new TextDecoder('utf-8', { fatal: true }).decode(this.#bytes.subarray(start, end));
    return text;
  }

  hex(wireType: WireType): string {
    const end = this.#endOfDelimited(wireType);
    const start = this.#reader.pos;
    this.#reader.pos = end;
    return IDS.find(this.#bytes, start, end) ?? IDS.keep(this.#bytes.toString('hex', start, end));
  }

  base64(wireType: WireType): string {
    const end = this.#endOfDelimited(wireType);
    const start = this.#reader.pos;
    this.#reader.pos = end;
    return this.#bytes.toString('base64', start, end);
  }

  fixed64(wireType: WireType): bigint {
    this.#expect(wireType, WireType.Bit64);
    const start = this.#reader.pos;
    this.#reader.pos = start + 8;
    return this.#bytes.readBigUInt64LE(start);
  }

  fixed32(wireType: WireType): number {
    this.#expect(wireType, WireType.Bit32);
    return this.#reader.fixed32();
  }

  double(wireType: WireType): number {
    this.#expect(wireType, WireType.Bit64);
    return this.#reader.double();
  }

  varint32(wireType: WireType): number {
    this.#expect(wireType, WireType.Varint);
    return this.#reader.uint32();
  }

  bool(wireType: WireType): boolean {
    this.#expect(wireType, WireType.Varint);
    return this.#reader.bool();
  }

  /** A 64-bit integer in OTLP/JSON form. */
  int64(wireType: WireType): string {
    this.#expect(wireType, WireType.Varint);
    return String(this.#reader.int64());
  }

  #readUntil<Target>(end: number, target: Target, readField: FieldReader<Target>): Target {
    const reader = this.#reader;
    while (reader.pos < end) {
      const tag = reader.uint32();
      const field = tag >>> 3;
      const wireType: WireType = tag & 7;
      if (field === 0) throw new OtlpFormatError(`a field with the number 0 at byte ${reader.pos}`);
      if (!readField(target, field, wireType, this)) reader.skip(wireType, field);
    }
    if (reader.pos !== end) throw new OtlpFormatError(`a message that ends within a field at byte ${reader.pos}`);
    return target;
  }

  /** Reads a length, and returns the position where the content ends. */
  #endOfDelimited(wireType: WireType): number {
    this.#expect(wireType, WireType.LengthDelimited);
    const length = this.#reader.uint32();
    const end = this.#reader.pos + length;
    if (end > this.#bytes.length) throw new OtlpFormatError(`a length past the end at byte ${this.#reader.pos}`);
    return end;
  }

  #expect(found: WireType, expected: WireType): void {
    if (found !== expected) {
      throw new OtlpFormatError(`wire type ${found} instead of ${expected} at byte ${this.#reader.pos}`);
    }
  }
}

/** Maximum length of a cached text, in bytes. */
const MAX_CACHED_BYTES = 64;
const CACHE_SLOTS = 1024;

/**
 * A cache of decoded short texts. The keys and most values of attributes recur in every span, and comparing bytes is
 * faster than decoding a string, and creates no garbage.
 */
class TextCache {
  readonly #bytes = new Uint8Array(CACHE_SLOTS * MAX_CACHED_BYTES);
  readonly #lengths = new Int32Array(CACHE_SLOTS).fill(-1);
  readonly #texts: string[] = Array.from({ length: CACHE_SLOTS }, () => '');
  /** Slot of the bytes in the last {@link find}; -1 if they are too long. */
  #slot = -1;
  #length = 0;

  /** The cached text for the bytes from `start` to `end`, if any. */
  find(bytes: Uint8Array, start: number, end: number): string | undefined {
    const length = end - start;
    this.#slot = -1;
    if (length > MAX_CACHED_BYTES) return undefined;
    let hash = length;
    for (let index = start; index < end; index++) hash = Math.imul(hash ^ bytes[index]!, 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & (CACHE_SLOTS - 1);
    const from = slot * MAX_CACHED_BYTES;
    if (this.#lengths[slot] === length) {
      let index = 0;
      while (index < length && this.#bytes[from + index] === bytes[start + index]) index += 1;
      if (index === length) return this.#texts[slot];
    }
    // Cleared first, because decoding may fail.
    this.#lengths[slot] = -1;
    for (let index = 0; index < length; index++) this.#bytes[from + index] = bytes[start + index]!;
    this.#slot = slot;
    this.#length = length;
    return undefined;
  }

  /** Caches `text` for the bytes that {@link find} has just not found, and returns it. */
  keep(text: string): string {
    if (this.#slot >= 0) {
      this.#texts[this.#slot] = text;
      this.#lengths[this.#slot] = this.#length;
    }
    return text;
  }
}

const TEXTS = new TextCache();
const IDS = new TextCache();
