import { isAscii } from 'node:buffer';
import type { SpanRecord } from '@convotel/query';
import { decodeOtlpJson, OtlpFormatError } from '@convotel/query/engine';
import { isNestedDeeper } from './json-nesting.ts';
import { otlpProtobufToJson } from './protobuf-to-json.ts';
import { MAX_NESTING } from './wire-reader.ts';

/** How the body of an OTLP/HTTP request is written (OTLP specification, OTLP/HTTP). */
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
    // Most bodies are plain ASCII, which need not be decoded.
    return JSON.parse(body.toString(isAscii(body) ? 'latin1' : 'utf8'));
  } catch (error) {
    throw new OtlpFormatError(`the body is no JSON: ${(error as Error).message}`, { cause: error });
  }
}

function parseProtobuf(body: Buffer): unknown {
  try {
    return otlpProtobufToJson(body);
  } catch (error) {
    throw new OtlpFormatError(`the body is no protobuf message: ${(error as Error).message}`, { cause: error });
  }
}
