import { isAscii } from 'node:buffer';
import type { SpanRecord } from '@convotel/query';
import { decodeOtlpJson, OtlpFormatError } from '@convotel/query/engine';
import { MAX_NESTING, otlpProtobufToJson } from './protobuf-to-json.ts';

/** Encoding of the body of an OTLP/HTTP request (OTLP specification, OTLP/HTTP). */
export type OtlpEncoding = 'json' | 'protobuf';

/**
 * Reads the spans in the inflated body of an OTLP/HTTP trace request.
 * @throws `OtlpFormatError` with the reason, whatever is wrong with the body
 */
export function decodeTraceBody(body: Buffer, encoding: OtlpEncoding): SpanRecord[] {
  return decodeOtlpJson(encoding === 'json' ? parseJson(body) : parseProtobuf(body));
}

function parseJson(body: Buffer): unknown {
  if (isNestedDeeper(body, MAX_NESTING)) throw new OtlpFormatError(`the JSON is nested more than ${MAX_NESTING} deep`);
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

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Whether objects and arrays of a JSON text are nested more than `limit` deep. Looks at the bytes only, so that it can
 * run before anything recurses into the text; its answer for malformed JSON does not matter.
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
