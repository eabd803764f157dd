import { ATTRIBUTE } from '@convotel/conventions';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';

/** How OTLP is written: `http/json` or `http/protobuf`. */
export type Encoding = 'json' | 'protobuf';

/** Encoded spans of one scope. */
export interface EncodedScopeSpans {
  /** As {@link SpanEncoder.scope} wrote it. */
  scope: string;
  spans: readonly Uint8Array[];
}

/** What tells two spans apart, as far as one encoding goes. */
export type SpanKey = string;

/** The encoded start of a span; passed back when the span ends, it is not encoded again. */
export interface StartedSpan {
  length: number;
  name: string;
  head: string;
}

/** Writes spans as OTLP. No method changes the span, and only what may leave the process is written. */
export interface SpanEncoder {
  readonly encoding: Encoding;
  /** Writes a finished span behind the headroom of {@link bytes}; returns its length, or why it cannot be sent. */
  span(span: ReadableSpan, start?: StartedSpan): number | 'unsendable' | 'too_large';
  /** The same for the beginning of a span that has just started: ids, name, start time and attributes. */
  start(span: ReadableSpan): StartedSpan | 'unsendable';
  /** Where the newest span was written. Valid until the next one. */
  readonly bytes: Buffer;
  resource(resource: Resource): string;
  scope(scope: InstrumentationScope): string;
}

/** Works on encoded spans, also those of another process. */
export interface EncodedSpans {
  readonly contentType: string;
  keyOf(span: Buffer): SpanKey;
  /** Completes what {@link SpanEncoder.start} wrote to a span that was abandoned. */
  abandon(start: Buffer, endUnixNano: bigint): Buffer;
  /** The body of one request. */
  request(resource: string, scopes: readonly EncodedScopeSpans[]): Buffer;
  /** Replaces a resource that is lost in a damaged journal. */
  resourceOf(serviceName: string): string;
  /** Replaces a scope that is lost in a damaged journal. */
  readonly unknownScope: string;
}

/** A span whose bytes would be longer than this is written again with shorter texts. */
export const MAX_SPAN_BYTES = 2 * 1024 * 1024;
/** Limit of each text in that case. */
export const SHORT_TEXT_LENGTH = 4096;
/** Length of the prefix of an encoded start: its time, from which an end can be set. */
export const START_TIME_BYTES = 12;

/** Writes the time of a start as a double and a whole number: creating a bigint would take a microsecond. */
export function writeStartTime(bytes: Buffer, [seconds, nanoseconds]: readonly [number, number]): void {
  bytes.writeDoubleLE(seconds, HEADROOM_BYTES);
  bytes.writeInt32LE(Math.trunc(nanoseconds) | 0, HEADROOM_BYTES + 8);
}

/** Reads it back, as seconds and nanoseconds. */
export function readStartTime(start: Buffer): [number, number] {
  return [start.readDoubleLE(0), start.readInt32LE(8)];
}

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/;
let lastTraceId = '';
let lastParentId = '';

/** Whether a trace id is valid. The last one is cached, because most spans repeat it. */
export function isTraceId(id: string): boolean {
  if (id === lastTraceId) return true;
  if (!TRACE_ID.test(id)) return false;
  lastTraceId = id;
  return true;
}

export function isSpanId(id: string): boolean {
  return SPAN_ID.test(id);
}

/** Like {@link isSpanId}, for parents, which siblings share. */
export function isParentId(id: string): boolean {
  if (id === lastParentId) return true;
  if (!SPAN_ID.test(id)) return false;
  lastParentId = id;
  return true;
}

/** Room that an encoder leaves before a span, so that a record's header can be written there without copying. */
export const HEADROOM_BYTES = 24;

/** The name of a step or a conversation was chosen by the author of the program, not by a user. */
export function nameIsOurs({ name, attributes }: ReadableSpan): boolean {
  return attributes[ATTRIBUTE.stepName] === name || (name === 'conversation' && ATTRIBUTE.conversationId in attributes);
}

const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** Flags of a span or link (opentelemetry-proto, SpanFlags). */
export function flagsOf(traceFlags: number, isRemote: boolean | undefined): number {
  return (traceFlags & 0xff) | HAS_IS_REMOTE | (isRemote === true ? IS_REMOTE : 0);
}
