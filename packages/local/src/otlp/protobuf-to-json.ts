import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { OtlpFormatError } from '@convotel/query/engine';

/** A message of OTLP in the shape of its JSON mapping. Absent fields are absent, 64-bit times are bigints. */
type Message = Record<string, unknown>;

/**
 * Reads an `ExportTraceServiceRequest` in protobuf as `JSON.parse` would read the same request in OTLP/JSON, so that
 * one decoder knows what the fields mean. Field numbers: opentelemetry-proto 1.x, trace.proto and common.proto.
 * @throws when the bytes are not such a message; the error says where
 */
export function otlpProtobufToJson(bytes: Buffer): Message {
  return new WireReader(bytes).readWhole({}, readRequest);
}

const readRequest: FieldReader<Message> = (request, field, wireType, reader) => {
  if (field !== 1) return false;
  push(request, 'resourceSpans', reader.message(wireType, {}, readResourceSpans));
  return true;
};

const readResourceSpans: FieldReader<Message> = (group, field, wireType, reader) => {
  if (field === 1) group['resource'] = reader.message(wireType, {}, readResource);
  else if (field === 2) push(group, 'scopeSpans', reader.message(wireType, {}, readScopeSpans));
  else return false;
  return true;
};

const readResource: FieldReader<Message> = (resource, field, wireType, reader) => {
  if (field !== 1) return false;
  push(resource, 'attributes', reader.message(wireType, {}, readKeyValue));
  return true;
};

const readScopeSpans: FieldReader<Message> = (group, field, wireType, reader) => {
  if (field === 1) group['scope'] = reader.message(wireType, {}, readScope);
  else if (field === 2) push(group, 'spans', reader.message(wireType, {}, readSpan));
  else return false;
  return true;
};

const readScope: FieldReader<Message> = (scope, field, wireType, reader) => {
  if (field === 1) scope['name'] = reader.text(wireType);
  else if (field === 2) scope['version'] = reader.text(wireType);
  else return false;
  return true;
};

const readSpan: FieldReader<Message> = (span, field, wireType, reader) => {
  switch (field) {
    case 1:
      span['traceId'] = reader.hex(wireType);
      return true;
    case 2:
      span['spanId'] = reader.hex(wireType);
      return true;
    case 3:
      span['traceState'] = reader.text(wireType);
      return true;
    case 4:
      span['parentSpanId'] = reader.hex(wireType);
      return true;
    case 5:
      span['name'] = reader.text(wireType);
      return true;
    case 6:
      span['kind'] = reader.varint32(wireType);
      return true;
    case 7:
      span['startTimeUnixNano'] = reader.fixed64(wireType);
      return true;
    case 8:
      span['endTimeUnixNano'] = reader.fixed64(wireType);
      return true;
    case 9:
      push(span, 'attributes', reader.message(wireType, {}, readKeyValue));
      return true;
    case 11:
      push(span, 'events', reader.message(wireType, {}, readEvent));
      return true;
    case 13:
      push(span, 'links', reader.message(wireType, {}, readLink));
      return true;
    case 15:
      span['status'] = reader.message(wireType, {}, readStatus);
      return true;
    case 16:
      span['flags'] = reader.fixed32(wireType);
      return true;
    default:
      return false;
  }
};

const readEvent: FieldReader<Message> = (event, field, wireType, reader) => {
  // Kept as JSON, where a time is a decimal string.
  if (field === 1) event['timeUnixNano'] = String(reader.fixed64(wireType));
  else if (field === 2) event['name'] = reader.text(wireType);
  else if (field === 3) push(event, 'attributes', reader.message(wireType, {}, readKeyValue));
  else return false;
  return true;
};

const readLink: FieldReader<Message> = (link, field, wireType, reader) => {
  if (field === 1) link['traceId'] = reader.hex(wireType);
  else if (field === 2) link['spanId'] = reader.hex(wireType);
  else if (field === 3) link['traceState'] = reader.text(wireType);
  else if (field === 4) push(link, 'attributes', reader.message(wireType, {}, readKeyValue));
  else if (field === 6) link['flags'] = reader.fixed32(wireType);
  else return false;
  return true;
};

const readStatus: FieldReader<Message> = (status, field, wireType, reader) => {
  if (field === 2) status['message'] = reader.text(wireType);
  else if (field === 3) status['code'] = reader.varint32(wireType);
  else return false;
  return true;
};

const readKeyValue: FieldReader<Message> = (keyValue, field, wireType, reader) => {
  if (field === 1) keyValue['key'] = reader.text(wireType);
  else if (field === 2) keyValue['value'] = reader.message(wireType, {}, readAnyValue);
  else return false;
  return true;
};

const readAnyValue: FieldReader<Message> = (value, field, wireType, reader) => {
  switch (field) {
    case 1:
      value['stringValue'] = reader.text(wireType);
      return true;
    case 2:
      value['boolValue'] = reader.bool(wireType);
      return true;
    case 3:
      value['intValue'] = reader.int64(wireType);
      return true;
    case 4:
      value['doubleValue'] = jsonDouble(reader.double(wireType));
      return true;
    case 5:
      value['arrayValue'] = reader.message(wireType, {}, readArrayValue);
      return true;
    case 6:
      value['kvlistValue'] = reader.message(wireType, {}, readKeyValueList);
      return true;
    case 7:
      value['bytesValue'] = reader.base64(wireType);
      return true;
    default:
      return false;
  }
};

const readArrayValue: FieldReader<Message> = (array, field, wireType, reader) => {
  if (field !== 1) return false;
  push(array, 'values', reader.message(wireType, {}, readAnyValue));
  return true;
};

const readKeyValueList: FieldReader<Message> = (list, field, wireType, reader) => {
  if (field !== 1) return false;
  push(list, 'values', reader.message(wireType, {}, readKeyValue));
  return true;
};

/** A double as the proto3 JSON mapping writes it: `NaN`, `Infinity` and `-Infinity` are strings. */
function jsonDouble(number: number): number | string {
  return Number.isFinite(number) ? number : String(number);
}

function push(message: Message, field: string, element: unknown): void {
  const elements = message[field];
  if (elements === undefined) message[field] = [element];
  else (elements as unknown[]).push(element);
}

/** Values may be nested this deep. */
export const MAX_NESTING = 64;

/** Reads one field, given its number and wire type, from `reader` into `target`; returns false to have it skipped. */
type FieldReader<Target> = (target: Target, field: number, wireType: WireType, reader: WireReader) => boolean;

/** Reads protobuf's wire format (protobuf.dev, Encoding) as far as OTLP needs it. */
class WireReader {
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
