import { ATTRIBUTE, CONVERSATION_SPAN_NAME, isFailure, isOutcome, STEP_TIMING_PREFIX } from '@convotel/conventions';
import { SPAN_FIELD_BY_ATTRIBUTE } from '../model/span-record.ts';
import type { SpanField, SpanRecord, SpanRest } from '../model/span-record.ts';
import {
  isTrue,
  numberOf,
  OtlpFormatError,
  readArray,
  readEnum,
  readObject,
  readParentSpanId,
  readSpanId,
  readString,
  readTraceId,
  readUint32,
  readUnixNano,
  stringOf,
  wholeNumberOf,
} from './json-fields.ts';
import type { JsonObject } from './json-fields.ts';

/**
 * Decodes the spans of one `ExportTraceServiceRequest`, as parsed by `JSON.parse`.
 *
 * Follows the JSON mapping of the OTLP specification: ids in hex of either case, 64-bit integers as strings or numbers,
 * enums as numbers or names, null like an absent field, unknown fields ignored. The caller must limit the nesting
 * depth.
 * @param detail `slim` leaves out texts and most of `rest`, which takes half the time. @defaultValue `whole`
 * @throws {@link OtlpFormatError} with the path and the reason, if any span of the request is invalid.
 */
export function decodeOtlpJson(request: unknown, detail: SpanDetail = 'whole'): SpanRecord[] {
  const spans: SpanRecord[] = [];
  const resourceGroups = readArray(readObject(request, 'the request')['resourceSpans'], 'resourceSpans');
  for (let resourceIndex = 0; resourceIndex < resourceGroups.length; resourceIndex++) {
    within(`resourceSpans[${resourceIndex}]`, () => readResourceSpans(resourceGroups[resourceIndex], detail, spans));
  }
  return spans;
}

function readResourceSpans(value: unknown, detail: SpanDetail, spans: SpanRecord[]): void {
  const group = readObject(value, 'it');
  const resource = readResource(group['resource']);
  const scopeGroups = readArray(group['scopeSpans'], 'scopeSpans');
  for (let scopeIndex = 0; scopeIndex < scopeGroups.length; scopeIndex++) {
    within(`scopeSpans[${scopeIndex}]`, () => {
      const scopeGroup = readObject(scopeGroups[scopeIndex], 'it');
      const scope = readScope(scopeGroup['scope']);
      const found = readArray(scopeGroup['spans'], 'spans');
      let spanIndex = 0;
      try {
        for (; spanIndex < found.length; spanIndex++) {
          spans.push(readSpan(readObject(found[spanIndex], 'it'), resource, scope, detail));
        }
      } catch (error) {
        throw placed(`spans[${spanIndex}]`, error);
      }
    });
  }
}

/** Runs `read`, and adds `place` to the path in its error. */
function within(place: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    throw placed(place, error);
  }
}

function placed(place: string, error: unknown): unknown {
  if (!(error instanceof OtlpFormatError)) return error;
  const isPlaced = /^(scopeSpans|spans)\[/.test(error.message);
  return new OtlpFormatError(`${place}${isPlaced ? '.' : ': '}${error.message}`);
}

/** Reads an OTLP `Resource`, which may be absent. */
function readResource(value: unknown): Resource {
  const resource: Resource = { otherAttributes: [] };
  if (value === undefined || value === null) return resource;
  const attributes = readArray(readObject(value, 'resource')['attributes'], 'resource.attributes');
  for (const [index, entry] of attributes.entries()) {
    const { key, value: attribute } = readObject(entry, `resource.attributes[${index}]`);
    const serviceName = key === ATTRIBUTE.serviceName ? stringOf(attribute) : undefined;
    const samplingRatio = key === ATTRIBUTE.samplingRatio ? numberOf(attribute) : undefined;
    if (serviceName !== undefined) resource.serviceName = serviceName;
    else if (samplingRatio !== undefined) resource.samplingRatio = samplingRatio;
    else resource.otherAttributes.push(entry);
  }
  return resource;
}

/** Reads the name and version of an OTLP `InstrumentationScope`; undefined if it has neither. */
function readScope(value: unknown): SpanRest['scope'] {
  if (value === undefined || value === null) return undefined;
  const scope: JsonObject = readObject(value, 'scope');
  const name = readString(scope['name'], 'scope.name');
  const version = readString(scope['version'], 'scope.version');
  if (name === '' && version === '') return undefined;
  return { ...(name !== '' && { name }), ...(version !== '' && { version }) };
}

/** Names of the enum `Span.SpanKind`; the index is the number (trace.proto). */
const SPAN_KINDS = [
  'SPAN_KIND_UNSPECIFIED',
  'SPAN_KIND_INTERNAL',
  'SPAN_KIND_SERVER',
  'SPAN_KIND_CLIENT',
  'SPAN_KIND_PRODUCER',
  'SPAN_KIND_CONSUMER',
];

/** Names of the enum `Status.StatusCode`; the index is the number (trace.proto). */
const STATUS_CODES = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR'];
const STATUS_OK = 1;
const STATUS_ERROR = 2;

/** Attributes with input and output texts, which slim spans do not have. */
const CONTENT_ATTRIBUTES: ReadonlySet<string> = new Set([ATTRIBUTE.inputText, ATTRIBUTE.outputText]);

/** The decoded resource of one `ResourceSpans`. */
export interface Resource {
  serviceName?: string;
  samplingRatio?: number;
  /** The same array for all spans of the resource, so that stores can recognise equal resources by identity. */
  otherAttributes: unknown[];
  /** The `rest` that slim spans without further attributes share; created by the first of them. */
  slimRest?: SpanRest;
}

/** How much of a span is decoded: all of it, or only what answers over many conversations need. */
export type SpanDetail = 'whole' | 'slim';

/**
 * Reads one OTLP `Span`. What has no typed field is kept in `rest` unchanged. A slim span has no texts, and in `rest`
 * only the attributes of steps and roots, for grouping; the other parts of `rest` are not validated.
 */
export function readSpan(
  span: JsonObject,
  resource: Resource,
  scope: SpanRest['scope'],
  detail: SpanDetail,
): SpanRecord {
  const startTimeUnixNano = readUnixNano(span['startTimeUnixNano'], 'startTimeUnixNano');
  const endTimeUnixNano = readUnixNano(span['endTimeUnixNano'], 'endTimeUnixNano');
  const record: SpanRecord = {
    traceId: readTraceId(span['traceId'], 'traceId'),
    spanId: readSpanId(span['spanId'], 'spanId'),
    name: readString(span['name'], 'name'),
    startTimeUnixNano,
    durationNano: endTimeUnixNano > startTimeUnixNano ? endTimeUnixNano - startTimeUnixNano : 0n,
    role: 'other',
    depth: 0,
    outcome: 'completed',
    isRecovered: false,
  };
  const rest: SpanRest = {};
  const parentSpanId = readParentSpanId(span['parentSpanId'], 'parentSpanId');
  if (parentSpanId !== undefined) record.parentSpanId = parentSpanId;
  if (resource.serviceName !== undefined) record.serviceName = resource.serviceName;
  if (resource.samplingRatio !== undefined) record.samplingRatio = resource.samplingRatio;

  const { hasOutcome, hasSchemaVersion } = readAttributes(span['attributes'], record, rest, detail);
  readStatus(span['status'], hasOutcome, record, detail === 'whole' ? rest : undefined);
  if (record.step !== undefined) {
    record.role = 'step';
  } else {
    record.depth = 0;
    // Root spans of other frameworks may have the same name and a conversation id, but no schema version.
    const isNamedAsRoot = record.name === CONVERSATION_SPAN_NAME && parentSpanId === undefined;
    if (isNamedAsRoot && hasSchemaVersion && record.conversationId !== undefined) record.role = 'root';
  }
  if (detail === 'slim') {
    if (record.role === 'other') return record;
    if (rest.attributes === undefined) {
      // Most spans have none, so all spans of a resource share one object.
      if (resource.otherAttributes.length > 0) {
        record.rest = resource.slimRest ??= { resourceAttributes: resource.otherAttributes };
      }
      return record;
    }
  } else {
    readRest(span, rest);
    if (scope !== undefined) rest.scope = scope;
  }
  if (resource.otherAttributes.length > 0) rest.resourceAttributes = resource.otherAttributes;
  for (const _ in rest) {
    record.rest = rest;
    break;
  }
  return record;
}

/** Assigns each attribute to its field in `record`, or adds it to `rest`. */
function readAttributes(
  value: unknown,
  record: SpanRecord,
  rest: SpanRest,
  detail: SpanDetail,
): { hasOutcome: boolean; hasSchemaVersion: boolean } {
  const attributes = readArray(value, 'attributes');
  let hasOutcome = false;
  let hasSchemaVersion = false;
  for (let index = 0; index < attributes.length; index++) {
    const entry = readObject(attributes[index], 'an attribute');
    const key = readString(entry['key'], "an attribute's key");
    if (key === ATTRIBUTE.outcome) {
      const outcome = stringOf(entry['value']);
      if (isOutcome(outcome)) {
        record.outcome = outcome;
        hasOutcome = true;
        continue;
      }
    } else if (detail === 'slim' && CONTENT_ATTRIBUTES.has(key)) {
      continue;
    } else if (readAttribute(key, entry['value'], record)) {
      continue;
    }
    if (key === ATTRIBUTE.schemaVersion) {
      hasSchemaVersion = true;
      if (detail === 'slim') continue;
    }
    (rest.attributes ??= []).push(entry);
  }
  return { hasOutcome, hasSchemaVersion };
}

/** Assigns the attribute to its field in `record`; false if it has none. */
function readAttribute(key: string, value: unknown, record: SpanRecord): boolean {
  const spanField = SPAN_FIELD_BY_ATTRIBUTE.get(key);
  if (spanField !== undefined) return readField(spanField, value, record);
  if (key === ATTRIBUTE.recovered) return isTrue(value) && (record.isRecovered = true);
  return key.startsWith(STEP_TIMING_PREFIX) && setTiming(record, key.slice(STEP_TIMING_PREFIX.length), value);
}

/**
 * Moves attributes in `record.rest` to their typed fields. A span that an older version stored may have attributes
 * there that have a field by now.
 */
export function takeKnownAttributes(record: SpanRecord): void {
  const { rest } = record;
  if (rest?.attributes === undefined) return;
  const remaining = rest.attributes.filter((entry) => {
    const { key, value } = entry as { key: string; value: unknown };
    const spanField = SPAN_FIELD_BY_ATTRIBUTE.get(key);
    return spanField === undefined || record[spanField.field] !== undefined || !readField(spanField, value, record);
  });
  if (remaining.length > 0) rest.attributes = remaining;
  else delete rest.attributes;
}

function readField({ field, kind, min, max = Infinity }: SpanField, value: unknown, record: SpanRecord): boolean {
  let read: string | number | undefined;
  if (kind === 'text') {
    read = stringOf(value);
    if (read === undefined || read.length < min) return false;
  } else {
    read = kind === 'integer' ? wholeNumberOf(value, min) : numberOf(value);
    if (read === undefined || read < min || read > max) return false;
  }
  (record as unknown as Record<string, string | number>)[field] = read;
  return true;
}

function setTiming(record: SpanRecord, part: string, value: unknown): boolean {
  const seconds = numberOf(value);
  // Assigning to `__proto__` would not create a property.
  if (part === '' || part === '__proto__' || seconds === undefined) return false;
  (record.timingsSeconds ??= {})[part] = seconds;
  return true;
}

function readStatus(value: unknown, hasOutcome: boolean, record: SpanRecord, rest: SpanRest | undefined): void {
  let code = 0;
  let message = '';
  if (value !== undefined && value !== null) {
    const status = readObject(value, 'status');
    code = readEnum(status['code'], 'status.code', STATUS_CODES);
    message = readString(status['message'], 'status.message');
  }
  if (!hasOutcome && code === STATUS_ERROR) record.outcome = 'failed';
  if (code === STATUS_ERROR && message !== '') record.errorMessage = message;
  const followsFromOutcome = code !== STATUS_OK && (code === STATUS_ERROR) === isFailure(record.outcome);
  if (rest === undefined || (followsFromOutcome && (code === STATUS_ERROR || message === ''))) return;
  rest.status = { code, ...(message !== '' && { message }) };
}

function readRest(span: JsonObject, rest: SpanRest): void {
  const kind = readEnum(span['kind'], 'kind', SPAN_KINDS);
  const flags = readUint32(span['flags'], 'flags');
  const traceState = readString(span['traceState'], 'traceState');
  const events = readArray(span['events'], 'events');
  const links = readArray(span['links'], 'links');
  if (kind !== 0) rest.kind = kind;
  if (flags !== 0) rest.flags = flags;
  if (traceState !== '') rest.traceState = traceState;
  if (events.length > 0) rest.events = events.map((event) => readObject(event, 'an event'));
  if (links.length > 0) rest.links = links.map(readLink);
}

function readLink(value: unknown): JsonObject {
  const link = readObject(value, 'a link');
  readTraceId(link['traceId'], 'traceId of a link');
  readSpanId(link['spanId'], 'spanId of a link');
  return link;
}
