import { isAscii } from 'node:buffer';
import type { SpanRecord } from '@convotel/query';
import { decodeOtlpJson, OtlpFormatError } from '@convotel/query/engine';
import { parseCompactOtlpJson } from './compact-json.ts';
import { maxObjectsIn, tooManyObjects } from './object-limit.ts';
import { otlpProtobufToJson } from './protobuf-to-json.ts';
import { MAX_NESTING } from './wire-reader.ts';

/** Encoding of the body of an OTLP/HTTP request (OTLP specification, OTLP/HTTP). */
export type OtlpEncoding = 'json' | 'protobuf';

/**
 * Decodes the spans in the decompressed body of an OTLP/HTTP trace request.
 * @throws `OtlpFormatError` if the body is invalid in any way
 */
export function decodeTraceBody(body: Buffer, encoding: OtlpEncoding): SpanRecord[] {
  if (encoding === 'protobuf') return decodeOtlpJson(parseProtobuf(body));
  try {
    const spans = decodeOtlpJson(parseCompactOtlpJson(body) ?? parseJson(body));
    checkNesting(spans);
    return spans;
  } catch (error) {
    // A body that is nested too deep often fails for another reason first, but this error is the more helpful one.
    throw isNestedDeeper(body, MAX_NESTING) ? tooDeep(error) : error;
  }
}

function parseJson(body: Buffer): unknown {
  const maxObjects = maxObjectsIn(body.length);
  if (body.length > maxObjects && countObjects(body) > maxObjects) throw tooManyObjects();
  try {
    // Most bodies are plain ASCII, which needs no UTF-8 decoding.
    return JSON.parse(body.toString(isAscii(body) ? 'latin1' : 'utf8'));
  } catch (error) {
    throw new OtlpFormatError(`the body is not valid JSON: ${(error as Error).message}`, { cause: error });
  }
}

function parseProtobuf(body: Buffer): unknown {
  try {
    return otlpProtobufToJson(body);
  } catch (error) {
    throw new OtlpFormatError(`the body is not a valid protobuf message: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function tooDeep(cause?: unknown): OtlpFormatError {
  return new OtlpFormatError(`the JSON is nested more than ${MAX_NESTING} deep`, { cause });
}

/** Nesting depth of a span in a request, including the span itself. */
const LEVELS_OF_SPAN = 7;
/** Nesting depth of a resource in a request, including the resource itself. */
const LEVELS_OF_RESOURCE = 4;

/**
 * Checks the values that are stored unchanged, because recursive code reads them later. These are only a few per span,
 * so this is faster than scanning the whole text.
 */
function checkNesting(spans: readonly SpanRecord[]): void {
  let checkedResource: unknown;
  for (const { rest } of spans) {
    if (rest === undefined) continue;
    const { attributes, events, links, resourceAttributes } = rest;
    const ofSpan = MAX_NESTING - LEVELS_OF_SPAN;
    if (isDeeper(attributes, ofSpan) || isDeeper(events, ofSpan) || isDeeper(links, ofSpan)) throw tooDeep();
    if (resourceAttributes === checkedResource) continue;
    if (isDeeper(resourceAttributes, MAX_NESTING - LEVELS_OF_RESOURCE)) throw tooDeep();
    checkedResource = resourceAttributes;
  }
}

/** Whether objects and arrays in a JSON value are nested deeper than `limit`. */
function isDeeper(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (limit === 0) return true;
  if (Array.isArray(value)) return value.some((element) => isDeeper(element, limit - 1));
  for (const name in value) {
    if (isDeeper((value as Record<string, unknown>)[name], limit - 1)) return true;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** How many objects and lists a JSON text has; it need not be valid. */
function countObjects(json: Uint8Array): number {
  let count = 0;
  for (let index = 0; index < json.length; index++) {
    const byte = json[index]!;
    if (byte === QUOTE) index = endOfText(json, index);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) count += 1;
  }
  return count;
}

/** Where the quoted text that begins at `start` ends. */
function endOfText(json: Uint8Array, start: number): number {
  let index = start + 1;
  for (; index < json.length && json[index] !== QUOTE; index++) {
    if (json[index] === BACKSLASH) index++;
  }
  return index;
}

/**
 * Whether objects and arrays in a JSON text are nested deeper than `limit`. Scans the bytes, so that the text need not
 * be valid.
 */
function isNestedDeeper(json: Uint8Array, limit: number): boolean {
  let depth = 0;
  for (let index = 0; index < json.length; index++) {
    const byte = json[index]!;
    if (byte === QUOTE) index = endOfText(json, index);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      if (depth > limit) return true;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
    }
  }
  return false;
}
