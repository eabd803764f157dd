import { isAscii } from 'node:buffer';
import type { SpanRecord } from '@convotel/query';
import { decodeOtlpJson, OtlpFormatError } from '@convotel/query/engine';
import { otlpProtobufToJson } from './protobuf-to-json.ts';
import { MAX_NESTING } from './wire-reader.ts';

/** Encoding of the body of an OTLP/HTTP request (OTLP specification, OTLP/HTTP). */
export type OtlpEncoding = 'json' | 'protobuf';

/**
 * Reads the spans in the inflated body of an OTLP/HTTP trace request.
 * @throws `OtlpFormatError` with the reason, whatever is wrong with the body
 */
export function decodeTraceBody(body: Buffer, encoding: OtlpEncoding): SpanRecord[] {
  if (encoding === 'protobuf') return decodeOtlpJson(parseProtobuf(body));
  try {
    const spans = decodeOtlpJson(parseJson(body));
    checkNesting(spans);
    return spans;
  } catch (error) {
    // What is nested too deep is mostly malformed for another reason too, but this one says best what to look for.
    throw isNestedDeeper(body, MAX_NESTING) ? tooDeep(error) : error;
  }
}

function parseJson(body: Buffer): unknown {
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

/** Levels of a request that a span is in, itself among them. */
const LEVELS_OF_SPAN = 7;
/** Levels of a request that a resource is in, itself among them. */
const LEVELS_OF_RESOURCE = 4;

/**
 * Checks what is kept as it came, which recursive code reads later: only a few values of each span, where the whole text
 * would have to be read byte by byte.
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

/** Whether objects and arrays of a JSON value are nested more than `limit` deep. */
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

/**
 * Whether objects and arrays of a JSON text are nested more than `limit` deep. Looks at the bytes only, so that the
 * text need not be valid.
 */
function isNestedDeeper(json: Uint8Array, limit: number): boolean {
  let depth = 0;
  for (let index = 0; index < json.length; index++) {
    const byte = json[index]!;
    if (byte === QUOTE) {
      for (index++; index < json.length && json[index] !== QUOTE; index++) {
        if (json[index] === BACKSLASH) index++;
      }
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      if (depth > limit) return true;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
    }
  }
  return false;
}
