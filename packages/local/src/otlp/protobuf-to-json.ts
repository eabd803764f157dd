import { type FieldReader, WireReader } from './wire-reader.ts';

/** An OTLP message in the form of its JSON mapping, except that 64-bit times are bigints. */
type Message = Record<string, unknown>;

/**
 * Converts a protobuf `ExportTraceServiceRequest` to what `JSON.parse` would return for the same request in OTLP/JSON,
 * so that one decoder handles both. Field numbers are from opentelemetry-proto 1.x, trace.proto and common.proto.
 * @throws if the bytes are not such a message; the error contains the position
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
  else if (field === 2) {
    reader.beginAttributes();
    push(group, 'spans', reader.message(wireType, newSpan(), readSpan));
  } else return false;
  return true;
};

const readScope: FieldReader<Message> = (scope, field, wireType, reader) => {
  if (field === 1) scope['name'] = reader.text(wireType);
  else if (field === 2) scope['version'] = reader.text(wireType);
  else return false;
  return true;
};

/** Has every field from the beginning: adding them one by one takes longer. */
function newSpan(): Message {
  return {
    traceId: undefined,
    spanId: undefined,
    parentSpanId: undefined,
    name: undefined,
    kind: undefined,
    startTimeUnixNano: undefined,
    endTimeUnixNano: undefined,
    attributes: undefined,
    events: undefined,
    status: undefined,
    links: undefined,
    flags: undefined,
    traceState: undefined,
  };
}

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
      push(span, 'attributes', reader.attribute(wireType, readKeyValue, readAnyValue));
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
  // Events are stored as JSON, where a time is a decimal string.
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

/** A double in the proto3 JSON mapping: `NaN`, `Infinity` and `-Infinity` are strings. */
function jsonDouble(number: number): number | string {
  return Number.isFinite(number) ? number : String(number);
}

function push(message: Message, field: string, element: unknown): void {
  const elements = message[field];
  if (elements === undefined) message[field] = [element];
  else (elements as unknown[]).push(element);
}
