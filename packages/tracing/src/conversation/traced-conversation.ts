import { ATTRIBUTE, CAPTURE_CONTENT_VARIABLE, isOutcome, processSettings } from '@convotel/conventions';
import type { ClassifyError } from '@convotel/conventions';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import { activeContext, runInContext } from '../guards/context.ts';
import { readOptions, signalFrom } from '../guards/untrusted-values.ts';
import { endSpan, isInTrace } from '../guards/spans.ts';
import type { SpanEnding } from '../guards/spans.ts';
import { epochMsFrom, epochMsOf, epochNowMs, hrTimeOf } from '../guards/times.ts';
import { warnOnce } from '../guards/warnings.ts';
import { limitMsFrom, maxOpenMsOf, openWork } from '../step/open-work.ts';
import type { OpenItem } from '../step/open-work.ts';
import { endingOfError } from '../step/outcome-of-error.ts';
import { recordStep } from '../step/record-step.ts';
import { SpanAttributes } from '../step/step-attributes.ts';
import { findScope, scopedContext } from '../step/step-host.ts';
import type { HostedStep, StepHost, StepTimes } from '../step/step-host.ts';
import type { Carrier, RecordedStep, Step, StepHandle, StepOptions } from '../step/step-options.ts';
import { StepSpan } from '../step/step-span.ts';
import { NonRecordingStep } from '../step/step.ts';
import { deliverMissedResults, traceStep } from '../step/trace-step.ts';
import type { StartedStep } from '../step/trace-step.ts';
import { carrierOf, readTraceparent } from './carrier.ts';
import type { CarriedConversation } from './carrier.ts';
import type {
  Conversation,
  ConversationHandle,
  EndConversationOptions,
  JoinConversationOptions,
} from './conversation-options.ts';
import { ConversationOutcome, ClassifiedErrors } from './conversation-outcome.ts';
import { contextForOutermostStep, linkBothWays, releaseSpan } from './origin.ts';
import type { ConversationOrigin, OwnedRoot } from './origin.ts';
import { ResponseLatency } from './response-latency.ts';

/** How and when a conversation was requested to end; without an ending, the outcome follows from its steps. */
interface RequestedEnd {
  ending: SpanEnding | undefined;
  endedMs: number | undefined;
}

/** A lazy result of the callback that nothing has consumed yet. */
interface UnconsumedResult {
  /** See {@link ResultObserver.awaitsConsumer}. */
  readonly headMs: number | undefined;
}

/**
 * A conversation: its steps and, unless another process ends it, its root span. The root ends once, when the end was
 * requested and no step is open. A step that starts later still becomes a child of it.
 */
export class TracedConversation implements ConversationHandle, StepHost, OpenItem {
  readonly id: string;
  readonly workflow: string | undefined;
  readonly sessionId: string | undefined;
  readonly tracer: Tracer;
  readonly isPrivate: boolean;
  readonly parentSpan: Span;
  readonly outermostDepth: number;
  readonly capturesContent: boolean;
  readonly signal: AbortSignal | undefined;
  readonly classifyError: ClassifyError | undefined;
  readonly maxOpenMs: number;
  readonly endsWithOthers = true;
  openQueue: OpenItem['openQueue'];
  openBefore: OpenItem | undefined;
  openAfter: OpenItem | undefined;
  openSinceMs = 0;

  readonly #origin: ConversationOrigin;
  readonly #attributes = new SpanAttributes();
  readonly #outcome = new ConversationOutcome();
  readonly #latency: ResponseLatency;
  readonly #classifiedErrors = new ClassifiedErrors();
  /** Whether anything can be recorded; false without a provider. */
  readonly #isInTrace: boolean;
  /** Undefined in a process that joined the conversation, and after the root was handed off. */
  #root: OwnedRoot | undefined;
  #nonRecordingStep: NonRecordingStep | undefined;
  #openSteps = 0;
  #waitingSteps: Set<HostedStep> | undefined;
  #requestedEnd: RequestedEnd | undefined;
  #unconsumedResult: UnconsumedResult | undefined;
  /** Whether the callback returned a stream that was not read to its end. */
  #isResultIncomplete = false;
  #hasEnded = false;

  constructor(origin: ConversationOrigin, options: Partial<JoinConversationOptions> & { attributes?: unknown }) {
    this.#origin = origin;
    this.id = origin.id;
    this.workflow = origin.workflow;
    this.sessionId = origin.sessionId;
    this.tracer = origin.tracer;
    this.isPrivate = origin.isPrivate;
    this.parentSpan = origin.parentSpan;
    this.outermostDepth = origin.outermostDepth;
    this.capturesContent = capturesContent(options.captureContent);
    this.signal = signalFrom(options.signal);
    this.classifyError = typeof options.classifyError === 'function' ? options.classifyError : undefined;
    this.maxOpenMs = maxOpenMsOf(limitMsFrom(options.maxOpenMs, 'maxOpenMs'));
    this.#root = origin.root;
    this.#latency = new ResponseLatency(origin.beganMs);
    this.#isInTrace = isInTrace(origin.parentSpan);
    this.#attributes.add(options.attributes);
    openWork().add(this, this.maxOpenMs, performance.now());
  }

  step<Result>(name: string, run: (step: Step) => Result): Result;
  step<Result>(name: string, options: StepOptions | undefined, run: (step: Step) => Result): Result;
  step<Result>(
    name: string,
    optionsOrRun: StepOptions | undefined | ((step: Step) => Result),
    run?: (step: Step) => Result,
  ): Result {
    const options = run === undefined ? undefined : (optionsOrRun as StepOptions | undefined);
    const started = this.beginStep(name, options);
    const call = (run ?? optionsOrRun) as (step: Step) => Result;
    return started === undefined ? call(this.nonRecordingStep) : traceStep(started, call);
  }

  beginStep(name: string, options: StepOptions | undefined): StartedStep | undefined {
    // Even without a provider, a program may rely on the signal of a step.
    if (!this.#isInTrace && NonRecordingStep.canStandFor(options)) return undefined;
    try {
      return new StepSpan(this, name, options);
    } catch {
      // A stack overflow; the program's function alone may still fit.
      return undefined;
    }
  }

  get nonRecordingStep(): NonRecordingStep {
    return (this.#nonRecordingStep ??= new NonRecordingStep(this));
  }

  startStep(name: string, options?: StepOptions): StepHandle {
    return new StepSpan(this, name, options);
  }

  recordStep(name: string, recorded: RecordedStep): void {
    recordStep(this, name, recorded);
  }

  set(attributes: Attributes): void {
    this.#attributes.add(attributes);
  }

  run<Result>(run: (conversation: Conversation) => Result): Result {
    return runInContext(this.#contextInside(undefined), run, this);
  }

  bind<This, Arguments extends unknown[], Result>(
    run: (this: This, ...args: Arguments) => Result,
  ): (this: This, ...args: Arguments) => Result {
    const scope = findScope(activeContext());
    const step = scope?.host === this ? (scope.step as StepSpan | undefined) : undefined;
    if (step !== undefined) return step.bind(run);
    const contextInside = (): Context => this.#contextInside(undefined);
    return function bound(this: This, ...args: Arguments): Result {
      return runInContext(contextInside(), () => run.apply(this, args), undefined);
    };
  }

  #contextInside(step: HostedStep | undefined): Context {
    return scopedContext(activeContext(), this.parentSpan, this, step);
  }

  parentContext(active: Context): Context {
    return contextForOutermostStep(this.#origin, active);
  }

  inputEnded(at?: Date | number): void {
    const endedMs = at === undefined ? epochNowMs() : epochMsFrom(at, 'inputEnded() is ignored: its time');
    if (endedMs !== undefined) this.#latency.inputEnded(endedMs);
  }

  carrier(): Carrier {
    const scope = findScope(activeContext());
    let step = scope?.host === this ? (scope.step as StepSpan | undefined) : undefined;
    while (step?.isEnded) step = step.enclosing;
    return step === undefined ? this.carrierBelow(this.parentSpan, this.outermostDepth) : step.carrier();
  }

  carrierBelow(parent: Span, depth: number): Carrier {
    return carrierOf(this.#carriedBelow(parent, depth));
  }

  #carriedBelow(parent: Span, depth: number): CarriedConversation {
    return {
      id: this.id,
      workflow: this.workflow,
      sessionId: this.sessionId,
      parent: isInTrace(parent) ? parent.spanContext() : undefined,
      depth,
      inputEndMs: this.#latency.inputEndBefore(epochNowMs()),
    };
  }

  handOff(): Carrier {
    const carried = this.#carriedBelow(this.parentSpan, this.outermostDepth);
    const root = this.#root;
    if (root === undefined || this.#hasEnded) {
      warnOnce(
        'hand off',
        'handOff() has no effect: the root span of this conversation has ended, or belongs to another process',
      );
      return carrierOf(carried);
    }
    if (this.#attributes.program !== undefined) {
      warnOnce(
        'handed-off attributes',
        "handOff() does not transfer the program's own attributes; set them in the process that ends the conversation",
      );
    }
    this.#root = undefined;
    releaseSpan(root.span);
    return carrierOf({ ...carried, rootStartMs: root.startedMs });
  }

  continueFrom(headers: unknown): void {
    const other = readTraceparent(headers);
    if (other !== undefined && this.#isInTrace) linkBothWays(this.#origin, other);
  }

  stepStarted(_step: HostedStep, responds: boolean | undefined): void {
    this.#openSteps += 1;
    if (responds === true) this.#latency.hasResponder = true;
  }

  stepAwaitsConsumer(step: HostedStep): void {
    this.#openSteps -= 1;
    (this.#waitingSteps ??= new Set()).add(step);
    this.#endWhenOver();
  }

  stepConsumptionStarted(step: HostedStep): void {
    this.#openSteps += 1;
    this.#waitingSteps?.delete(step);
  }

  responseLatencyOf(
    step: HostedStep,
    responds: boolean | undefined,
    times: StepTimes,
    ending: SpanEnding,
  ): number | undefined {
    return this.#latency.ofStep(step, responds, times, ending);
  }

  stepEnded(step: HostedStep, times: StepTimes, ending: SpanEnding, wasWaiting: boolean): void {
    this.#latency.stepEnded(step, this.outermostDepth, times);
    if (step.depth === 0) this.#outcome.add(step, times, ending);
    if (wasWaiting) this.#waitingSteps?.delete(step);
    else this.#openSteps -= 1;
    this.#endWhenOver();
  }

  errorClassified(error: unknown, step: HostedStep, ending: SpanEnding): void {
    this.#classifiedErrors.add(error, step, ending);
  }

  findEndingOf(error: unknown, step: HostedStep | undefined): SpanEnding | undefined {
    return this.#classifiedErrors.find(error, step);
  }

  end(options: EndConversationOptions = {}): void {
    const { endTime, outcome, error } = readOptions(options);
    const classified = error === undefined ? undefined : this.#endingOf(error);
    const ending = isOutcome(outcome) ? { ...classified, outcome } : classified;
    const endedMs =
      endTime === undefined ? undefined : epochMsFrom(endTime, 'The endTime of a conversation is ignored: it');
    this.#endAs({ ending, endedMs });
  }

  /** Ends the conversation because `error` was thrown, whatever its value. */
  endByError(error: unknown): void {
    this.#endAs({ ending: this.#endingOf(error), endedMs: undefined });
  }

  /** Ends the conversation because the callback's result was not read to its end. */
  endByCancellation(): void {
    this.#isResultIncomplete = true;
    this.#endAs({ ending: undefined, endedMs: undefined });
  }

  /** `result`: the callback's result is lazy and waits for a consumer; `undefined` once it is consumed. */
  setUnconsumedResult(result: UnconsumedResult | undefined): void {
    this.#unconsumedResult = result;
  }

  #endingOf(error: unknown): SpanEnding {
    return endingOfError(error, {
      classifiers: [this.classifyError],
      isInterrupted: false,
      signals: [this.signal],
      innerEnding: this.findEndingOf(error, undefined),
    });
  }

  [Symbol.dispose](): void {
    this.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
  }

  /** Only the first call counts. */
  #endAs(requestedEnd: RequestedEnd): void {
    this.#requestedEnd ??= requestedEnd;
    deliverMissedResults(() => openWork().items());
    this.#endWhenOver();
  }

  #endWhenOver(): void {
    if (this.#requestedEnd === undefined || this.#openSteps > 0 || this.#hasEnded) return;
    this.#endNow(this.#requestedEnd.ending, this.#requestedEnd.endedMs);
  }

  #endingBySteps(): SpanEnding {
    const ending = this.#outcome.ending();
    return this.#isResultIncomplete && ending.outcome === 'completed' ? { outcome: 'interrupted' } : ending;
  }

  limitReached(): void {
    this.abandon(`still open after ${this.maxOpenMs} ms`);
  }

  abandon(message: string): void {
    if (this.#hasEnded) return;
    const requested = this.#requestedEnd;
    if (requested === undefined && this.#unconsumedResult !== undefined) {
      // A lazy result that was never consumed did not hang.
      const { headMs } = this.#unconsumedResult;
      this.#isResultIncomplete = headMs === undefined;
      this.#endNow(undefined, headMs === undefined ? undefined : epochMsOf(headMs));
      return;
    }
    const abandoned: SpanEnding = { outcome: 'abandoned', errorType: 'abandoned', message };
    this.#endNow(requested?.ending ?? abandoned, requested?.endedMs);
  }

  #endNow(requested: SpanEnding | undefined, endedMs: number | undefined): void {
    this.#hasEnded = true;
    openWork().remove(this);
    // Lazy results that were never consumed, such as a query that was not run, end with the conversation.
    for (const step of this.#waitingSteps ?? []) step.endUnconsumed();
    if (this.#root === undefined) return;
    const { span, startedMs, hasGivenStart } = this.#root;
    const ending = requested ?? this.#endingBySteps();
    const { own, program } = this.#attributes;
    const latencySeconds = this.#latency.ofConversation();
    if (latencySeconds !== undefined) own[ATTRIBUTE.responseLatency] = latencySeconds;
    const reason = ending.outcome === 'interrupted' ? this.#outcome.interruptionReason : undefined;
    if (reason !== undefined) own[ATTRIBUTE.interruptionReason] = reason;
    const endMs = endedMs ?? (hasGivenStart ? Math.max(startedMs, epochNowMs()) : undefined);
    endSpan(span, own, program, ending, endMs === undefined ? undefined : hrTimeOf(endMs));
  }
}

let capturesByEnvironment: boolean | undefined;

/**
 * Whether texts may be written to spans: the option of the conversation, else of the process, else the environment
 * variable, else false.
 */
function capturesContent(option: boolean | undefined): boolean {
  if (typeof option === 'boolean') return option;
  return (
    processSettings().captureContent ??
    (capturesByEnvironment ??= process.env[CAPTURE_CONTENT_VARIABLE]?.trim().toLowerCase() === 'true')
  );
}
