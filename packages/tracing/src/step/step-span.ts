import { ATTRIBUTE } from '@convotel/conventions';
import type { ClassifyError, StepKind } from '@convotel/conventions';
import { SpanKind } from '@opentelemetry/api';
import type { Attributes, Context, Span, SpanOptions } from '@opentelemetry/api';
import { activeContext, runInContext } from '../guards/context.ts';
import { signalFrom } from '../guards/untrusted-values.ts';
import { endSpan, startSpan } from '../guards/spans.ts';
import type { SpanEnding } from '../guards/spans.ts';
import { epochMsOf, hrTimeOf } from '../guards/times.ts';
import { reportInternalError, warnOnce } from '../guards/warnings.ts';
import type { ResultDetails } from '../results/recognized/client.ts';
import type { ResultOptions, OpenStream } from '../results/result-observer.ts';
import { limitMsFrom, openWork } from './open-work.ts';
import type { OpenItem } from './open-work.ts';
import { endingOfError, isError } from './outcome-of-error.ts';
import {
  addInput,
  addOptionAttributes,
  addOutput,
  addResultDetails,
  addTiming,
  addUsage,
  isDuration,
  namedStep,
  SpanAttributes,
} from './step-attributes.ts';
import type { NamedStep } from './step-attributes.ts';
import { contextWithSpan, findScope, scopedContext } from './step-host.ts';
import type { HostedStep, StepHost, StepTimes } from './step-host.ts';
import type { Carrier, ModelUsage, Step, StepHandle, StepOptions } from './step-options.ts';
import { StepSignal } from './step-signal.ts';
import { deliverMissedResults, traceStep } from './trace-step.ts';
import type { StartedStep, MissedResult } from './trace-step.ts';

const COMPLETED: SpanEnding = { outcome: 'completed' };
const INTERRUPTED: SpanEnding = { outcome: 'interrupted' };

const DEFAULT_NAME = 'unnamed';

/** Start and end of a step that is recorded afterwards, in milliseconds since the epoch. */
export interface RecordedTimes {
  startedMs: number;
  endedMs: number;
}

/**
 * One step's span, from its start to its end. Attributes are collected here and written when the step ends, so that
 * OpenTelemetry is called twice per step. What OpenTelemetry throws is caught and reported.
 */
export class StepSpan implements StepHandle, HostedStep, StartedStep, OpenItem {
  readonly host: StepHost;
  readonly name: string;
  readonly kind: StepKind;
  readonly attempt: number;
  /** The open step inside which this one runs. */
  readonly enclosing: StepSpan | undefined;
  readonly depth: number;
  /** The context in which the step's function runs. */
  readonly context: Context;
  readonly resultOptions: ResultOptions | undefined;
  readonly endsWithOthers = false;
  readonly recordsDetails = true;
  openQueue: OpenItem['openQueue'];
  openBefore: OpenItem | undefined;
  openAfter: OpenItem | undefined;
  openSinceMs = 0;
  isStreamed = false;
  interruptionReason: string | undefined;
  missedResult: MissedResult | undefined;

  readonly #span: Span;
  /** By `performance.now()`. */
  readonly #startedMs: number;
  readonly #attributes = new SpanAttributes();
  readonly #recordedTimes: RecordedTimes | undefined;
  #spanKind = SpanKind.INTERNAL;
  #timeoutMs: number | undefined;
  #maxOpenMs: number | undefined;
  #ownSignal: AbortSignal | undefined;
  #responds: boolean | undefined;
  #classifyError: ClassifyError | undefined;
  #signal: StepSignal | undefined;
  /** The reason of the signal's abort, after `timeoutMs`. */
  #timeout: DOMException | undefined;
  #firstOutputMs: number | undefined;
  #hasOutput = false;
  #isInterrupted = false;
  /** The result is lazy, and nothing has consumed it yet. */
  #isWaiting = false;
  /** It ended with its conversation, before anything consumed its result. */
  #isUnconsumed = false;
  /** See {@link ResultObserver.awaitsConsumer}. */
  #headMs: number | undefined;
  /** The streams of the result that are being read. */
  #streams: OpenStream[] | undefined;
  /** The context in which the step was called; code that consumes its result runs in it. */
  #callerContext: Context | undefined;
  #ending: SpanEnding | undefined;
  #times: StepTimes | undefined;
  #isFinished = false;

  /** `recordedTimes` is set for a step that is recorded afterwards. */
  constructor(host: StepHost, name: string, options: StepOptions | undefined, recordedTimes?: RecordedTimes) {
    this.host = host;
    this.name = typeof name === 'string' && name !== '' ? name : DEFAULT_NAME;
    const named = namedStep(this.name);
    this.kind = named.kind;
    this.#recordedTimes = recordedTimes;
    this.resultOptions = options;
    const active = activeContext();
    if (recordedTimes === undefined) this.#callerContext = active;
    this.enclosing = enclosingStep(active, host);
    this.depth = this.enclosing === undefined ? host.outermostDepth : this.enclosing.depth + 1;
    this.#readOptions(named, options);
    this.attempt = (this.#attributes.own[ATTRIBUTE.stepAttempt] as number | undefined) ?? 1;
    const parent =
      this.enclosing === undefined ? host.parentContext(active) : contextWithSpan(active, this.enclosing.#span);
    const spanOptions = this.#spanOptions();
    if (recordedTimes === undefined) this.#watch();
    try {
      // Starting a span needs the most stack of all this, so it comes last: an overflow leaves no span without a step.
      this.#span = startSpan(host.tracer, this.name, spanOptions, parent);
      // Taken after the span has started, so that the first output is never later than the span's end.
      this.#startedMs = performance.now();
      this.context = scopedContext(active, this.#span, host, this);
      host.stepStarted(this, this.#responds);
    } catch (error) {
      openWork().remove(this);
      throw error;
    }
  }

  #readOptions(named: NamedStep, options: StepOptions | undefined): void {
    try {
      addOptionAttributes(this.#attributes, named, options, this.host.capturesContent);
      if (options === undefined) return;
      if (options.kind === 'client') this.#spanKind = SpanKind.CLIENT;
      const timeoutMs = limitMsFrom(options.timeoutMs, 'timeoutMs');
      if (timeoutMs !== Infinity) this.#timeoutMs = timeoutMs;
      this.#maxOpenMs = limitMsFrom(options.maxOpenMs, 'maxOpenMs');
      this.#ownSignal = signalFrom(options.signal);
      if (typeof options.responds === 'boolean') this.#responds = options.responds;
      if (typeof options.classifyError === 'function') this.#classifyError = options.classifyError;
    } catch (error) {
      reportInternalError('reading the options of a step', error);
    }
  }

  /**
   * The attributes that are set at the start, because a sampler, metrics, and filters on open conversations need them.
   */
  #spanOptions(): SpanOptions {
    const { id, workflow, sessionId } = this.host;
    const attributes: Attributes = { [ATTRIBUTE.conversationId]: id, [ATTRIBUTE.stepName]: this.name };
    if (this.depth > 0) attributes[ATTRIBUTE.stepDepth] = this.depth;
    if (workflow !== undefined) attributes[ATTRIBUTE.workflow] = workflow;
    const { own } = this.#attributes;
    if (sessionId !== undefined) {
      own[ATTRIBUTE.sessionId] = sessionId;
      own[ATTRIBUTE.genAiConversationId] = sessionId;
    }
    if (this.#timeoutMs !== undefined) own[ATTRIBUTE.stepTimeout] = this.#timeoutMs / 1000;
    const options: SpanOptions = { kind: this.#spanKind, attributes };
    if (this.#recordedTimes !== undefined) options.startTime = hrTimeOf(this.#recordedTimes.startedMs);
    return options;
  }

  #watch(): void {
    const maxOpenMs = this.#maxOpenMs ?? this.host.maxOpenMs;
    openWork().add(this, Math.min(this.#timeoutMs ?? maxOpenMs, maxOpenMs), performance.now());
  }

  /** The `signal` options of the conversation, of this step and of the steps that enclose it. */
  #signalsAround(): (AbortSignal | undefined)[] {
    const signals = [this.host.signal, this.#ownSignal];
    for (let step = this.enclosing; step !== undefined; step = step.enclosing) signals.push(step.#ownSignal);
    return signals;
  }

  /** The signals of enclosing steps that have a `timeoutMs`. */
  #limitsAround(): AbortSignal[] {
    const signals: AbortSignal[] = [];
    for (let step = this.enclosing; step !== undefined; step = step.enclosing) {
      if (step.#timeoutMs !== undefined) signals.push(step.signal);
    }
    return signals;
  }

  /** The signals that may have caused an error, those of enclosing steps whose `timeoutMs` expired included. */
  #signalsOfError(): (AbortSignal | undefined)[] {
    const signals = this.#signalsAround();
    for (let step = this.enclosing; step !== undefined; step = step.enclosing) {
      if (step.#timeout !== undefined) signals.push(step.signal);
    }
    return signals;
  }

  get isEnded(): boolean {
    return this.#ending !== undefined;
  }

  get isOver(): boolean {
    return this.#ending !== undefined;
  }

  get label(): string {
    return `the step ${JSON.stringify(this.name)}`;
  }

  get keepsText(): boolean {
    return this.host.capturesContent;
  }

  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      this.#signal = new StepSignal([...this.#signalsAround(), ...this.#limitsAround()]);
      if (this.#timeout !== undefined) this.#signal.abort(this.#timeout);
    }
    return this.#signal.signal;
  }

  input(text: string): void {
    addInput(this.#attributes.own, text, this.host.capturesContent);
  }

  output(text: string): void {
    this.#hasOutput = true;
    addOutput(this.#attributes.own, text, this.host.capturesContent);
  }

  usage(usage: ModelUsage): void {
    try {
      addUsage(this.#attributes.own, usage);
    } catch (error) {
      reportInternalError('reading the usage of a step', error);
    }
  }

  timing(part: string, length: { seconds: number }): void {
    try {
      addTiming(this.#attributes.own, part, length?.seconds);
    } catch (error) {
      reportInternalError('reading a timing of a step', error);
    }
  }

  firstOutput(): void {
    if (this.#firstOutputMs !== undefined) return;
    this.#setFirstOutput(performance.now() - this.#startedMs);
  }

  /** Sets a time to first output that was measured elsewhere, from the step's start. */
  timeToFirstOutput(seconds: number | undefined): void {
    if (isDuration(seconds)) this.#setFirstOutput(seconds * 1000);
  }

  #setFirstOutput(sinceStartMs: number): void {
    this.#firstOutputMs = sinceStartMs;
    this.isStreamed = true;
    this.#attributes.own[ATTRIBUTE.timeToFirstOutput] = sinceStartMs / 1000;
  }

  set(attributes: Attributes): void {
    this.#attributes.add(attributes);
  }

  interrupted(reason?: string): void {
    this.#isInterrupted = true;
    if (typeof reason !== 'string') return;
    this.interruptionReason = reason;
    this.#attributes.own[ATTRIBUTE.interruptionReason] = reason;
  }

  carrier(): Carrier {
    return this.host.carrierBelow(this.#span, this.depth + 1);
  }

  run<Result>(run: (step: Step) => Result): Result {
    if (!this.isEnded) this.#callerContext = activeContext();
    return traceStep(this, run);
  }

  bind<This, Arguments extends unknown[], Result>(
    run: (this: This, ...args: Arguments) => Result,
  ): (this: This, ...args: Arguments) => Result {
    const { context } = this;
    return function bound(this: This, ...args: Arguments): Result {
      return runInContext(context, () => run.apply(this, args), undefined);
    };
  }

  runProducer<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Result {
    return runInContext(this.context, run, argument);
  }

  runConsumer<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Result {
    const caller = this.#callerContext;
    return caller === undefined || caller === activeContext() ? run(argument) : runInContext(caller, run, argument);
  }

  /** Does not replace what the program set itself. */
  describe(details: ResultDetails): void {
    addResultDetails(this.#attributes.own, details, this.#hasOutput);
    if (details.outputChars !== undefined) this.#hasOutput = true;
  }

  /**
   * While a stream is read, an abort ends the step at once: the stream may hang, or its reader may stop without
   * cancelling it. An error that the abort causes later changes nothing.
   */
  streamStarted(stream: OpenStream): void {
    if (this.#ending !== undefined) return;
    const isFirst = this.#streams === undefined;
    (this.#streams ??= []).push(stream);
    if (!isFirst || !this.#canBeAborted()) return;
    const { signal } = this;
    // Only later aborts count: a stream read after an abort is meant to go on, such as one that stores a reply after a
    // barge-in.
    signal.addEventListener('abort', () => this.#aborted(signal.reason), { once: true });
  }

  #canBeAborted(): boolean {
    return this.#signalsAround().some((signal) => signal !== undefined) || this.#limitsAround().length > 0;
  }

  #aborted(reason: unknown): void {
    if (this.#ending === undefined) this.threw(reason);
  }

  /** Some clients end a stream without an error when the work is aborted; the abort then decides the outcome. */
  cancelled(): void {
    const aborted = this.#signalsOfError().findLast((signal) => signal?.aborted === true);
    if (aborted !== undefined) this.threw(aborted.reason);
    else this.endWith(INTERRUPTED);
  }

  returned(value: unknown): void {
    if (!this.#hasOutput) addOutput(this.#attributes.own, value, this.host.capturesContent);
    this.endWith(this.#isInterrupted ? INTERRUPTED : COMPLETED);
  }

  threw(error: unknown): void {
    const ending = this.#ending ?? this.endingOf(error);
    if (ending.outcome === 'interrupted' && this.interruptionReason === undefined) {
      this.interrupted(reasonOf(this.#signalsAround()));
    }
    this.host.errorClassified(error, this, ending);
    this.endWith(ending);
  }

  /** How `error` ends this step, without ending it. */
  endingOf(error: unknown): SpanEnding {
    return endingOfError(error, {
      step: this,
      classifiers: [this.#classifyError, this.host.classifyError],
      isInterrupted: this.#isInterrupted,
      signals: this.#signalsOfError(),
      innerEnding: this.host.findEndingOf(error, this),
    });
  }

  awaitsConsumer(headMs?: number): void {
    if (this.#ending !== undefined || this.#isWaiting) return;
    this.#isWaiting = true;
    this.#headMs = headMs;
    this.host.stepAwaitsConsumer(this);
  }

  consumptionStarted(): void {
    if (this.#isUnconsumed) this.#warnOfLateConsumer();
    if (!this.#isWaiting || this.#ending !== undefined) return;
    this.#isWaiting = false;
    this.host.stepConsumptionStarted(this);
  }

  limitReached(): void {
    const maxOpenMs = this.#maxOpenMs ?? this.host.maxOpenMs;
    if (this.#timeoutMs === undefined || this.#timeoutMs > maxOpenMs) {
      this.abandon(`still open after ${maxOpenMs} ms`);
      return;
    }
    const message = `no result within ${this.#timeoutMs} ms`;
    this.#endUnfinished({ outcome: 'timed_out', errorType: 'TimeoutError', message });
    this.#timeout = new DOMException(message, 'TimeoutError');
    this.#signal?.abort(this.#timeout);
  }

  abandon(message: string): void {
    this.#endUnfinished({ outcome: 'abandoned', errorType: 'abandoned', message });
  }

  endUnconsumed(): void {
    this.#isUnconsumed = true;
    this.#endAtHead();
  }

  #endAtHead(): void {
    const hasHead = this.#headMs !== undefined && !this.#isInterrupted;
    this.endWith(hasHead ? COMPLETED : INTERRUPTED, this.#headMs);
  }

  /** A step that was interrupted, or whose lazy result was never consumed, did not hang. */
  #endUnfinished(ending: SpanEnding): void {
    if (this.#isWaiting) this.#endAtHead();
    else this.endWith(this.#isInterrupted ? INTERRUPTED : ending);
  }

  #warnOfLateConsumer(): void {
    this.#isUnconsumed = false;
    warnOnce(
      'consumed after the end',
      `the result of ${this.label} is read after its conversation ended, so what is read from it is not recorded. Return ` +
        'the result itself from the function of the conversation, not inside another object, or read it in there; or ' +
        'use startConversation(), and end() it afterwards.',
    );
  }

  end(result?: unknown): void {
    if (isError(result)) this.threw(result);
    else this.returned(result);
  }

  [Symbol.dispose](): void {
    this.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
  }

  /** Ends the span, now or at `endedMs` by `performance.now()`; only the first call counts. */
  endWith(ending: SpanEnding, endedMs?: number): void {
    if (this.#ending === undefined) {
      for (const stream of this.#streams ?? []) stream.describe();
    }
    this.#ending ??= ending;
    this.#times ??= this.#timesUpTo(endedMs);
    if (this.#isFinished) return;
    this.#finish(this.#ending, this.#times, endedMs);
    deliverMissedResults(() => openWork().items());
  }

  /** Is called again if a stack overflow cut it short. */
  #finish(ending: SpanEnding, times: StepTimes, endedMs: number | undefined): void {
    const { own, program } = this.#attributes;
    const latencySeconds = this.host.responseLatencyOf(this, this.#responds, times, ending);
    if (latencySeconds !== undefined) own[ATTRIBUTE.responseLatency] = latencySeconds;
    endSpan(this.#span, own, program, ending, this.#recordedTimes === undefined ? endedMs : hrTimeOf(times.endedMs));
    openWork().remove(this);
    this.#isFinished = true;
    // It references the step that called this one. Steps that each start the next in a callback would be kept in a
    // chain.
    this.#callerContext = undefined;
    this.#streams = undefined;
    this.host.stepEnded(this, times, ending, this.#isWaiting);
  }

  #timesUpTo(endedAtMs: number | undefined): StepTimes {
    const startedMs = this.#recordedTimes?.startedMs ?? epochMsOf(this.#startedMs);
    const endedMs = this.#recordedTimes?.endedMs ?? epochMsOf(endedAtMs ?? performance.now());
    const firstOutputMs = this.#firstOutputMs === undefined ? undefined : startedMs + this.#firstOutputMs;
    return { startedMs, endedMs, firstOutputMs };
  }
}

/** The reason of the abort if it is a short identifier, as in `controller.abort('barge_in')`. */
function reasonOf(signals: readonly (AbortSignal | undefined)[]): string | undefined {
  const reason: unknown = signals.findLast((signal) => signal?.aborted === true)?.reason;
  return typeof reason === 'string' && /^[\w.-]{1,64}$/.test(reason) ? reason : undefined;
}

/**
 * The innermost active step of `host` that is still open. Steps that ended are skipped: listeners and timers that they
 * started still run in their context, but are not part of them.
 */
function enclosingStep(active: Context, host: StepHost): StepSpan | undefined {
  const scope = findScope(active);
  if (scope?.host !== host) return undefined;
  // All steps of a host are of this class.
  let step = scope.step as StepSpan | undefined;
  while (step?.isEnded) step = step.enclosing;
  return step;
}
