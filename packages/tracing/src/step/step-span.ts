import { INVALID_SPAN_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import type { Attributes, Context, HrTime, Span, SpanOptions, TimeInput } from '@opentelemetry/api';
import { ATTRIBUTE } from '@convotel/conventions';
import { findScope, withScope } from '../conversation/active-scope.ts';
import type { TracedConversation } from '../conversation/traced-conversation.ts';
import { activeContext } from '../safety/active-context.ts';
import { endSpan } from '../safety/end-span.ts';
import type { SpanEnding } from '../safety/end-span.ts';
import { reportTrouble } from '../safety/report-trouble.ts';
import { runInContext } from '../safety/run-in-context.ts';
import { addSafeAttributes } from '../safety/safe-attributes.ts';
import type { ResultDetails, ResultObserver } from '../results/result-observer.ts';
import { outcomeOfError } from './outcome-of-error.ts';
import {
  addInput,
  addOptionAttributes,
  addOutput,
  addResultDetails,
  addTimeToFirstOutput,
  addTiming,
  addUsage,
} from './step-attributes.ts';
import type { Step, StepOptions, TokenUsage } from './step-options.ts';

const COMPLETED: SpanEnding = { outcome: 'completed' };
const INTERRUPTED: SpanEnding = { outcome: 'interrupted' };

/** Name of a step that was given none. */
const NAMELESS = 'unnamed';

/**
 * One step's span, from its start to its end. What is known about the step is gathered here and written when it ends,
 * so OpenTelemetry is called twice a step, and what it throws stops here.
 */
export class StepSpan implements Step, ResultObserver {
  readonly conversation: TracedConversation;
  readonly name: string;
  readonly attempt: number;
  /** The open step inside which this one runs. */
  readonly enclosing: StepSpan | undefined;
  /** 0 for an outermost step. */
  readonly depth: number;
  /** The context in which the step's function runs. */
  readonly context: Context;
  isEnded = false;

  readonly #span: Span;
  readonly #startedMs = performance.now();
  readonly #attributes: Attributes = {};
  #callerContext: Context | undefined;
  #hasOutput = false;
  #isInterrupted = false;
  /** Nothing is under way until somebody asks for the result. */
  #isWaiting = false;
  /** Where the head of the result is one of its own: when it was there, as `performance.now()` reads. */
  #headMs: number | undefined;

  /** `startTime` is only for a step that is already over; then {@link StepSpan.end} needs its end time too. */
  constructor(conversation: TracedConversation, name: string, options: StepOptions | undefined, startTime?: HrTime) {
    this.conversation = conversation;
    this.name = typeof name === 'string' && name !== '' ? name : NAMELESS;
    const active = activeContext();
    this.#callerContext = active;
    this.enclosing = enclosingStep(active, conversation);
    this.depth = this.enclosing === undefined ? 0 : this.enclosing.depth + 1;
    const kind = this.#readOptions(options);
    this.attempt = (this.#attributes[ATTRIBUTE.stepAttempt] as number | undefined) ?? 1;
    const parent = this.enclosing === undefined ? conversation.rootSpan : this.enclosing.#span;
    const below = trace.getSpan(active) === parent ? active : trace.setSpan(active, parent);
    this.#span = this.#startSpan(below, kind, startTime);
    this.context = withScope(trace.setSpan(active, this.#span), { conversation, step: this });
    conversation.stepStarted();
  }

  #readOptions(options: StepOptions | undefined): SpanKind {
    try {
      addOptionAttributes(this.#attributes, this.name, options, this.conversation.capturesContent);
      return options?.kind === 'client' ? SpanKind.CLIENT : SpanKind.INTERNAL;
    } catch (error) {
      reportTrouble('reading the options of a step', error);
      return SpanKind.INTERNAL;
    }
  }

  #startSpan(parent: Context, kind: SpanKind, startTime: HrTime | undefined): Span {
    try {
      const { id, sessionId, tracer } = this.conversation;
      const attributes: Attributes = { [ATTRIBUTE.conversationId]: id, [ATTRIBUTE.stepName]: this.name };
      if (this.depth > 0) attributes[ATTRIBUTE.stepDepth] = this.depth;
      if (sessionId !== undefined) {
        this.#attributes[ATTRIBUTE.sessionId] = sessionId;
        this.#attributes[ATTRIBUTE.genAiConversationId] = sessionId;
      }
      const spanOptions: SpanOptions = { kind, attributes };
      if (startTime !== undefined) spanOptions.startTime = startTime;
      return tracer.startSpan(this.name, spanOptions, parent);
    } catch (error) {
      reportTrouble('starting the span of a step', error);
      return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    }
  }

  input(text: string): void {
    addInput(this.#attributes, text, this.conversation.capturesContent);
  }

  output(text: string): void {
    this.#hasOutput = true;
    addOutput(this.#attributes, text, this.conversation.capturesContent);
  }

  usage(usage: TokenUsage): void {
    try {
      addUsage(this.#attributes, usage);
    } catch (error) {
      reportTrouble('reading the usage of a step', error);
    }
  }

  timing(part: string, length: { seconds: number }): void {
    try {
      addTiming(this.#attributes, part, length?.seconds);
    } catch (error) {
      reportTrouble('reading a timing of a step', error);
    }
  }

  firstOutput(): void {
    if (this.#attributes[ATTRIBUTE.timeToFirstOutput] !== undefined) return;
    this.timeToFirstOutput((performance.now() - this.#startedMs) / 1000);
  }

  /** Sets the time from the step's start to its first output, where it was measured elsewhere. */
  timeToFirstOutput(seconds: number | undefined): void {
    addTimeToFirstOutput(this.#attributes, seconds);
  }

  set(attributes: Attributes): void {
    addSafeAttributes(this.#attributes, attributes);
  }

  interrupted(reason?: string): void {
    this.#isInterrupted = true;
    if (typeof reason === 'string') this.#attributes[ATTRIBUTE.interruptionReason] = reason;
  }

  get label(): string {
    return `the step ${JSON.stringify(this.name)}`;
  }

  get isOver(): boolean {
    return this.isEnded;
  }

  get keepsText(): boolean {
    return this.conversation.capturesContent;
  }

  runInside<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Result {
    return runInContext(this.context, run, argument);
  }

  runOutside<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Result {
    return this.#callerContext === undefined ? run(argument) : runInContext(this.#callerContext, run, argument);
  }

  waits(headMs?: number): void {
    if (this.isEnded || this.#isWaiting) return;
    this.#isWaiting = true;
    this.#headMs = headMs;
    this.conversation.stepWaits(this);
  }

  begins(): void {
    if (this.isEnded || !this.#isWaiting) return;
    this.#isWaiting = false;
    this.conversation.stepBegins(this);
  }

  /** The conversation ends, and nobody asked for the result. */
  neverAsked(): void {
    if (this.#headMs === undefined) this.end(INTERRUPTED);
    else this.end(this.#isInterrupted ? INTERRUPTED : COMPLETED, this.#headMs);
  }

  /** What the program said itself is not replaced. */
  describe(details: ResultDetails): void {
    addResultDetails(this.#attributes, details, this.#hasOutput);
    if (details.outputChars !== undefined) this.#hasOutput = true;
  }

  returned(value: unknown): void {
    if (!this.#hasOutput) addOutput(this.#attributes, value, this.conversation.capturesContent);
    this.end(this.#isInterrupted ? INTERRUPTED : COMPLETED);
  }

  threw(error: unknown): void {
    this.end(this.#isInterrupted ? INTERRUPTED : outcomeOfError(error));
  }

  leftEarly(): void {
    this.end(INTERRUPTED);
  }

  /** Ends the span; only the first call counts. */
  end(ending: SpanEnding, endTime?: TimeInput): void {
    if (this.isEnded) return;
    this.isEnded = true;
    // It holds the step in which this one was called, if only in a callback: a chain, where each starts the next.
    this.#callerContext = undefined;
    endSpan(this.#span, this.#attributes, ending, endTime);
    this.conversation.stepEnded(this, ending);
  }
}

/**
 * The innermost step of `conversation` that is active and still open. One that is over is passed by: what it left
 * behind (a socket's listener, a timer) still runs in its context, but not inside it.
 */
function enclosingStep(active: Context, conversation: TracedConversation): StepSpan | undefined {
  const scope = findScope(active);
  if (scope?.conversation !== conversation) return undefined;
  let { step } = scope;
  while (step?.isEnded) step = step.enclosing;
  return step;
}
