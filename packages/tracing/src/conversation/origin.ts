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
import { textFrom } from '../guards/given-values.ts';
import { isInTrace, isPrivate, safeTracer, startSpan } from '../guards/spans.ts';
import { epochNowMs, hrTimeOf } from '../guards/times.ts';
import { reportTrouble, warnOnce } from '../guards/warnings.ts';
import { contextWithSpan } from '../step/step-host.ts';
import { rootContextOf, writtenId } from './carrier.ts';
import type { CarriedConversation } from './carrier.ts';
import type { ConversationOptions, JoinConversationOptions } from './conversation-options.ts';

/** Where a conversation's trace comes from: begun in this process, or in another one and joined. */
export interface ConversationOrigin {
  readonly id: string;
  readonly workflow: string | undefined;
  readonly sessionId: string | undefined;
  readonly tracer: Tracer;
  /** Whether its spans are hidden from other tools. */
  readonly isPrivate: boolean;
  /** Parent of the outermost steps of this process. */
  readonly parentSpan: Span;
  /** Depth of those steps. */
  readonly outermostDepth: number;
  /** Whether only the id of the root is known, so that a sampler has to decide by the trace id as it did for the root. */
  readonly isKnownByIdOnly: boolean;
  /** The root, where it belongs to this process. */
  readonly root: OwnedRoot | undefined;
  /** The span that was active when the conversation began here. */
  readonly spanAround?: Span | undefined;
  /** From when on the user waits where nothing better is known, in milliseconds since the epoch. */
  readonly beganMs: number | undefined;
}

/** A root span that this process ends. */
export interface OwnedRoot {
  readonly span: Span;
  /** Milliseconds since the epoch. */
  readonly startedMs: number;
  /** A span with a given start needs a given end: its monotonic clock began when it was made. */
  readonly hasGivenStart: boolean;
}

/** A conversation that begins now, or at `startedMs`: the root of a trace of its own. */
export function begunHere(options: ConversationOptions, startedMs: number | undefined): ConversationOrigin {
  const id = writtenId(idFrom(options.conversationId));
  const workflow = textFrom(options.workflow);
  const sessionId = writtenId(textFrom(options.sessionId));
  const tracer = safeTracer(options.tracerProvider);
  const beganMs = startedMs ?? epochNowMs();
  const span = startRoot({ id, workflow, sessionId, depth: 0 }, tracer, startedMs);
  // Spans start at whole milliseconds (OpenTelemetry reads Date.now()); a root that is handed off must not start later.
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
    spanAround: trace.getSpan(activeContext()),
    beganMs,
  };
}

/** A conversation of another process. */
export function joined(carried: CarriedConversation, options: JoinConversationOptions): ConversationOrigin {
  const { id, parent, depth, inputEndMs, rootStartMs } = carried;
  const workflow = textFrom(options.workflow) ?? carried.workflow;
  const sessionId = writtenId(textFrom(options.sessionId)) ?? carried.sessionId;
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
        'a conversation was handed off to this process, whose OpenTelemetry provider cannot give the root its ids, so ' +
          'the conversation stays open. Use startTracing(), or give the provider a ConversationIdGenerator of @convotel/sdk.',
      );
    }
  }
  const parentSpan = trace.wrapSpanContext(parent ?? rootContextOf(id));
  return { ...known, parentSpan, isKnownByIdOnly: parent === undefined, root: undefined };
}

/** A conversation of which nothing is recorded, for a carrier that says nothing. */
export function unrecorded(): ConversationOrigin {
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

/** Where the process that began the conversation keeps nothing of it, nothing is kept here either. */
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

/** A conversation is the root of its own trace; the span that was active when it began is linked. */
function linksTo(active: Context): Link[] {
  try {
    const span = trace.getSpan(active);
    return span === undefined ? [] : [{ context: span.spanContext() }];
  } catch (error) {
    reportTrouble('linking the active span', error);
    return [];
  }
}

/** Tells metrics and delivery that `span` will never end in this process. */
export function releaseSpan(span: Span): void {
  for (const listener of processRegistry().releaseListeners) {
    try {
      listener(span);
    } catch (error) {
      reportTrouble('letting go of the root of a conversation', error);
    }
  }
}

/** Links the conversation and another trace both ways: on a span of that trace that is open here, else on one made for it. */
export function linkBothWays({ parentSpan, tracer, spanAround }: ConversationOrigin, other: SpanContext): void {
  try {
    const root = parentSpan.spanContext();
    parentSpan.addLink({ context: other });
    const active = activeContext();
    for (const span of [trace.getSpan(active), spanAround]) {
      if (span?.isRecording() !== true || span.spanContext().traceId !== other.traceId) continue;
      span.addLink({ context: root });
      return;
    }
    const parent = trace.setSpanContext(active, other);
    startSpan(tracer, 'continue in conversation', { links: [{ context: root }] }, parent).end();
  } catch (error) {
    reportTrouble('linking a conversation to the trace that started it', error);
  }
}

function isSameSpan(span: Span, { traceId, spanId }: SpanContext): boolean {
  try {
    const context = span.spanContext();
    return context.traceId === traceId && context.spanId === spanId;
  } catch (error) {
    reportTrouble('asking the root of a conversation for its ids', error);
    return false;
  }
}

function idFrom(option: unknown): string {
  if (option === undefined) return newConversationId();
  if (isConversationId(option)) return option;
  const id = newConversationId();
  warnOnce(
    'conversation id',
    `a conversation id is a string of 1 to 128 characters; ${id} was made instead of the one given`,
  );
  return id;
}

/** In the context of a step whose parent is a root that is known by its id only; read by the sampler of `@convotel/sdk`. */
const SAMPLE_AS_ROOT = createContextKey('convotel sample as root');

/** `context` for starting a step of `origin` that is inside no other step of this process. */
export function contextForOutermostStep(
  { parentSpan, isKnownByIdOnly }: ConversationOrigin,
  context: Context,
): Context {
  const parent = contextWithSpan(context, parentSpan);
  return isKnownByIdOnly ? parent.setValue(SAMPLE_AS_ROOT, true) : parent;
}
