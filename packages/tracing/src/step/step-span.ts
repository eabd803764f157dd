import { ATTRIBUTE } from '@convotel/conventions';
import type { ClassifyError, StepKind } from '@convotel/conventions';
import { SpanKind } from '@opentelemetry/api';
import type { Attributes, Context, Span, SpanOptions } from '@opentelemetry/api';
import { activeContext, runInContext } from '../guards/context.ts';
import { signalFrom } from '../guards/given-values.ts';
import { endSpan, startSpan } from '../guards/spans.ts';
import type { SpanEnding } from '../guards/spans.ts';
import { epochMsOf, hrTimeOf } from '../guards/times.ts';
import { reportTrouble } from '../guards/warnings.ts';
import type { ResultDetails } from '../results/recognized/client.ts';
import type { ResultOptions, StreamSoFar } from '../results/result-observer.ts';
import { limitMsFrom, openWork } from './open-work.ts';
import type { OpenItem } from './open-work.ts';
import { endingOfError } from './outcome-of-error.ts';
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
import { hearTheUnheard, traceStep } from './trace-step.ts';
import type { StartedStep, Unheard } from './trace-step.ts';

const COMPLETED: SpanEnding = { outcome: 'completed' };
const INTERRUPTED: SpanEnding = { outcome: 'interrupted' };

/** Name of a step that was given none. */
const NAMELESS = 'unnamed';

/** When a step that is already over was under way, in milliseconds since the epoch. */
export interface GivenTimes {
  startedMs: number;
  endedMs: number;
}

/**
 * One step's span, from its start to its end. What is known about the step is gathered here and written when it ends,
 * so OpenTelemetry is called twice a step, and what it throws stops here.
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
  openQueue: OpenItem['openQueue'];
  openBefore: OpenItem | undefined;
  openAfter: OpenItem | undefined;
  openSinceMs = 0;
  isStreamed = false;
  interruptionReason: string | undefined;
  unheard: Unheard | undefined;

  readonly #span: Span;
  /** By `performance.now()`. */
  readonly #startedMs: number;
  readonly #attributes = new SpanAttributes();
  readonly #given: GivenTimes | undefined;
  #spanKind = SpanKind.INTERNAL;
  #timeoutMs: number | undefined;
  #maxOpenMs: number | undefined;
  #givenSignal: AbortSignal | undefined;
  #responds: boolean | undefined;
  #classifyError: ClassifyError | undefined;
  #signal: StepSignal | undefined;
  /** What the signal is aborted with, once the time is up. */
  #timeout: DOMException | undefined;
  #firstOutputMs: number | undefined;
  #hasOutput = false;
  #isInterrupted = false;
  /** Nothing is under way until somebody asks for the result. */
  #isWaiting = false;
  /** Where what is there already is a result of its own: when it was there, by `performance.now()`. */
  #headMs: number | undefined;
  /** Streams of the result that are read. */
  #streams: StreamSoFar[] | undefined;
  /** Where the step's function was called; whoever consumes its result runs there. */
  #callerContext: Context | undefined;
  #ending: SpanEnding | undefined;
  #times: StepTimes | undefined;
  #isFinished = false;

  /** `given` is only for a step that is already over. */
  constructor(host: StepHost, name: string, options: StepOptions | undefined, given?: GivenTimes) {
    this.host = host;
    this.name = typeof name === 'string' && name !== '' ? name : NAMELESS;
    const named = namedStep(this.name);
    this.kind = named.kind;
    this.#given = given;
    this.resultOptions = options;
    const active = activeContext();
    if (given === undefined) this.#callerContext = active;
    this.enclosing = enclosingStep(active, host);
    this.depth = this.enclosing === undefined ? host.outermostDepth : this.enclosing.depth + 1;
    this.#readOptions(named, options);
    this.attempt = (this.#attributes.own[ATTRIBUTE.stepAttempt] as number | undefined) ?? 1;
    const parent =
      this.enclosing === undefined ? host.parentContext(active) : contextWithSpan(active, this.enclosing.#span);
    const spanOptions = this.#spanOptions();
    this.#startedMs = performance.now();
    if (given === undefined) this.#watch();
    try {
      // Last, because of all this it takes most of the stack: where that ends, no span is left without a step.
      this.#span = startSpan(host.tracer, this.name, spanOptions, parent);
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
      this.#givenSignal = signalFrom(options.signal);
      if (typeof options.responds === 'boolean') this.#responds = options.responds;
      if (typeof options.classifyError === 'function') this.#classifyError = options.classifyError;
    } catch (error) {
      reportTrouble('reading the options of a step', error);
    }
  }

  /** What must be known before the end: to a sampler, to metrics, and to a filter while the conversation is open. */
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
    if (this.#given !== undefined) options.startTime = hrTimeOf(this.#given.startedMs);
    return options;
  }

  #watch(): void {
    const maxOpenMs = this.#maxOpenMs ?? this.host.maxOpenMs;
    openWork().add(this, Math.min(this.#timeoutMs ?? maxOpenMs, maxOpenMs), this.#startedMs);
  }

  /** The signals that were given to the conversation, to this step and to the steps around it. */
  #signalsAround(): (AbortSignal | undefined)[] {
    const signals = [this.host.signal, this.#givenSignal];
    for (let step = this.enclosing; step !== undefined; step = step.enclosing) signals.push(step.#givenSignal);
    return signals;
  }

  /** The signals of steps around this one whose time may be up before its own. */
  #limitsAround(): AbortSignal[] {
    const signals: AbortSignal[] = [];
    for (let step = this.enclosing; step !== undefined; step = step.enclosing) {
      if (step.#timeoutMs !== undefined) signals.push(step.signal);
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
      reportTrouble('reading the usage of a step', error);
    }
  }

  timing(part: string, length: { seconds: number }): void {
    try {
      addTiming(this.#attributes.own, part, length?.seconds);
    } catch (error) {
      reportTrouble('reading a timing of a step', error);
    }
  }

  firstOutput(): void {
    if (this.#firstOutputMs !== undefined) return;
    this.#setFirstOutput(performance.now() - this.#startedMs);
  }

  /** Sets the time from the step's start to its first output, where it was measured elsewhere. */
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
    run: (this: This, ...given: Arguments) => Result,
  ): (this: This, ...given: Arguments) => Result {
    const { context } = this;
    return function bound(this: This, ...given: Arguments): Result {
      return runInContext(context, () => run.apply(this, given), undefined);
    };
  }

  runInside<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Result {
    return runInContext(this.context, run, argument);
  }

  runOutside<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Result {
    const caller = this.#callerContext;
    return caller === undefined || caller === activeContext() ? run(argument) : runInContext(caller, run, argument);
  }

  /** What the program said itself is not replaced. */
  describe(details: ResultDetails): void {
    addResultDetails(this.#attributes.own, details, this.#hasOutput);
    if (details.outputChars !== undefined) this.#hasOutput = true;
  }

  /**
   * A stream that is read may hang, or its reader may go away when the work is aborted and tell nobody. So the abort ends
   * the step; an error that comes from it later says the same.
   */
  streams(soFar: StreamSoFar): void {
    if (this.#ending !== undefined) return;
    const isFirst = this.#streams === undefined;
    (this.#streams ??= []).push(soFar);
    if (!isFirst || !this.#canBeAborted()) return;
    const { signal } = this;
    // Whoever begins to read after the abort means to go on: a stream that saves what was said, after a barge-in.
    signal.addEventListener('abort', () => this.#aborted(signal.reason), { once: true });
  }

  #canBeAborted(): boolean {
    return this.#signalsAround().some((signal) => signal !== undefined) || this.#limitsAround().length > 0;
  }

  #aborted(reason: unknown): void {
    if (this.#ending === undefined) this.threw(reason);
  }

  /** A stream that its client ends quietly when the work is aborted ends as the abort says. */
  leftEarly(): void {
    const aborted = this.#signalsAround().findLast((signal) => signal?.aborted === true);
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
    this.host.errorJudged(error, this, ending);
    this.endWith(ending);
  }

  /** How `error` ends this step, without ending it. */
  endingOf(error: unknown): SpanEnding {
    return endingOfError(error, {
      step: this,
      classifiers: [this.#classifyError, this.host.classifyError],
      isInterrupted: this.#isInterrupted,
      signals: this.#signalsAround(),
      judgedInside: this.host.findJudgement(error, this),
    });
  }

  waits(headMs?: number): void {
    if (this.#ending !== undefined || this.#isWaiting) return;
    this.#isWaiting = true;
    this.#headMs = headMs;
    this.host.stepWaits(this);
  }

  begins(): void {
    if (!this.#isWaiting || this.#ending !== undefined) return;
    this.#isWaiting = false;
    this.host.stepBegins(this);
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

  neverAsked(): void {
    const hasHead = this.#headMs !== undefined && !this.#isInterrupted;
    this.endWith(hasHead ? COMPLETED : INTERRUPTED, this.#headMs);
  }

  /** One that was interrupted, or never began, did not hang. */
  #endUnfinished(ending: SpanEnding): void {
    if (this.#isWaiting) this.neverAsked();
    else this.endWith(this.#isInterrupted ? INTERRUPTED : ending);
  }

  end(result?: unknown): void {
    if (result instanceof Error) this.threw(result);
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
    hearTheUnheard(() => openWork().items());
  }

  /** May be called again where it was cut off by the end of the stack. */
  #finish(ending: SpanEnding, times: StepTimes, endedMs: number | undefined): void {
    const { own, program } = this.#attributes;
    const latencySeconds = this.host.responseLatencyOf(this, this.#responds, times, ending);
    if (latencySeconds !== undefined) own[ATTRIBUTE.responseLatency] = latencySeconds;
    endSpan(this.#span, own, program, ending, this.#given === undefined ? endedMs : hrTimeOf(times.endedMs));
    openWork().remove(this);
    this.#isFinished = true;
    // It holds the step in which this one was called, if only in a callback: a chain, where each starts the next.
    this.#callerContext = undefined;
    this.#streams = undefined;
    this.host.stepEnded(this, times, ending, this.#isWaiting);
  }

  #timesUpTo(endedAtMs: number | undefined): StepTimes {
    const startedMs = this.#given?.startedMs ?? epochMsOf(this.#startedMs);
    const endedMs = this.#given?.endedMs ?? epochMsOf(endedAtMs ?? performance.now());
    const firstOutputMs = this.#firstOutputMs === undefined ? undefined : startedMs + this.#firstOutputMs;
    return { startedMs, endedMs, firstOutputMs };
  }
}

/** The word with which the program aborted the work: `controller.abort('barge_in')`. */
function reasonOf(signals: readonly (AbortSignal | undefined)[]): string | undefined {
  const reason: unknown = signals.findLast((signal) => signal?.aborted === true)?.reason;
  return typeof reason === 'string' && /^[\w.-]{1,64}$/.test(reason) ? reason : undefined;
}

/**
 * The innermost step of `host` that is active and still open. One that is over is passed by: what it left behind
 * (a socket's listener, a timer) still runs in its context, but not inside it.
 */
function enclosingStep(active: Context, host: StepHost): StepSpan | undefined {
  const scope = findScope(active);
  if (scope?.host !== host) return undefined;
  // A host makes all of its steps itself.
  let step = scope.step as StepSpan | undefined;
  while (step?.isEnded) step = step.enclosing;
  return step;
}
