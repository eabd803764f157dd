import { createContextKey, INVALID_SPAN_CONTEXT, trace } from '@opentelemetry/api';
import type { Context, Span, Tracer } from '@opentelemetry/api';
import type { ClassifyError, StepKind } from '@convotel/conventions';
import { CONVOTEL_SPAN } from '../guards/context.ts';
import type { SpanEnding } from '../guards/spans.ts';
import type { Carrier, Step, StepHandle, StepOptions } from './step-options.ts';
import type { StartedStep } from './trace-step.ts';

/** What a conversation needs to know about its steps. */
export interface HostedStep {
  readonly name: string;
  readonly kind: StepKind;
  /** 1-based. */
  readonly attempt: number;
  /** 0 for an outermost step. */
  readonly depth: number;
  readonly isStreamed: boolean;
  readonly interruptionReason: string | undefined;
  readonly enclosing: HostedStep | undefined;
  readonly signal: AbortSignal;
  /** Ends a step whose lazy result was not consumed before its conversation ended. */
  endUnconsumed(): void;
}

/** Start, end and first output of a step, in milliseconds since the epoch. */
export interface StepTimes {
  startedMs: number;
  endedMs: number;
  /** Undefined if no first output was recorded. */
  firstOutputMs: number | undefined;
}

/** What a step needs from its conversation. Declared here, so that steps do not depend on `conversation/`. */
export interface StepHost {
  readonly id: string;
  readonly workflow: string | undefined;
  readonly sessionId: string | undefined;
  readonly capturesContent: boolean;
  readonly tracer: Tracer;
  /** Whether its spans must never become OpenTelemetry's active span, which other tools see. */
  readonly isPrivate: boolean;
  /** Parent of the steps that no other step of this process encloses. */
  readonly parentSpan: Span;
  /** Depth of the children of {@link StepHost.parentSpan}. */
  readonly outermostDepth: number;
  readonly signal: AbortSignal | undefined;
  readonly classifyError: ClassifyError | undefined;
  readonly maxOpenMs: number;

  /** The context in which a child of {@link StepHost.parentSpan} is started. */
  parentContext(active: Context): Context;
  /**
   * Starts a step for {@link traceStep}; undefined if nothing can be recorded, and {@link StepHost.nonRecordingStep} is
   * to be used.
   */
  beginStep(name: string, options: StepOptions | undefined): StartedStep | undefined;
  readonly nonRecordingStep: Step;
  startStep(name: string, options?: StepOptions): StepHandle;
  /** A carrier for another process, whose steps become children of `parent`, at `depth`. */
  carrierBelow(parent: Span, depth: number): Carrier;

  /** Counts an open step; `responds` is its option. */
  stepStarted(step: HostedStep, responds: boolean | undefined): void;
  /** The step waits for a consumer of its lazy result. It does not keep the conversation open, and ends with it. */
  stepAwaitsConsumer(step: HostedStep): void;
  /** The result of a waiting step is being consumed; the step counts as open again. */
  stepConsumptionStarted(step: HostedStep): void;
  /** Seconds from the end of the user's input to the output of `step`, if it is one that responds to the user. */
  responseLatencyOf(
    step: HostedStep,
    responds: boolean | undefined,
    times: StepTimes,
    ending: SpanEnding,
  ): number | undefined;
  /** Counts a step that ended; `wasWaiting` if its result was never consumed. */
  stepEnded(step: HostedStep, times: StepTimes, ending: SpanEnding, wasWaiting: boolean): void;
  /** Remembers how `error` ended `step`, so that enclosing steps and the conversation classify the same error alike. */
  errorClassified(error: unknown, step: HostedStep, ending: SpanEnding): void;
  /** How `error`, or one of its causes, ended a step inside `step`, or any step if `step` is undefined. */
  findEndingOf(error: unknown, step: HostedStep | undefined): SpanEnding | undefined;
}

/** The active conversation and, if there is one, the active step. */
export interface ActiveScope {
  host: StepHost;
  step: HostedStep | undefined;
}

/**
 * Both keys are `Symbol.for` symbols, as OpenTelemetry's are, so that all copies of this package in a process share
 * scopes.
 */
const SCOPE = createContextKey('convotel active scope');
const BELOW = Symbol.for('convotel context below');

export function findScope(context: Context): ActiveScope | undefined {
  return context.getValue(SCOPE) as ActiveScope | undefined;
}

/** The key of OpenTelemetry's active span. The API does not export it, but passes it to any `Context` object. */
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

/** `context` with the given scope in place of its own and, unless `host` is private, `span` as the active span. */
export function scopedContext(context: Context, span: Span, host: StepHost, step: HostedStep | undefined): Context {
  return new ScopedContext((context as Partial<ScopedContext>)[BELOW] ?? context, span, host, step);
}

/** `context` with `span` as the active span; `context` itself if it already is. */
export function contextWithSpan(context: Context, span: Span): Context {
  return trace.getSpan(context) === span ? context : trace.setSpan(context, span);
}

/**
 * A context that adds a scope and a span to another one. OpenTelemetry's own implementation copies all values whenever
 * one is set, which costs more. It never wraps another scoped context: turns that each start in a callback of the
 * previous one would build a chain.
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
