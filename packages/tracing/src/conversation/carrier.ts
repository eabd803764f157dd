import { isSpanContextValid, TraceFlags } from '@opentelemetry/api';
import type { SpanContext } from '@opentelemetry/api';
import { conversationIdsOf, isConversationId, processSettings } from '@convotel/conventions';
import { warnOnce } from '../guards/warnings.ts';
import type { Carrier } from '../step/step-options.ts';

/** Names in a carrier: lower-case and without dots, so that they can be headers of any transport. */
const KEY = {
  /** W3C Trace Context, version 00. */
  traceparent: 'traceparent',
  conversationId: 'convotel-conversation-id',
  workflow: 'convotel-workflow',
  sessionId: 'convotel-session-id',
  /** Depth that a step right below the carrier's span has; absent for an outermost one. */
  depth: 'convotel-depth',
  /** Milliseconds since the epoch. */
  inputEnd: 'convotel-input-end',
  /** Milliseconds since the epoch: the root's start. Present when the ownership of the root is given away. */
  handedOffRoot: 'convotel-handed-off-root',
} as const;

/** Longest text of a carrier that is taken, in UTF-16 code units; a conversation id has a limit of its own. */
const MAX_TEXT_LENGTH = 1024;
const MAX_DEPTH = 1000;
const LATEST_EPOCH_MS = 7_258_118_400_000;

/** What a carrier says. */
export interface CarriedConversation {
  id: string;
  workflow?: string | undefined;
  sessionId?: string | undefined;
  /** The span below which steps belong; absent where the carrier's process recorded none. */
  parent?: SpanContext | undefined;
  depth: number;
  inputEndMs?: number | undefined;
  /** Start of a root that is handed over, in milliseconds since the epoch. */
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
 * Reads a carrier or a conversation id that came from anywhere: a queue, a header, an attacker.
 * What is malformed is left out; without a conversation id there is nothing to join. One warning says so; nothing is thrown.
 */
export function readCarrier(given: unknown): CarriedConversation | undefined {
  if (isConversationId(given)) return { id: writtenId(given), depth: 0 };
  const read = readerOf(given);
  const id = decoded(read(KEY.conversationId));
  if (!isConversationId(id)) {
    warnOnce(
      'carrier',
      'joinConversation() was given neither a conversation id (1 to 128 characters) nor what carrier() or handOff() ' +
        'made; its steps are not recorded. Pass the whole carrier along with the message.',
    );
    return undefined;
  }
  const traceparent = read(KEY.traceparent);
  const parent = parseTraceparent(traceparent);
  if (parent === undefined && traceparent !== undefined) {
    warnOnce('carrier traceparent', 'the traceparent of a carrier is malformed; its steps are put below the root');
  }
  return {
    id: writtenId(id),
    workflow: textOf(decoded(read(KEY.workflow))),
    sessionId: writtenId(textOf(decoded(read(KEY.sessionId)))),
    parent,
    // A depth without its span would nest the step in nothing.
    depth: parent === undefined ? 0 : (numberOf(read(KEY.depth), MAX_DEPTH) ?? 0),
    inputEndMs: numberOf(read(KEY.inputEnd), LATEST_EPOCH_MS),
    rootStartMs: numberOf(read(KEY.handedOffRoot), LATEST_EPOCH_MS),
  };
}

/** The id as it may be written and hashed: the program's author may have ids replaced (`startTracing({ replaceIds })`). */
export function writtenId<Id extends string | undefined>(id: Id): Id {
  const { replaceId } = processSettings();
  return id === undefined || replaceId === undefined ? id : (replaceId(id) as Id);
}

/** The span of another trace that `headers` name by W3C `traceparent`; undefined, with one warning, when they name none. */
export function readTraceparent(headers: unknown): SpanContext | undefined {
  const parent = parseTraceparent(readerOf(headers)(KEY.traceparent));
  if (parent === undefined) {
    warnOnce('continueFrom', 'continueFrom() found no valid W3C traceparent in the headers; nothing is linked');
  }
  return parent;
}

/** The root of a conversation that is known by its id only. Whether it is sampled follows from its trace id. */
export function rootContextOf(conversationId: string): SpanContext {
  const { traceId, rootSpanId } = conversationIdsOf(conversationId);
  return { traceId, spanId: rootSpanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
}

/** Reads one name from a plain object, a `Map` or `Headers`; what throws or is no string is absent. */
function readerOf(given: unknown): (name: string) => string | undefined {
  return (name) => {
    try {
      if (typeof given !== 'object' || given === null) return undefined;
      const { get } = given as { get?: unknown };
      const value: unknown =
        typeof get === 'function'
          ? (get as (name: string) => unknown).call(given, name)
          : (given as Record<string, unknown>)[name];
      return typeof value === 'string' ? value : undefined;
    } catch {
      // A getter or a Proxy that throws; the value is absent, and what is required is missed below.
      return undefined;
    }
  };
}

function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`;
}

/** W3C Trace Context, "traceparent": later versions may append parts, version ff is forbidden. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.{0,256})?$/;

function parseTraceparent(text: string | undefined): SpanContext | undefined {
  const match = TRACEPARENT.exec(text?.trim() ?? '');
  if (match === null || (match[1] === '00' && match[5] !== undefined)) return undefined;
  const flags = Number.parseInt(match[4]!, 16) & TraceFlags.SAMPLED;
  const context: SpanContext = { traceId: match[2]!, spanId: match[3]!, traceFlags: flags, isRemote: true };
  return isSpanContextValid(context) ? context : undefined;
}

/** As a header may hold it. A half surrogate becomes U+FFFD, as it does wherever ids are written as UTF-8. */
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'));
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined || text.length > MAX_TEXT_LENGTH * 9) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded: an id that somebody wrote by hand.
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
