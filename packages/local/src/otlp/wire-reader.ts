import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { OtlpFormatError } from '@convotel/query/engine';
import { ByteCache } from './byte-cache.ts';
import { type KeyValue, type KnownKey, KnownKeys } from './known-keys.ts';

/** Maximum nesting depth of values. */
export const MAX_NESTING = 64;

/**
 * Maximum number of objects and lists in a body. Decoded, each takes far more memory than the two or three bytes in which
 * it can be written; 20 MiB of ordinary spans have half as many.
 */
export const MAX_OBJECTS = 1_500_000;

/** Reads one field, given its number and wire type, from `reader` into `target`; returns false to skip it. */
export type FieldReader<Target> = (target: Target, field: number, wireType: WireType, reader: WireReader) => boolean;

/** Reads the part of protobuf's wire format (protobuf.dev, Encoding) that OTLP uses. */
export class WireReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #reader: BinaryReader;
  #depth = 0;
  #objects = 0;
  /** The key of the attribute that was read last. */
  #lastKey: KnownKey | undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
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
    this.#objects += 1;
    if (this.#objects > MAX_OBJECTS) throw new OtlpFormatError(`more than ${MAX_OBJECTS} messages in it`);
    this.#readUntil(end, target, readField);
    this.#depth -= 1;
    return target;
  }

  /** Call this before the first {@link WireReader.attribute} of each span. */
  beginAttributes(): void {
    this.#lastKey = KEYS.beforeFirst;
  }

  /** Reads an attribute, a message of a key and a value. Equal attributes may be shared. */
  attribute(wireType: WireType, readKeyValue: FieldReader<KeyValue>, readValue: FieldReader<KeyValue>): KeyValue {
    const reader = this.#reader;
    const head = reader.pos;
    const end = this.#endOfDelimited(wireType);
    const start = reader.pos;
    const key = this.#knownKey(start, end);
    this.#lastKey = key;
    if (key !== undefined) {
      const valueStart = start + key.head.length;
      const known = key.findEntry(this.#view, valueStart, end);
      if (known !== undefined && valueStart + key.entryBytes === end) {
        reader.pos = end;
        return known;
      }
      reader.pos = valueStart;
      this.#depth += 1;
      const entry = { key: key.key, value: this.message(WireType.LengthDelimited, {}, readValue) };
      this.#depth -= 1;
      if (reader.pos === end) {
        key.keepEntry(this.#bytes, valueStart, end, entry);
        return entry;
      }
    }
    reader.pos = head;
    return this.message(wireType, {}, readKeyValue);
  }

  /** The key of the attribute in the bytes from `start` to `end`; undefined where it does not come first, or is long. */
  #knownKey(start: number, end: number): KnownKey | undefined {
    const bytes = this.#bytes;
    const known = this.#lastKey?.findNext(this.#view, start, end);
    if (known !== undefined) return known;
    const keyEnd = start + 2 + bytes[start + 1]!;
    if (bytes[start] !== KEY_TAG || keyEnd - start > MAX_KEY_BYTES || keyEnd >= end || bytes[keyEnd] !== VALUE_TAG) {
      return undefined;
    }
    return KEYS.learn(this.#decoded(start + 2, keyEnd), this.#lastKey);
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
    return this.#view.getBigUint64(start, true);
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

/** Tags of the key and of the value in an attribute. */
const KEY_TAG = 0x0a;
const VALUE_TAG = 0x12;
/** Longest key that is remembered, with its tag and its length, which then takes one byte. */
const MAX_KEY_BYTES = 127;
const KEYS = new KnownKeys((key) => {
  const bytes = Buffer.from(key);
  return Buffer.from([KEY_TAG, bytes.length, ...bytes, VALUE_TAG]);
});
const TEXTS = new ByteCache<string>(1024, 64);
const IDS = new ByteCache<string>(1024, 64);
