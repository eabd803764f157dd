import { codedError } from '@convotel/conventions';
import { LATEST_UNIX_NANO } from '../model/conversation.ts';

/** An invalid OTLP/JSON trace request (`ExportTraceServiceRequest`, proto3 JSON mapping). */
export class OtlpFormatError extends codedError('OtlpFormatError') {
  constructor(message: string, options?: ErrorOptions) {
    super('OTLP_MALFORMED', message, options);
  }
}

/** An object as `JSON.parse` returns it. */
export type JsonObject = Record<string, unknown>;

const TRACE_ID = /^[0-9a-f]{32}$/;
const SPAN_ID = /^[0-9a-f]{16}$/;
const ZERO_TRACE_ID = '0'.repeat(32);
const ZERO_SPAN_ID = '0'.repeat(16);
const DECIMAL = /^[0-9]{1,20}$/;

/** Whether `value` is a JSON object: not an array, not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A message field: `value`, which must be an object. */
export function readObject(value: unknown, name: string): JsonObject {
  if (!isJsonObject(value)) throw new OtlpFormatError(`${name} must be an object, got ${quoted(value)}`);
  return value;
}

/** A repeated field; empty if it is absent or null. */
export function readArray(value: unknown, name: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new OtlpFormatError(`${name} must be an array, got ${quoted(value)}`);
  return value;
}

/** A string field; empty if it is absent or null. */
export function readString(value: unknown, name: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new OtlpFormatError(`${name} must be a string, got ${quoted(value)}`);
  return value;
}

/** A trace id in lower-case hex. OpenTelemetry forbids an id of zeros (trace data model, Span.trace_id). */
export function readTraceId(value: unknown, name: string): string {
  if (lastTraceId !== undefined && value === lastTraceId) return lastTraceId;
  return (lastTraceId = readId(value, name, TRACE_ID, ZERO_TRACE_ID));
}

/** The id that was read last: the spans of a conversation mostly come one after another. */
let lastTraceId: string | undefined;

/** A span id in lower-case hex. OpenTelemetry forbids an id of zeros (trace data model, Span.span_id). */
export function readSpanId(value: unknown, name: string): string {
  return readId(value, name, SPAN_ID, ZERO_SPAN_ID);
}

/** The parent's span id; undefined if it is missing, empty or zero, which all mean that there is no parent. */
export function readParentSpanId(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null || value === '' || value === ZERO_SPAN_ID) return undefined;
  if (lastParentId !== undefined && value === lastParentId) return lastParentId;
  return (lastParentId = readSpanId(value, name));
}

/** The one that was read last, as with trace ids. */
let lastParentId: string | undefined;

function readId(value: unknown, name: string, format: RegExp, zero: string): string {
  if (typeof value === 'string') {
    if (format.test(value) && value !== zero) return value;
    const lowerCase = value.toLowerCase();
    if (format.test(lowerCase) && lowerCase !== zero) return lowerCase;
  }
  throw new OtlpFormatError(`${name} must be ${zero.length} hex digits and not all zero, got ${quoted(value)}`);
}

/** A time: a decimal string, an integer, or a bigint from another decoder; 0 if it is absent or null. */
export function readUnixNano(value: unknown, name: string): bigint {
  if (value === undefined || value === null) return 0n;
  const nanoseconds = typeof value === 'bigint' ? value : decimalToBigInt(value);
  if (nanoseconds === undefined || nanoseconds > LATEST_UNIX_NANO) {
    throw new OtlpFormatError(`${name} must be whole nanoseconds from 0 to 2^63 − 1, got ${quoted(value)}`);
  }
  return nanoseconds;
}

function decimalToBigInt(value: unknown): bigint | undefined {
  if (typeof value === 'string') return DECIMAL.test(value) ? BigInt(value) : undefined;
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? BigInt(value) : undefined;
}

/** A 32-bit unsigned integer; 0 if it is absent or null. */
export function readUint32(value: unknown, name: string): number {
  if (value === undefined || value === null) return 0;
  const number = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 0xffff_ffff) return number;
  throw new OtlpFormatError(`${name} must be a whole number from 0 to 2^32 − 1, got ${quoted(value)}`);
}

/** An enum, by number or by name. Unknown numbers are kept; an unknown name is an error. */
export function readEnum(value: unknown, name: string, names: readonly string[]): number {
  if (typeof value !== 'string') return readUint32(value, name);
  const number = names.indexOf(value);
  if (number < 0) throw new OtlpFormatError(`${name} must be one of ${names.join(', ')}, got ${quoted(value)}`);
  return number;
}

/** Maximum of an integer attribute with a typed field; the stores use 31 bits. */
const MAX_WHOLE_NUMBER = 0x7fff_ffff;

/** The string in an OTLP `AnyValue`; undefined if it is of another kind. */
export function stringOf(value: unknown): string | undefined {
  return isJsonObject(value) && typeof value['stringValue'] === 'string' ? value['stringValue'] : undefined;
}

/** The integer from `min` to 2^31 − 1 in an OTLP `AnyValue`; undefined if there is none. */
export function wholeNumberOf(value: unknown, min: number): number | undefined {
  const number = numberOf(value);
  return number !== undefined && Number.isInteger(number) && number >= min && number <= MAX_WHOLE_NUMBER
    ? number
    : undefined;
}

/** The finite number in an OTLP `AnyValue`; undefined if there is none. */
export function numberOf(value: unknown): number | undefined {
  if (!isJsonObject(value)) return undefined;
  const { doubleValue, intValue } = value;
  // OTLP/JSON sends 64-bit integers as strings.
  const number = doubleValue ?? (typeof intValue === 'string' && intValue !== '' ? Number(intValue) : intValue);
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

export function isTrue(value: unknown): boolean {
  return isJsonObject(value) && value['boolValue'] === true;
}

/** Quotes an untrusted value for an error message, truncated so that it cannot fill a log. */
function quoted(value: unknown): string {
  const text = jsonOf(typeof value === 'bigint' ? String(value) : value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    // JSON.stringify overflows the stack at a lower depth than JSON.parse.
    return 'a very deeply nested value';
  }
}
