import { INVALID_SPAN_CONTEXT, trace } from '@opentelemetry/api';
import type { Attributes, Context, HrTime, Link, Span, SpanOptions, Tracer } from '@opentelemetry/api';
import {
  ATTRIBUTE,
  CONVERSATION_OPERATION,
  CONVERSATION_SPAN_NAME,
  isConversationId,
  newConversationId,
  SCHEMA_VERSION,
} from '@convotel/conventions';
import { activeContext } from '../safety/active-context.ts';
import { endSpan } from '../safety/end-span.ts';
import type { SpanEnding } from '../safety/end-span.ts';
import { epochTimeOf } from '../safety/epoch-time.ts';
import { reportTrouble } from '../safety/report-trouble.ts';
import { readOptions } from '../safety/read-options.ts';
import { runInContext } from '../safety/run-in-context.ts';
import { addSafeAttributes } from '../safety/safe-attributes.ts';
import { safeTracer } from '../safety/safe-tracer.ts';
import { endingOf, recordStep } from '../step/record-step.ts';
import type { RecordedStep, Step, StepOptions } from '../step/step-options.ts';
import type { StepSpan } from '../step/step-span.ts';
import { traceStep } from '../step/trace-step.ts';
import { withScope } from './active-scope.ts';
import { capturesContent } from './content-capture.ts';
import type {
  Conversation,
  ConversationHandle,
  EndConversationOptions,
  StartConversationOptions,
} from './conversation-options.ts';
import { StepEndings } from './step-endings.ts';

/** When a conversation was said to end, and how; where nobody told how, its steps do. */
interface ConversationEnding {
  told?: SpanEnding | undefined;
  endTime?: HrTime | undefined;
}

/**
 * A conversation and its root span, which ends once: when the conversation was said to be over and no step is open.
 * A step that starts after that still becomes a span below the root.
 */
export class TracedConversation implements ConversationHandle {
  readonly id: string;
  readonly sessionId: string | undefined;
  readonly capturesContent: boolean;
  readonly tracer: Tracer;
  readonly rootSpan: Span;

  readonly #startTime: HrTime | undefined;
  readonly #rootAttributes: Attributes = {};
  readonly #stepEndings = new StepEndings();
  readonly #waitingSteps = new Set<StepSpan>();
  #openSteps = 0;
  #ending: ConversationEnding | undefined;
  #hasEnded = false;

  constructor(given: StartConversationOptions) {
    const options = readOptions(given);
    this.id = idFrom(options.conversationId);
    this.sessionId = textFrom(options.sessionId);
    this.capturesContent = capturesContent(options.captureContent);
    this.#startTime = startTimeFrom(options.startTime);
    this.tracer = safeTracer(options.tracerProvider);
    this.rootSpan = this.#startRoot(options);
  }

  #startRoot(options: StartConversationOptions): Span {
    try {
      const attributes: Attributes = {};
      addSafeAttributes(attributes, options.attributes);
      attributes[ATTRIBUTE.conversationId] = this.id;
      attributes[ATTRIBUTE.schemaVersion] = SCHEMA_VERSION;
      attributes[ATTRIBUTE.operation] = CONVERSATION_OPERATION;
      const workflow = textFrom(options.workflow);
      if (workflow !== undefined) attributes[ATTRIBUTE.workflow] = workflow;
      if (this.sessionId !== undefined) {
        attributes[ATTRIBUTE.sessionId] = this.sessionId;
        attributes[ATTRIBUTE.genAiConversationId] = this.sessionId;
      }
      const active = activeContext();
      const spanOptions: SpanOptions = { root: true, attributes, links: linksTo(active) };
      if (this.#startTime !== undefined) spanOptions.startTime = this.#startTime;
      return this.tracer.startSpan(CONVERSATION_SPAN_NAME, spanOptions, active);
    } catch (error) {
      reportTrouble('starting the span of a conversation', error);
      return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    }
  }

  step<Result>(name: string, run: (step: Step) => Result): Result;
  step<Result>(name: string, options: StepOptions, run: (step: Step) => Result): Result;
  step<Result>(
    name: string,
    optionsOrRun: StepOptions | ((step: Step) => Result),
    run?: (step: Step) => Result,
  ): Result {
    if (run === undefined) return traceStep(this, name, undefined, optionsOrRun as (step: Step) => Result);
    return traceStep(this, name, optionsOrRun as StepOptions, run);
  }

  recordStep(name: string, recorded: RecordedStep): void {
    recordStep(this, name, recorded);
  }

  set(attributes: Attributes): void {
    addSafeAttributes(this.#rootAttributes, attributes);
  }

  run<Result>(run: (conversation: Conversation) => Result): Result {
    return runInContext(this.#contextOn(activeContext()), run, this);
  }

  #contextOn(active: Context): Context {
    return withScope(trace.setSpan(active, this.rootSpan), { conversation: this, step: undefined });
  }

  end(options: EndConversationOptions = {}): void {
    const { endTime, outcome, error } = readOptions(options);
    const isTold = outcome !== undefined || error !== undefined;
    this.endWith({ told: isTold ? endingOf(outcome, error) : undefined, endTime: epochTimeOf(endTime) });
  }

  /** Says that the conversation is over, and how; only the first call counts. */
  endWith(ending: ConversationEnding): void {
    this.#ending ??= ending;
    this.#endRootWhenOver();
  }

  /** Counts a step that is now open. */
  stepStarted(): void {
    this.#openSteps += 1;
  }

  /** A step whose result nobody has asked for does not keep the conversation open. */
  stepWaits(step: StepSpan): void {
    this.#openSteps -= 1;
    this.#waitingSteps.add(step);
    this.#endRootWhenOver();
  }

  /** Counts a step that waited and is now under way. */
  stepBegins(step: StepSpan): void {
    if (this.#waitingSteps.delete(step)) this.#openSteps += 1;
  }

  /** Counts a step that is over. */
  stepEnded(step: StepSpan, ending: SpanEnding): void {
    if (!this.#waitingSteps.delete(step)) this.#openSteps -= 1;
    if (step.depth === 0) this.#stepEndings.add(step.name, step.attempt, ending);
    this.#endRootWhenOver();
  }

  #endRootWhenOver(): void {
    if (this.#ending === undefined || this.#openSteps > 0 || this.#hasEnded) return;
    this.#hasEnded = true;
    for (const step of this.#waitingSteps) step.neverAsked();
    const { told, endTime } = this.#ending;
    const ending = told ?? this.#stepEndings.worst();
    endSpan(this.rootSpan, this.#rootAttributes, ending, endTime ?? this.#presentAfterGivenStart());
  }

  /** A span with a given start needs a given end: its monotonic clock began when it was made. */
  #presentAfterGivenStart(): HrTime | undefined {
    return this.#startTime === undefined ? undefined : epochTimeOf(Date.now());
  }
}

function idFrom(option: unknown): string {
  if (option === undefined) return newConversationId();
  if (isConversationId(option)) return option;
  const id = newConversationId();
  reportTrouble(`a conversation id is a string of 1 to 128 characters; ${id} was made instead of the one given`);
  return id;
}

function textFrom(option: unknown): string | undefined {
  return typeof option === 'string' && option !== '' ? option : undefined;
}

function startTimeFrom(option: unknown): HrTime | undefined {
  const startTime = epochTimeOf(option);
  if (option !== undefined && startTime === undefined) {
    reportTrouble('startTime is neither a valid Date nor milliseconds since the epoch; the conversation starts now');
  }
  return startTime;
}

/** A conversation is the root of its own trace; the span that was active when it began is linked. */
function linksTo(active: Context): Link[] {
  const span = trace.getSpan(active);
  return span === undefined ? [] : [{ context: span.spanContext() }];
}
