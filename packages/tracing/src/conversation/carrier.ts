import { types } from 'node:util';
import { isSpanContextValid, TraceFlags } from '@opentelemetry/api';
import type { SpanContext } from '@opentelemetry/api';
import { conversationIdsOf, isConversationId, processSettings } from '@convotel/conventions';
import { warnOnce } from '../guards/warnings.ts';
import type { Carrier } from '../step/step-options.ts';

/** Keys of a carrier: lower case and without dots, so that they are valid header names in any transport. */
const KEY = {
  /** W3C Trace Context, version 00. */
  traceparent: 'traceparent',
  conversationId: 'convotel-conversation-id',
  workflow: 'convotel-workflow',
  sessionId: 'convotel-session-id',
  /** Depth of the children of the carrier's span; absent if 0. */
  depth: 'convotel-depth',
  /** Milliseconds since the epoch. */
  inputEnd: 'convotel-input-end',
  /** Start of the root in milliseconds since the epoch; present if the root is handed off. */
  handedOffRoot: 'convotel-handed-off-root',
} as const;

/**
 * Maximum length of a text in a carrier, in UTF-16 code units; longer ones are truncated. The conversation id has a
 * limit of its own.
 */
const MAX_TEXT_LENGTH = 1024;
/** A character is at most nine characters long when it is percent-encoded. */
const MAX_VALUE_BYTES = MAX_TEXT_LENGTH * 9;
const MAX_DEPTH = 1000;
const LATEST_EPOCH_MS = 7_258_118_400_000;

/** The decoded contents of a carrier. */
export interface CarriedConversation {
  id: string;
  workflow?: string | undefined;
  sessionId?: string | undefined;
  /** Parent of the steps; undefined if the process that created the carrier records no spans. */
  parent?: SpanContext | undefined;
  depth: number;
  inputEndMs?: number | undefined;
  /** Start of the root, if it is handed off, in milliseconds since the epoch. */
  rootStartMs?: number | undefined;
}

export function carrierOf(carried: CarriedConversation): Carrier {
  const { id, workflow, sessionId, parent, depth, inputEndMs, rootStartMs } = carried;
  const carrier: Carrier = {};
  if (parent !== undefined && isSpanContextValid(parent)) carrier[KEY.traceparent] = traceparentOf(parent);
  carrier[KEY.conversationId] = encoded(id);
  if (workflow !== undefined) carrier[KEY.workflow] = encoded(workflow);
  if (sessionId !== undefined) carrier[KEY.sessionId] = encoded(sessionId);
  if (depth > 0) carrier[KEY.depth] = String(depth);
  if (inputEndMs !== undefined) carrier[KEY.inputEnd] = inputEndMs.toFixed(3);
  if (rootStartMs !== undefined) carrier[KEY.handedOffRoot] = rootStartMs.toFixed(3);
  return carrier;
}

/**
 * Reads a carrier or a conversation id from an untrusted source such as a queue or a header. Never throws.
 * Malformed fields are left out; without a valid conversation id it warns once and returns undefined.
 */
export function readCarrier(given: unknown): CarriedConversation | undefined {
  if (isConversationId(given)) return { id: writtenId(given), depth: 0 };
  const read = readerOf(given);
  const id = decoded(read(KEY.conversationId));
  if (!isConversationId(id)) {
    warnOnce(
      'carrier',
      'joinConversation() was given neither a conversation id (1 to 128 characters) nor a carrier from carrier() or ' +
        'handOff(), so its steps are not recorded. Send the whole carrier with the message.',
    );
    return undefined;
  }
  const traceparent = read(KEY.traceparent);
  const parent = parseTraceparent(traceparent);
  if (parent === undefined && traceparent !== undefined) {
    warnOnce('carrier traceparent', 'the traceparent of a carrier is malformed; its steps become children of the root');
  }
  return {
    id: writtenId(id),
    workflow: textOf(decoded(read(KEY.workflow))),
    sessionId: writtenId(textOf(decoded(read(KEY.sessionId)))),
    parent,
    // Without the parent span its depth is meaningless.
    depth: parent === undefined ? 0 : (numberOf(read(KEY.depth), MAX_DEPTH) ?? 0),
    inputEndMs: numberOf(read(KEY.inputEnd), LATEST_EPOCH_MS),
    rootStartMs: numberOf(read(KEY.handedOffRoot), LATEST_EPOCH_MS),
  };
}

/** The id as it is written to spans and hashed: replaced, if `startTracing({ replaceIds })` says so. */
export function writtenId<Id extends string | undefined>(id: Id): Id {
  const { replaceId } = processSettings();
  return id === undefined || replaceId === undefined ? id : (replaceId(id) as Id);
}

/** The span context of the W3C `traceparent` in `headers`; undefined, with one warning, if there is no valid one. */
export function readTraceparent(headers: unknown): SpanContext | undefined {
  const parent = parseTraceparent(readerOf(headers)(KEY.traceparent));
  if (parent === undefined) {
    warnOnce('continueFrom', 'continueFrom() found no valid W3C traceparent in the headers, so no link is added');
  }
  return parent;
}

/**
 * The root span context of a conversation of which only the id is known. Its real sampling decision follows from the
 * trace id.
 */
export function rootContextOf(conversationId: string): SpanContext {
  const { traceId, rootSpanId } = conversationIdsOf(conversationId);
  return { traceId, spanId: rootSpanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
}

/**
 * Returns a function that reads one key of a plain object, a `Map`, `Headers` or the metadata of gRPC; undefined if the
 * value is not a text or reading it throws.
 */
function readerOf(given: unknown): (name: string) => string | undefined {
  return (name) => {
    try {
      if (typeof given !== 'object' || given === null) return undefined;
      const { get } = given as { get?: unknown };
      return textFrom(
        typeof get === 'function' ? (get as (name: string) => unknown).call(given, name) : headerIn(given, name),
      );
    } catch {
      // A getter or Proxy that throws: the value counts as missing.
      return undefined;
    }
  };
}

/** Some gateways and clients write the names of headers in upper case, which does not change their meaning. */
function headerIn(headers: object, name: string): unknown {
  const exact = (headers as Record<string, unknown>)[name];
  if (exact !== undefined) return exact;
  const written = Object.keys(headers).find((key) => key.length === name.length && key.toLowerCase() === name);
  return written === undefined ? undefined : (headers as Record<string, unknown>)[written];
}

/** A text, also as the bytes that Kafka delivers, or as the only element of the lists of gRPC. */
function textFrom(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (types.isUint8Array(value)) return value.length > MAX_VALUE_BYTES ? undefined : Buffer.from(value).toString();
  return Array.isArray(value) && value.length === 1 && !Array.isArray(value[0]) ? textFrom(value[0]) : undefined;
}

function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`;
}

/** W3C Trace Context, "traceparent": later versions may append fields, version ff is invalid. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.{0,256})?$/;

function parseTraceparent(text: string | undefined): SpanContext | undefined {
  const match = TRACEPARENT.exec(text?.trim() ?? '');
  if (match === null || (match[1] === '00' && match[5] !== undefined)) return undefined;
  const flags = Number.parseInt(match[4]!, 16) & TraceFlags.SAMPLED;
  const context: SpanContext = { traceId: match[2]!, spanId: match[3]!, traceFlags: flags, isRemote: true };
  return isSpanContextValid(context) ? context : undefined;
}

/**
 * Percent-encoded for use in headers. A lone surrogate becomes U+FFFD, as it does wherever ids are written as UTF-8.
 */
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'));
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined || text.length > MAX_VALUE_BYTES) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded, such as an id that was written by hand.
    return text;
  }
}

function textOf(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text.slice(0, MAX_TEXT_LENGTH);
}

function numberOf(text: string | undefined, max: number): number | undefined {
  if (text === undefined || !/^\d{1,16}(\.\d{1,6})?$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}
