import { ATTRIBUTE } from '@convotel/conventions';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';

/** The encoding of OTLP: `http/json` or `http/protobuf`. */
export type Encoding = 'json' | 'protobuf';

/** Encoded spans of one scope. */
export interface EncodedScopeSpans {
  /** Output of {@link SpanEncoder.scope}. */
  scope: string;
  spans: readonly Uint8Array[];
}

/** Identifies a span within one encoding. */
export type SpanKey = string;

/** The encoded start of a span; passed to {@link SpanEncoder.span} so that it is not encoded again. */
export interface StartedSpan {
  length: number;
  name: string;
  head: string;
}

/** Encodes spans as OTLP, redacted. Does not change the spans. */
export interface SpanEncoder {
  readonly encoding: Encoding;
  /** Writes a finished span into {@link bytes} after the headroom; returns its length, or why it cannot be sent. */
  span(span: ReadableSpan, start?: StartedSpan): number | 'unsendable' | 'too_large';
  /** Encodes what is known when a span starts: ids, name, start time and attributes. */
  start(span: ReadableSpan): StartedSpan | 'unsendable';
  /** Contains the last encoded span. Valid until the next one. */
  readonly bytes: Buffer;
  resource(resource: Resource): string;
  scope(scope: InstrumentationScope): string;
}

/** Works on encoded spans, also those of another process. */
export interface EncodedSpans {
  readonly contentType: string;
  keyOf(span: Buffer): SpanKey;
  /** Completes the output of {@link SpanEncoder.start} to a span that was abandoned. */
  abandon(start: Buffer, endUnixNano: bigint): Buffer;
  /** The body of one request. */
  request(resource: string, scopes: readonly EncodedScopeSpans[]): Buffer;
  /** Replaces a resource that is missing in a damaged journal. */
  resourceOf(serviceName: string): string;
  /** Replaces a scope that is missing in a damaged journal. */
  readonly unknownScope: string;
}

/** A span that is larger than this is encoded again with shorter texts. */
export const MAX_SPAN_BYTES = 2 * 1024 * 1024;
/** Maximum length of each text in that case. */
export const SHORT_TEXT_LENGTH = 4096;
/** Length of the start time that precedes an encoded start, for setting an end time later. */
export const START_TIME_BYTES = 12;

/** Writes a start time as a double and an integer, because creating a bigint would take a microsecond. */
export function writeStartTime(bytes: Buffer, [seconds, nanoseconds]: readonly [number, number]): void {
  bytes.writeDoubleLE(seconds, HEADROOM_BYTES);
  bytes.writeInt32LE(Math.trunc(nanoseconds) | 0, HEADROOM_BYTES + 8);
}

/** Reads the start time as seconds and nanoseconds. */
export function readStartTime(start: Buffer): [number, number] {
  return [start.readDoubleLE(0), start.readInt32LE(8)];
}

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/;
let lastTraceId = '';
let lastParentId = '';

/** Whether a trace id is valid. The last valid one is cached, because most spans repeat it. */
export function isTraceId(id: string): boolean {
  if (id === lastTraceId) return true;
  if (!TRACE_ID.test(id)) return false;
  lastTraceId = id;
  return true;
}

export function isSpanId(id: string): boolean {
  return SPAN_ID.test(id);
}

/** Like {@link isSpanId}, with the last valid one cached, because siblings share their parent. */
export function isParentId(id: string): boolean {
  if (id === lastParentId) return true;
  if (!SPAN_ID.test(id)) return false;
  lastParentId = id;
  return true;
}

/** Bytes that an encoder reserves before a span, so that a record header can be added without copying. */
export const HEADROOM_BYTES = 24;

/** Whether the name is that of a step or conversation, which comes from the source code and needs no redaction. */
export function isTrustedName({ name, attributes }: ReadableSpan): boolean {
  return attributes[ATTRIBUTE.stepName] === name || (name === 'conversation' && ATTRIBUTE.conversationId in attributes);
}

const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** Flags of a span or link (opentelemetry-proto, SpanFlags). */
export function flagsOf(traceFlags: number, isRemote: boolean | undefined): number {
  return (traceFlags & 0xff) | HAS_IS_REMOTE | (isRemote === true ? IS_REMOTE : 0);
}
