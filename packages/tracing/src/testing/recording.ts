import { randomBytes } from 'node:crypto';
import {
  ATTRIBUTE,
  CONVERSATION_SPAN_NAME,
  conversationIdsOf,
  processRegistry,
  STEP_TIMING_PREFIX,
} from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';
import { SpanKind, trace, TraceFlags } from '@opentelemetry/api';
import type {
  Attributes,
  AttributeValue,
  Context,
  Link,
  Span,
  SpanContext,
  SpanOptions,
  SpanStatus,
  TimeInput,
  Tracer,
  TracerProvider,
} from '@opentelemetry/api';
import { epochMsOf, epochNowMs } from '../guards/times.ts';

/** A provider that keeps spans in memory and needs no SDK. It uses the program's clock, even if that is a fake one. */
export class RecordingProvider implements TracerProvider {
  /** In order of start, including open ones. */
  spans: RecordingSpan[] = [];

  getTracer(): Tracer {
    const startSpan: Tracer['startSpan'] = (name, options = {}, context) => this.#startSpan(name, options, context);
    return {
      startSpan,
      startActiveSpan: () => {
        throw new Error(
          'recordConversations() records only spans that convotel starts; startActiveSpan() is not supported.',
        );
      },
    };
  }

  #startSpan(name: string, options: SpanOptions, context: Context | undefined): RecordingSpan {
    const parent = options.root === true || context === undefined ? undefined : trace.getSpan(context);
    const span = new RecordingSpan(name, options, parent);
    this.spans.push(span);
    return span;
  }
}

export class RecordingSpan implements Span {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes = {};
  readonly links: Link[] = [];
  readonly startMs: number;
  /** The parent, if it was started in this process; of a remote parent only {@link parentContext} is known. */
  readonly parent: RecordingSpan | undefined;
  readonly parentContext: SpanContext | undefined;
  endMs: number | undefined;
  status: SpanStatus | undefined;
  readonly #context: SpanContext;

  constructor(name: string, options: SpanOptions, parent: Span | undefined) {
    this.name = name;
    this.kind = options.kind ?? SpanKind.INTERNAL;
    this.parent = parent instanceof RecordingSpan ? parent : undefined;
    this.parentContext = parent?.spanContext();
    this.#context = contextFor(this.parentContext);
    this.startMs = epochMsFromInput(options.startTime) ?? epochNowMs();
    this.setAttributes(options.attributes ?? {});
    this.addLinks(options.links ?? []);
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  setAttribute(name: string, value: AttributeValue): this {
    if (this.endMs === undefined) this.attributes[name] = value;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const [name, value] of Object.entries(attributes)) if (value !== undefined) this.setAttribute(name, value);
    return this;
  }

  addEvent(): this {
    return this;
  }

  addLink(link: Link): this {
    this.links.push(link);
    return this;
  }

  addLinks(links: Link[]): this {
    this.links.push(...links);
    return this;
  }

  setStatus(status: SpanStatus): this {
    this.status = status;
    return this;
  }

  updateName(): this {
    return this;
  }

  end(endTime?: TimeInput): void {
    this.endMs ??= epochMsFromInput(endTime) ?? epochNowMs();
  }

  isRecording(): boolean {
    return this.endMs === undefined;
  }

  recordException(): void {}
}

/**
 * Trace id and root span id are derived from the conversation id, as with `startTracing`, so that a test can join it.
 */
function contextFor(parent: SpanContext | undefined): SpanContext {
  const wanted = processRegistry().wantedRoot;
  const ids = wanted === undefined ? undefined : (wanted.ids ?? conversationIdsOf(wanted.conversationId));
  return {
    traceId: parent?.traceId ?? ids?.traceId ?? randomBytes(16).toString('hex'),
    spanId: (parent === undefined ? ids?.rootSpanId : undefined) ?? randomBytes(8).toString('hex'),
    traceFlags: TraceFlags.SAMPLED,
  };
}

/** Supports only the forms that convotel passes: seconds and nanoseconds, or a reading of `performance.now()`. */
function epochMsFromInput(time: TimeInput | undefined): number | undefined {
  if (typeof time === 'number') return epochMsOf(time);
  return Array.isArray(time) ? time[0] * 1000 + time[1] / 1e6 : undefined;
}

/** Fields common to steps and conversations. Those that are not known (yet) are absent. */
interface SpanRecord {
  /** Absent while it is open. */
  outcome?: Outcome;
  startTime: Date;
  /** Absent while it is open. */
  durationMs?: number;
  /** From the end of the user's input to the first output that the user perceives. */
  responseMs?: number;
  errorType?: string;
  errorMessage?: string;
  interruptionReason?: string;
  /** The program's own attributes, without those of the conventions. */
  attributes: Attributes;
}

/** One recorded step. */
export interface StepRecord extends SpanRecord {
  name: string;
  conversationId: string;
  /** 1-based. */
  attempt: number;
  /** 0 for an outermost step. */
  depth: number;
  kind: 'internal' | 'client';
  operation?: string;
  model?: string;
  provider?: string;
  input?: string;
  output?: string;
  inputTokens?: number;
  outputTokens?: number;
  audioSeconds?: number;
  timeoutMs?: number;
  timeToFirstOutputMs?: number;
  /** Number of stream chunks that the program received. */
  chunks?: number;
  /** Durations of named parts, in milliseconds. */
  timingsMs: Record<string, number>;
  /** The steps inside this one, in order of start. */
  steps: StepRecord[];
}

/** One recorded conversation. */
export interface ConversationRecord extends SpanRecord {
  id: string;
  workflow?: string;
  sessionId?: string;
  /**
   * Whether the root span was started in this process; false for a joined conversation, unless its root was handed off.
   */
  hasRoot: boolean;
  /** Outermost steps, in order of start, with the steps inside them. */
  steps: StepRecord[];
}

/** Conversations in order of their first span. */
export function conversationsOf(spans: readonly RecordingSpan[]): ConversationRecord[] {
  const stepBySpan = new Map<RecordingSpan, StepRecord>();
  const conversationByTop = new Map<unknown, ConversationRecord>();
  const conversations: ConversationRecord[] = [];
  for (const span of spans) {
    const id = span.attributes[ATTRIBUTE.conversationId];
    if (typeof id !== 'string') continue;
    const isRoot = span.parentContext === undefined && span.name === CONVERSATION_SPAN_NAME;
    // Steps of a joined conversation have no root here, and are grouped by conversation id instead.
    const top = isRoot ? span : (rootAbove(span) ?? id);
    let conversation = conversationByTop.get(top);
    if (conversation === undefined) {
      conversation = conversationRecord(span, id, isRoot);
      conversationByTop.set(top, conversation);
      conversations.push(conversation);
    }
    if (isRoot) continue;
    const step = stepRecord(span, id);
    stepBySpan.set(span, step);
    const around = span.parent === undefined ? undefined : stepBySpan.get(span.parent);
    (around ?? conversation).steps.push(step);
  }
  return conversations;
}

/** All steps, including nested ones, in order of start. */
export function stepsOf(conversations: readonly { steps: StepRecord[] }[]): StepRecord[] {
  const steps = conversations.flatMap((each) => each.steps.flatMap((step) => [step, ...stepsOf([step])]));
  return steps.toSorted((first, second) => first.startTime.getTime() - second.startTime.getTime());
}

function rootAbove(span: RecordingSpan): RecordingSpan | undefined {
  let top = span;
  while (top.parent !== undefined) top = top.parent;
  return top.name === CONVERSATION_SPAN_NAME && top.parentContext === undefined ? top : undefined;
}

function conversationRecord(span: RecordingSpan, id: string, hasRoot: boolean): ConversationRecord {
  const { attributes } = span;
  const common = hasRoot ? spanRecord(span) : { startTime: new Date(span.startMs), attributes: {} };
  return {
    id,
    ...present({ workflow: attributes[ATTRIBUTE.workflow], sessionId: attributes[ATTRIBUTE.sessionId] }),
    ...common,
    hasRoot,
    steps: [],
  };
}

function stepRecord(span: RecordingSpan, conversationId: string): StepRecord {
  const { attributes } = span;
  const timings = Object.entries(attributes).flatMap(([name, value]): [string, number][] =>
    name.startsWith(STEP_TIMING_PREFIX)
      ? [[name.slice(STEP_TIMING_PREFIX.length), millisecondsOf(value) as number]]
      : [],
  );
  return {
    name: span.name,
    conversationId,
    ...spanRecord(span),
    attempt: (attributes[ATTRIBUTE.stepAttempt] as number | undefined) ?? 1,
    depth: (attributes[ATTRIBUTE.stepDepth] as number | undefined) ?? 0,
    kind: span.kind === 2 ? 'client' : 'internal',
    ...present({
      operation: attributes[ATTRIBUTE.operation],
      model: attributes[ATTRIBUTE.requestModel],
      provider: attributes[ATTRIBUTE.provider],
      input: attributes[ATTRIBUTE.inputText],
      output: attributes[ATTRIBUTE.outputText],
      inputTokens: attributes[ATTRIBUTE.inputTokens],
      outputTokens: attributes[ATTRIBUTE.outputTokens],
      audioSeconds: attributes[ATTRIBUTE.audioDuration],
      timeoutMs: millisecondsOf(attributes[ATTRIBUTE.stepTimeout]),
      timeToFirstOutputMs: millisecondsOf(attributes[ATTRIBUTE.timeToFirstOutput]),
      chunks: attributes[ATTRIBUTE.stepChunks],
    }),
    timingsMs: Object.fromEntries(timings),
    steps: [],
  };
}

const CONVENTION_NAMES: ReadonlySet<string> = new Set(Object.values(ATTRIBUTE));

function spanRecord(span: RecordingSpan): SpanRecord {
  const { attributes, endMs, startMs, status } = span;
  const own = Object.entries(attributes).filter(
    ([name]) => !CONVENTION_NAMES.has(name) && !name.startsWith(STEP_TIMING_PREFIX),
  );
  return {
    ...present({
      outcome: attributes[ATTRIBUTE.outcome],
      durationMs: endMs === undefined ? undefined : Math.max(0, endMs - startMs),
      responseMs: millisecondsOf(attributes[ATTRIBUTE.responseLatency]),
      errorType: attributes[ATTRIBUTE.errorType],
      errorMessage: status?.message,
      interruptionReason: attributes[ATTRIBUTE.interruptionReason],
    }),
    startTime: new Date(startMs),
    attributes: Object.fromEntries(own),
  };
}

function millisecondsOf(seconds: AttributeValue | undefined): number | undefined {
  return typeof seconds === 'number' ? seconds * 1000 : undefined;
}

/** `values` without the undefined ones. The cast is safe because convotel wrote them with the right types. */
function present(values: Record<string, AttributeValue | undefined>): Record<string, never> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Record<string, never>;
}
