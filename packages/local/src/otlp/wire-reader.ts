import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { OtlpFormatError } from '@convotel/query/engine';

/** Values of OTLP lie in one another at most this deep. */
export const MAX_NESTING = 64;

/** Reads one field, whose number and wire type are given, from `reader` into `target`; false skips it. */
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

  /** Reads the fields of a message that stands in a field into `target`. */
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
    const text = this.#bytes.toString('utf8', start, end);
    // What is no UTF-8 comes out as U+FFFD, which may also stand there rightly.
    if (text.includes('\ufffd'))
      return new TextDecoder('utf-8', { fatal: true }).decode(this.#bytes.subarray(start, end));
    return text;
  }

  hex(wireType: WireType): string {
    const end = this.#endOfDelimited(wireType);
    const start = this.#reader.pos;
    this.#reader.pos = end;
    return this.#bytes.toString('hex', start, end);
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

  /** Reads a length, and returns where what it measures ends. */
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
