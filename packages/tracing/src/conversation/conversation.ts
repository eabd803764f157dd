import { readOptions } from '../guards/given-values.ts';
import { epochMsFrom } from '../guards/times.ts';
import { followResult } from '../results/follow-result.ts';
import type { ResultObserver, ResultOptions } from '../results/result-observer.ts';
import type { Carrier } from '../step/step-options.ts';
import { StepSignal } from '../step/step-signal.ts';
import { readCarrier } from './carrier.ts';
import type {
  Conversation,
  ConversationHandle,
  ConversationOptions,
  JoinConversationOptions,
  StartConversationOptions,
} from './conversation-options.ts';
import { begunHere, joined, unrecorded } from './origin.ts';
import { TracedConversation } from './traced-conversation.ts';

/**
 * Runs one conversation inside a trace of its own, with `run` as the active conversation's function.
 * Returns exactly what `run` returns and throws exactly what it throws. Its root span ends when the result is over and
 * no step is open; a stream that `run` returns is over when it was read, so that the conversation lasts as long as the
 * program's client gets something from it. Its outcome is what `run` throws, else what its outermost steps say: a failure that was caught fails
 * the conversation, unless the step was retried or an outermost step that began after it completed.
 */
export function conversation<Result>(run: (conversation: Conversation) => Result): Result;
export function conversation<Result>(
  options: ConversationOptions | undefined,
  run: (conversation: Conversation) => Result,
): Result;
export function conversation<Result>(
  optionsOrRun: ConversationOptions | undefined | ((conversation: Conversation) => Result),
  runAfterOptions?: (conversation: Conversation) => Result,
): Result {
  if (runAfterOptions === undefined) return runOn(begin({}), optionsOrRun as (conversation: Conversation) => Result);
  return runOn(begin(optionsOrRun as ConversationOptions), runAfterOptions);
}

/**
 * Starts a conversation that the program ends itself, for pipelines that do not fit into one function and for
 * conversations of the past. Its outcome is what `end` is told, else what its outermost steps say, as of {@link conversation}.
 */
export function startConversation(options?: StartConversationOptions): ConversationHandle {
  return begin(options);
}

/**
 * Adds steps to a conversation that another process began: inside the step that made `carrier`, or below the root when
 * only the conversation's id is known. It makes no root, so a worker may join one conversation as often as it likes; with
 * what `handOff()` made, it ends the root. A carrier that is malformed is ignored with one warning, and its steps are not
 * recorded; `run` is called all the same. Without `run`, a handle whose `end()` says that this process is done.
 */
export function joinConversation(carrier: Carrier | string, options?: JoinConversationOptions): ConversationHandle;
export function joinConversation<Result>(
  carrier: Carrier | string,
  run: (conversation: Conversation) => Result,
): Result;
export function joinConversation<Result>(
  carrier: Carrier | string,
  options: JoinConversationOptions | undefined,
  run: (conversation: Conversation) => Result,
): Result;
export function joinConversation<Result>(
  carrier: Carrier | string,
  optionsOrRun?: JoinConversationOptions | ((conversation: Conversation) => Result),
  runAfterOptions?: (conversation: Conversation) => Result,
): Result | ConversationHandle {
  const hasOptions = typeof optionsOrRun !== 'function';
  const options = readOptions(hasOptions ? optionsOrRun : undefined);
  const run = hasOptions ? runAfterOptions : optionsOrRun;
  const carried = readCarrier(carrier);
  const traced = new TracedConversation(carried === undefined ? unrecorded() : joined(carried, options), options);
  return run === undefined ? traced : runOn(traced, run);
}

function begin(given: StartConversationOptions | undefined): TracedConversation {
  const options = readOptions(given);
  const { startTime, continueFrom } = options;
  const startedMs =
    startTime === undefined ? undefined : epochMsFrom(startTime, 'A conversation starts now: its startTime');
  const traced = new TracedConversation(begunHere(options, startedMs), options);
  if (continueFrom !== undefined) traced.continueFrom(continueFrom);
  return traced;
}

/** What a result says about a model belongs to the step that asked it. */
const READ_BY_STEPS: ResultOptions = { recognize: false };

function runOn<Result>(traced: TracedConversation, run: (conversation: Conversation) => Result): Result {
  let result: Result;
  try {
    result = traced.run(run);
  } catch (error) {
    traced.endByError(error);
    throw error;
  }
  return followResult(result, new ConversationResult(traced), READ_BY_STEPS);
}

/** Ends a conversation with what its callback returned: a promise when it settles, a stream when it was read. */
export class ConversationResult implements ResultObserver {
  readonly label = 'the conversation';
  readonly keepsText = false;
  isOver = false;
  readonly #conversation: TracedConversation;
  /** Kept for as long as the stream is read. */
  #signal: StepSignal | undefined;

  constructor(conversation: TracedConversation) {
    this.#conversation = conversation;
  }

  /** A generator that the callback returned runs inside the conversation, so that the free `step()` belongs to it. */
  runInside<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Result {
    return this.#conversation.run(() => run(argument));
  }

  runOutside<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Result {
    return run(argument);
  }

  waits(headMs?: number): void {
    this.#conversation.resultWaits({ headMs });
  }

  begins(): void {
    this.#conversation.resultWaits(undefined);
  }

  /** Whoever reads the stream may go away when the conversation is aborted, and tell nobody. */
  streams(): void {
    const { signal } = this.#conversation;
    if (this.isOver || this.#signal !== undefined || signal === undefined) return;
    this.#signal = new StepSignal([signal]);
    this.#signal.signal.addEventListener('abort', () => this.threw(signal.reason), { once: true });
  }

  firstOutput(): void {}

  describe(): void {}

  returned(): void {
    this.isOver = true;
    this.#conversation.end();
  }

  threw(error: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#conversation.endByError(error);
  }

  leftEarly(): void {
    this.isOver = true;
    this.#conversation.endByLeaving();
  }
}
