import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { OtlpFormatError } from '@convotel/query/engine';

/** Values may be nested this deep. */
export const MAX_NESTING = 64;

/** Reads one field, given its number and wire type, from `reader` into `target`; returns false to have it skipped. */
export type FieldReader<Target> = (target: Target, field: number, wireType: WireType, reader: WireReader) => boolean;

/** Reads protobuf's wire format (protobuf.dev, Encoding) as far as OTLP needs it. */
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
    // Bytes that are not UTF-8 become U+FFFD, which may also be part of the text.
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

  /** A 64-bit integer as OTLP/JSON has it. */
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

  /** Reads a length, and returns the position where its content ends. */
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

/** Longest text that is remembered, in bytes. */
const MAX_REMEMBERED_BYTES = 64;
const REMEMBERED_TEXTS = 1024;

/**
 * Remembers what was last made of the bytes of short texts: the keys and most values of attributes come again in every
 * span, and to look at some bytes costs less than to make a string of them, and the garbage collector nothing.
 */
class RememberedTexts {
  readonly #bytes = new Uint8Array(REMEMBERED_TEXTS * MAX_REMEMBERED_BYTES);
  readonly #lengths = new Int32Array(REMEMBERED_TEXTS).fill(-1);
  readonly #texts: string[] = Array.from({ length: REMEMBERED_TEXTS }, () => '');
  /** Where the bytes that were looked for last belong; -1 where they are too long. */
  #place = -1;
  #length = 0;

  /** The text that was kept for the bytes from `start` to `end`; undefined where there is none. */
  find(bytes: Uint8Array, start: number, end: number): string | undefined {
    const length = end - start;
    this.#place = -1;
    if (length > MAX_REMEMBERED_BYTES) return undefined;
    let hash = length;
    for (let index = start; index < end; index++) hash = Math.imul(hash ^ bytes[index]!, 0x01000193);
    const place = (hash ^ (hash >>> 15)) & (REMEMBERED_TEXTS - 1);
    const from = place * MAX_REMEMBERED_BYTES;
    if (this.#lengths[place] === length) {
      let index = 0;
      while (index < length && this.#bytes[from + index] === bytes[start + index]) index += 1;
      if (index === length) return this.#texts[place];
    }
    // Decoding may fail, and then nothing is kept.
    this.#lengths[place] = -1;
    for (let index = 0; index < length; index++) this.#bytes[from + index] = bytes[start + index]!;
    this.#place = place;
    this.#length = length;
    return undefined;
  }

  /** Keeps `text` for the bytes that {@link find} has just not found, and returns it. */
  keep(text: string): string {
    if (this.#place >= 0) {
      this.#texts[this.#place] = text;
      this.#lengths[this.#place] = this.#length;
    }
    return text;
  }
}

const TEXTS = new RememberedTexts();
const IDS = new RememberedTexts();
