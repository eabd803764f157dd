import {
  ATTRIBUTE,
  CONVERSATION_OPERATION,
  CONVERSATION_SPAN_NAME,
  isConversationId,
  newConversationId,
  processRegistry,
  SCHEMA_VERSION,
} from '@convotel/conventions';
import { createContextKey, INVALID_SPAN_CONTEXT, ProxyTracerProvider, trace, TraceFlags } from '@opentelemetry/api';
import type { Attributes, Context, Link, Span, SpanContext, SpanOptions, Tracer } from '@opentelemetry/api';
import { activeContext } from '../guards/context.ts';
import { nonEmptyString } from '../guards/untrusted-values.ts';
import { isInTrace, isPrivate, safeTracer, startSpan } from '../guards/spans.ts';
import { epochNowMs, hrTimeOf } from '../guards/times.ts';
import { reportInternalError, warnOnce } from '../guards/warnings.ts';
import { contextWithSpan } from '../step/step-host.ts';
import { rootContextOf, writtenId } from './carrier.ts';
import type { CarriedConversation } from './carrier.ts';
import type { ConversationOptions, JoinConversationOptions } from './conversation-options.ts';

/** The trace of a conversation, which was started in this process or joined from another one. */
export interface ConversationOrigin {
  readonly id: string;
  readonly workflow: string | undefined;
  readonly sessionId: string | undefined;
  readonly tracer: Tracer;
  /** Whether its spans must never become OpenTelemetry's active span, which other tools see. */
  readonly isPrivate: boolean;
  /** Parent of the outermost steps of this process. */
  readonly parentSpan: Span;
  /** Depth of those steps. */
  readonly outermostDepth: number;
  /** Whether only the conversation id is known, so that a sampler must decide by trace id, as it did for the root. */
  readonly isKnownByIdOnly: boolean;
  /** The root, if this process ends it. */
  readonly root: OwnedRoot | undefined;
  /** The span that was active when the conversation started in this process. */
  readonly surroundingSpan?: Span | undefined;
  /** Start of the user's wait if no end of input is recorded, in milliseconds since the epoch. */
  readonly beganMs: number | undefined;
}

/** A root span that this process ends. */
export interface OwnedRoot {
  readonly span: Span;
  /** Milliseconds since the epoch. */
  readonly startedMs: number;
  /** A span with an explicit start needs an explicit end, because its monotonic clock started when it was created. */
  readonly hasGivenStart: boolean;
}

/** A conversation that starts now, or at `startedMs`, with a trace of its own. */
export function newOrigin(options: ConversationOptions, startedMs: number | undefined): ConversationOrigin {
  const id = writtenId(idFrom(options.conversationId));
  const workflow = nonEmptyString(options.workflow);
  const sessionId = writtenId(nonEmptyString(options.sessionId));
  const tracer = safeTracer(options.tracerProvider);
  const beganMs = startedMs ?? epochNowMs();
  const span = startRoot({ id, workflow, sessionId, depth: 0 }, tracer, startedMs);
  // OpenTelemetry's spans start at whole milliseconds (Date.now()), and a handed-off root must not start later than
  // that.
  const root = { span, startedMs: startedMs ?? Math.floor(beganMs), hasGivenStart: startedMs !== undefined };
  return {
    id,
    workflow,
    sessionId,
    tracer,
    isPrivate: isPrivate(options.tracerProvider),
    parentSpan: span,
    outermostDepth: 0,
    isKnownByIdOnly: false,
    root,
    surroundingSpan: trace.getSpan(activeContext()),
    beganMs,
  };
}

/** A conversation of another process. */
export function joinedOrigin(carried: CarriedConversation, options: JoinConversationOptions): ConversationOrigin {
  const { id, parent, depth, inputEndMs, rootStartMs } = carried;
  const workflow = nonEmptyString(options.workflow) ?? carried.workflow;
  const sessionId = writtenId(nonEmptyString(options.sessionId)) ?? carried.sessionId;
  const tracer = safeTracer(options.tracerProvider);
  const known = {
    id,
    workflow,
    sessionId,
    tracer,
    isPrivate: isPrivate(options.tracerProvider),
    outermostDepth: depth,
    beganMs: inputEndMs ?? rootStartMs,
  };
  if (rootStartMs !== undefined) {
    const span = handedOverRoot({ ...carried, workflow, sessionId }, tracer, rootStartMs);
    if (parent === undefined || isSameSpan(span, parent)) {
      const root = { span, startedMs: rootStartMs, hasGivenStart: true };
      return { ...known, parentSpan: span, isKnownByIdOnly: false, root };
    }
    releaseSpan(span);
    if (isInTrace(span)) {
      warnOnce(
        'handed-off root',
        'a conversation was handed off to this process, whose OpenTelemetry provider cannot create a root span with a ' +
          'given id, so the root is never ended. Use startTracing(), or configure the provider with the ' +
          'ConversationIdGenerator of @convotel/sdk.',
      );
    }
  }
  const parentSpan = trace.wrapSpanContext(parent ?? rootContextOf(id));
  return { ...known, parentSpan, isKnownByIdOnly: parent === undefined, root: undefined };
}

/** A conversation that is not recorded, because its carrier is malformed. */
export function unrecordedOrigin(): ConversationOrigin {
  return {
    id: newConversationId(),
    workflow: undefined,
    sessionId: undefined,
    tracer: new ProxyTracerProvider().getTracer('nothing'),
    isPrivate: false,
    parentSpan: trace.wrapSpanContext(INVALID_SPAN_CONTEXT),
    outermostDepth: 0,
    isKnownByIdOnly: false,
    root: undefined,
    beganMs: undefined,
  };
}

/** If the process that started the conversation did not sample it, neither does this one. */
function handedOverRoot(carried: CarriedConversation, tracer: Tracer, startedMs: number): Span {
  const { parent } = carried;
  const isDropped = parent !== undefined && (parent.traceFlags & TraceFlags.SAMPLED) === 0;
  return isDropped ? trace.wrapSpanContext(parent) : startRoot(carried, tracer, startedMs);
}

function startRoot(carried: CarriedConversation, tracer: Tracer, startedMs: number | undefined): Span {
  const { id, workflow, sessionId, parent } = carried;
  const attributes: Attributes = {
    [ATTRIBUTE.conversationId]: id,
    [ATTRIBUTE.schemaVersion]: SCHEMA_VERSION,
    [ATTRIBUTE.operation]: CONVERSATION_OPERATION,
  };
  if (workflow !== undefined) attributes[ATTRIBUTE.workflow] = workflow;
  if (sessionId !== undefined) {
    attributes[ATTRIBUTE.sessionId] = sessionId;
    attributes[ATTRIBUTE.genAiConversationId] = sessionId;
  }
  const active = activeContext();
  const options: SpanOptions = { root: true, attributes, links: linksTo(active) };
  if (startedMs !== undefined) options.startTime = hrTimeOf(startedMs);
  const registry = processRegistry();
  const ids = parent === undefined ? undefined : { traceId: parent.traceId, rootSpanId: parent.spanId };
  registry.wantedRoot = { conversationId: id, ids, isTraceIdTaken: false, isSpanIdTaken: false };
  try {
    return startSpan(tracer, CONVERSATION_SPAN_NAME, options, active);
  } finally {
    registry.wantedRoot = undefined;
  }
}

/** A conversation is the root of its own trace, with a link to the span that was active when it started. */
function linksTo(active: Context): Link[] {
  try {
    const span = trace.getSpan(active);
    return span === undefined ? [] : [{ context: span.spanContext() }];
  } catch (error) {
    reportInternalError('linking the active span', error);
    return [];
  }
}

/** Notifies the span processors of convotel (metrics, export) that `span` will never end in this process. */
export function releaseSpan(span: Span): void {
  for (const listener of processRegistry().releaseListeners) {
    try {
      listener(span);
    } catch (error) {
      reportInternalError('releasing the root span of a conversation', error);
    }
  }
}

/**
 * Links the conversation and another trace in both directions: from an open span of that trace, else from one created
 * for it.
 */
export function linkBothWays({ parentSpan, tracer, surroundingSpan }: ConversationOrigin, other: SpanContext): void {
  try {
    const root = parentSpan.spanContext();
    parentSpan.addLink({ context: other });
    const active = activeContext();
    for (const span of [trace.getSpan(active), surroundingSpan]) {
      if (span?.isRecording() !== true || span.spanContext().traceId !== other.traceId) continue;
      span.addLink({ context: root });
      return;
    }
    const parent = trace.setSpanContext(active, other);
    startSpan(tracer, 'continue in conversation', { links: [{ context: root }] }, parent).end();
  } catch (error) {
    reportInternalError('linking a conversation to the trace that started it', error);
  }
}

function isSameSpan(span: Span, { traceId, spanId }: SpanContext): boolean {
  try {
    const context = span.spanContext();
    return context.traceId === traceId && context.spanId === spanId;
  } catch (error) {
    reportInternalError('reading the ids of the root span of a conversation', error);
    return false;
  }
}

function idFrom(option: unknown): string {
  if (option === undefined) return newConversationId();
  if (isConversationId(option)) return option;
  const id = newConversationId();
  warnOnce(
    'conversation id',
    `a conversation id is a string of 1 to 128 characters; the one that was passed is not, so ${id} is used instead`,
  );
  return id;
}

/** Set in the context of a step whose root is known by its id only; read by the sampler of `@convotel/sdk`. */
const SAMPLE_AS_ROOT = createContextKey('convotel sample as root');

/** The context in which to start a step that no other step of this process encloses. */
export function contextForOutermostStep(
  { parentSpan, isKnownByIdOnly }: ConversationOrigin,
  context: Context,
): Context {
  const parent = contextWithSpan(context, parentSpan);
  return isKnownByIdOnly ? parent.setValue(SAMPLE_AS_ROOT, true) : parent;
}
