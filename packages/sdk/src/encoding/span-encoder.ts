import { ATTRIBUTE } from '@convotel/conventions';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';

/** How OTLP is written: `http/json` or `http/protobuf`. */
export type Encoding = 'json' | 'protobuf';

/** Spans of one scope, each as it was encoded. */
export interface EncodedScopeSpans {
  /** As {@link SpanEncoder.scope} wrote it. */
  scope: string;
  spans: readonly Uint8Array[];
}

/** What tells two spans apart, as far as one encoding goes. */
export type SpanKey = string;

/**
 * Writes spans as OTLP. Every method that takes a span leaves the span as it is, and writes only what may leave the
 * process.
 */
export interface SpanEncoder {
  readonly encoding: Encoding;
  /** Writes a finished span behind the headroom of {@link bytes}; returns its length, or why it cannot be sent. */
  span(span: ReadableSpan): number | 'unsendable' | 'too_large';
  /** The same for the beginning of a span that has just started: ids, name, start time and attributes. */
  start(span: ReadableSpan): number | 'unsendable';
  /** Where the newest span was written. Valid until the next one. */
  readonly bytes: Buffer;
  resource(resource: Resource): string;
  scope(scope: InstrumentationScope): string;
}

/** What can be done with encoded spans, whoever encoded them. */
export interface EncodedSpans {
  readonly contentType: string;
  keyOf(span: Buffer): SpanKey;
  /** Completes what {@link SpanEncoder.start} wrote to a span that was abandoned. */
  abandon(start: Buffer, endUnixNano: bigint): Buffer;
  /** The body of one request. */
  request(resource: string, scopes: readonly EncodedScopeSpans[]): Buffer;
  /** Stands for a resource that a damaged journal has lost. */
  resourceOf(serviceName: string): string;
  /** Stands for a scope that a damaged journal has lost. */
  readonly unknownScope: string;
}

/** A span whose bytes would be longer than this is written again with shorter texts. */
export const MAX_SPAN_BYTES = 2 * 1024 * 1024;
/** How long texts may be then. */
export const SHORT_TEXT_LENGTH = 4096;
/** What a start needs in addition: the time at which it started, so that its end can be set. */
export const START_TIME_BYTES = 8;

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
