import { createContextKey, INVALID_SPAN_CONTEXT, trace } from '@opentelemetry/api';
import type { Context, Span, Tracer } from '@opentelemetry/api';
import type { ClassifyError, StepKind } from '@convotel/conventions';
import { CONVOTEL_SPAN } from '../guards/context.ts';
import type { SpanEnding } from '../guards/spans.ts';
import type { Carrier, Step, StepHandle, StepOptions } from './step-options.ts';
import type { StartedStep } from './trace-step.ts';

/** What a conversation needs to know of a step of its own. */
export interface HostedStep {
  readonly name: string;
  /** What its name stands for. */
  readonly kind: StepKind;
  /** 1-based. */
  readonly attempt: number;
  /** 0 for an outermost step. */
  readonly depth: number;
  readonly isStreamed: boolean;
  readonly interruptionReason: string | undefined;
  readonly enclosing: HostedStep | undefined;
  readonly signal: AbortSignal;
  /** Ends a step that waits, because its conversation is over and nobody asked for its result. */
  neverAsked(): void;
}

/** When a step was under way, in milliseconds since the epoch, and when the user may first have perceived it. */
export interface StepTimes {
  startedMs: number;
  endedMs: number;
  /** Absent where no first output was recorded. */
  firstOutputMs: number | undefined;
}

/** What a step needs of its conversation. Declared here, so that steps know no conversation and no circle arises. */
export interface StepHost {
  readonly id: string;
  readonly workflow: string | undefined;
  readonly sessionId: string | undefined;
  readonly capturesContent: boolean;
  readonly tracer: Tracer;
  /** Whether its spans are never the active span of OpenTelemetry, which belongs to other tools. */
  readonly isPrivate: boolean;
  /** Parent of the steps that are inside no other step of this process. */
  readonly parentSpan: Span;
  /** Depth of the steps right below {@link StepHost.parentSpan}. */
  readonly outermostDepth: number;
  readonly signal: AbortSignal | undefined;
  readonly classifyError: ClassifyError | undefined;
  readonly maxOpenMs: number;

  /** The context for starting a span right below {@link StepHost.parentSpan}. */
  parentContext(active: Context): Context;
  /** Starts a step for {@link traceStep}; undefined where nothing can be recorded, then its function gets a {@link StepHost.plainStep}. */
  beginStep(name: string, options: StepOptions | undefined): StartedStep | undefined;
  /** A step that records nothing. */
  readonly plainStep: Step;
  startStep(name: string, options?: StepOptions): StepHandle;
  /** A message for another process, whose steps will be below `parent`, at `depth`. */
  carrierBelow(parent: Span, depth: number): Carrier;

  /** Counts a step that is now open; `responds` is its option. */
  stepStarted(step: HostedStep, responds: boolean | undefined): void;
  /** A step that may never begin does not keep the conversation open; it ends with the conversation. */
  stepWaits(step: HostedStep): void;
  /** Counts a step that waited and is now open. */
  stepBegins(step: HostedStep): void;
  /** Seconds from the end of the user's input to what the user perceived of `step`, where it is one that answers. */
  responseLatencyOf(
    step: HostedStep,
    responds: boolean | undefined,
    times: StepTimes,
    ending: SpanEnding,
  ): number | undefined;
  /** Counts a step that is over; `wasWaiting` says that it never began. */
  stepEnded(step: HostedStep, times: StepTimes, ending: SpanEnding, wasWaiting: boolean): void;
  /** Notes how `error` ended `step`, so that steps around it and the conversation judge the same error alike. */
  errorJudged(error: unknown, step: HostedStep, ending: SpanEnding): void;
  /** How `error`, or one of its causes, ended a step inside `step`, or any step when `step` is absent. */
  findJudgement(error: unknown, step: HostedStep | undefined): SpanEnding | undefined;
}

/** Where in a conversation the program is: which conversation, and inside which step, if any. */
export interface ActiveScope {
  host: StepHost;
  step: HostedStep | undefined;
}

/** Keys by `Symbol.for` (OpenTelemetry's are, too): all copies of this package in a process read each other's scopes. */
const SCOPE = createContextKey('convotel active scope');
const BELOW = Symbol.for('convotel context below');

/** The scope that `context` carries. */
export function findScope(context: Context): ActiveScope | undefined {
  return context.getValue(SCOPE) as ActiveScope | undefined;
}

/** The key under which OpenTelemetry keeps the active span; its API does not export it, but uses it on any context. */
const ACTIVE_SPAN = ((): symbol | undefined => {
  let used: symbol | undefined;
  const observer: Context = {
    getValue: () => undefined,
    setValue: (key) => {
      used = key;
      return observer;
    },
    deleteValue: () => observer,
  };
  trace.setSpan(observer, trace.wrapSpanContext(INVALID_SPAN_CONTEXT));
  return used;
})();

/** `context` with `span` as the active one (unless `host` is private), and the given scope in place of the one that it had. */
export function scopedContext(context: Context, span: Span, host: StepHost, step: HostedStep | undefined): Context {
  return new ScopedContext((context as Partial<ScopedContext>)[BELOW] ?? context, span, host, step);
}

/** `context` with `span` as the active one; itself where it is already. */
export function contextWithSpan(context: Context, span: Span): Context {
  return trace.getSpan(context) === span ? context : trace.setSpan(context, span);
}

/**
 * A context with a scope and a span on top; OpenTelemetry's own copies all values for each that is set, which costs
 * more. There is never one on top of another: a turn that starts in a callback of the turn before would make a chain.
 */
class ScopedContext implements Context, ActiveScope {
  readonly [BELOW]: Context;
  readonly host: StepHost;
  readonly step: HostedStep | undefined;
  readonly #span: unknown;

  constructor(below: Context, span: unknown, host: StepHost, step: HostedStep | undefined) {
    this[BELOW] = below;
    this.host = host;
    this.step = step;
    this.#span = span;
  }

  getValue(key: symbol): unknown {
    if (key === ACTIVE_SPAN && !this.host.isPrivate) return this.#span;
    if (key === CONVOTEL_SPAN) return this.#span;
    return key === SCOPE ? this : this[BELOW].getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    if (key === ACTIVE_SPAN && !this.host.isPrivate) return new ScopedContext(this[BELOW], value, this.host, this.step);
    return new ScopedContext(this[BELOW].setValue(key, value), this.#span, this.host, this.step);
  }

  deleteValue(key: symbol): Context {
    if (key === ACTIVE_SPAN && !this.host.isPrivate)
      return new ScopedContext(this[BELOW], undefined, this.host, this.step);
    return new ScopedContext(this[BELOW].deleteValue(key), this.#span, this.host, this.step);
  }
}
