import { ATTRIBUTE, CAPTURE_CONTENT_VARIABLE, isOutcome, processSettings } from '@convotel/conventions';
import type { ClassifyError } from '@convotel/conventions';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import { activeContext, runInContext } from '../guards/context.ts';
import { readOptions, signalFrom } from '../guards/given-values.ts';
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
import { PlainStep } from '../step/step.ts';
import { hearTheUnheard, traceStep } from '../step/trace-step.ts';
import type { StartedStep } from '../step/trace-step.ts';
import { carrierOf, readTraceparent } from './carrier.ts';
import type { CarriedConversation } from './carrier.ts';
import type {
  Conversation,
  ConversationHandle,
  EndConversationOptions,
  JoinConversationOptions,
} from './conversation-options.ts';
import { ConversationOutcome, JudgedErrors } from './conversation-outcome.ts';
import { contextForOutermostStep, linkBothWays, releaseSpan } from './origin.ts';
import type { ConversationOrigin, OwnedRoot } from './origin.ts';
import { ResponseLatency } from './response-latency.ts';

/** When a conversation was said to end, and how; where nobody told how, its steps do. */
interface ToldEnding {
  ending: SpanEnding | undefined;
  endedMs: number | undefined;
}

/** What the callback returned, while nobody has asked for it. */
interface WaitingResult {
  /** Where what is there already is a result of its own, the head of an HTTP response: when it was there, by `performance.now()`. */
  readonly headMs: number | undefined;
}

/**
 * A conversation: its steps, and its root span where that belongs to this process. The root ends once, when the
 * conversation was said to be over and no step is open. A step that starts after that still becomes a span below it.
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
  readonly #judgedErrors = new JudgedErrors();
  /** Whether anything can be recorded; not without a provider. */
  readonly #isInTrace: boolean;
  /** Undefined in a process that joined the conversation, and after the root was handed off. */
  #root: OwnedRoot | undefined;
  #plainStep: PlainStep | undefined;
  #openSteps = 0;
  #waitingSteps: Set<HostedStep> | undefined;
  #told: ToldEnding | undefined;
  #waitingResult: WaitingResult | undefined;
  /** The result was not read to its end. */
  #isLeft = false;
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
    return started === undefined ? call(this.plainStep) : traceStep(started, call);
  }

  beginStep(name: string, options: StepOptions | undefined): StartedStep | undefined {
    // Without a provider, too, a program may rely on the signal of a step.
    if (!this.#isInTrace && PlainStep.canStandFor(options)) return undefined;
    try {
      return new StepSpan(this, name, options);
    } catch {
      // Only the end of the stack comes here. Less of it is needed for the program's function alone.
      return undefined;
    }
  }

  get plainStep(): PlainStep {
    return (this.#plainStep ??= new PlainStep(this));
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
    run: (this: This, ...given: Arguments) => Result,
  ): (this: This, ...given: Arguments) => Result {
    const scope = findScope(activeContext());
    const step = scope?.host === this ? (scope.step as StepSpan | undefined) : undefined;
    if (step !== undefined) return step.bind(run);
    const contextInside = (): Context => this.#contextInside(undefined);
    return function bound(this: This, ...given: Arguments): Result {
      return runInContext(contextInside(), () => run.apply(this, given), undefined);
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
      warnOnce('hand off', 'handOff() was called on a conversation whose root is not, or no longer, of this process');
      return carrierOf(carried);
    }
    if (this.#attributes.program !== undefined) {
      warnOnce(
        'handed-off attributes',
        "handOff() gives the root away without the program's own attributes; set them where the conversation ends",
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

  stepWaits(step: HostedStep): void {
    this.#openSteps -= 1;
    (this.#waitingSteps ??= new Set()).add(step);
    this.#endWhenOver();
  }

  stepBegins(step: HostedStep): void {
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

  errorJudged(error: unknown, step: HostedStep, ending: SpanEnding): void {
    this.#judgedErrors.add(error, step, ending);
  }

  findJudgement(error: unknown, step: HostedStep | undefined): SpanEnding | undefined {
    return this.#judgedErrors.find(error, step);
  }

  end(given: EndConversationOptions = {}): void {
    const { endTime, outcome, error } = readOptions(given);
    const judged = error === undefined ? undefined : this.#endingOf(error);
    const ending = isOutcome(outcome) ? { ...judged, outcome } : judged;
    const endedMs = endTime === undefined ? undefined : epochMsFrom(endTime, 'A conversation ends now: its endTime');
    this.#endAs({ ending, endedMs });
  }

  /** Says that the conversation is over because `error` was thrown, whatever it is. */
  endByError(error: unknown): void {
    this.#endAs({ ending: this.#endingOf(error), endedMs: undefined });
  }

  /** Says that what the callback returned was not read to its end. */
  endByLeaving(): void {
    this.#isLeft = true;
    this.#endAs({ ending: undefined, endedMs: undefined });
  }

  /** What the callback returned waits for somebody who asks for it; `undefined` where somebody does. */
  resultWaits(waiting: WaitingResult | undefined): void {
    this.#waitingResult = waiting;
  }

  #endingOf(error: unknown): SpanEnding {
    return endingOfError(error, {
      classifiers: [this.classifyError],
      isInterrupted: false,
      signals: [this.signal],
      judgedInside: this.findJudgement(error, undefined),
    });
  }

  [Symbol.dispose](): void {
    this.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
  }

  /** Only the first call counts. */
  #endAs(told: ToldEnding): void {
    this.#told ??= told;
    hearTheUnheard(() => openWork().items());
    this.#endWhenOver();
  }

  #endWhenOver(): void {
    if (this.#told === undefined || this.#openSteps > 0 || this.#hasEnded) return;
    this.#endNow(this.#told.ending, this.#told.endedMs);
  }

  #endingBySteps(): SpanEnding {
    const ending = this.#outcome.ending();
    return this.#isLeft && ending.outcome === 'completed' ? { outcome: 'interrupted' } : ending;
  }

  limitReached(): void {
    this.abandon(`still open after ${this.maxOpenMs} ms`);
  }

  abandon(message: string): void {
    if (this.#hasEnded) return;
    const told = this.#told;
    if (told === undefined && this.#waitingResult !== undefined) {
      // Nobody came for it: that is no hang.
      const { headMs } = this.#waitingResult;
      this.#isLeft = headMs === undefined;
      this.#endNow(undefined, headMs === undefined ? undefined : epochMsOf(headMs));
      return;
    }
    const abandoned: SpanEnding = { outcome: 'abandoned', errorType: 'abandoned', message };
    this.#endNow(told?.ending ?? abandoned, told?.endedMs);
  }

  #endNow(told: SpanEnding | undefined, endedMs: number | undefined): void {
    this.#hasEnded = true;
    openWork().remove(this);
    // A query that nobody ran, a stream that nobody read: it is over with its conversation.
    for (const step of this.#waitingSteps ?? []) step.neverAsked();
    if (this.#root === undefined) return;
    const { span, startedMs, hasGivenStart } = this.#root;
    const ending = told ?? this.#endingBySteps();
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

/** Whether texts may be written to spans: the conversation decides, else the process, else the environment, else not. */
function capturesContent(option: boolean | undefined): boolean {
  if (typeof option === 'boolean') return option;
  return (
    processSettings().captureContent ??
    (capturesByEnvironment ??= process.env[CAPTURE_CONTENT_VARIABLE]?.trim().toLowerCase() === 'true')
  );
}
