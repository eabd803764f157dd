import { readOptions } from '../guards/untrusted-values.ts';
import { epochMsFrom } from '../guards/times.ts';
import { followResult } from '../results/follow-result.ts';
import type { ResultObserver } from '../results/result-observer.ts';
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
import { joinedOrigin, newOrigin, unrecordedOrigin } from './origin.ts';
import { TracedConversation } from './traced-conversation.ts';

/**
 * Runs one conversation in a trace of its own, and makes it the active conversation inside `run`. Returns exactly what
 * `run` returns and throws exactly what it throws. The root span ends once the result is complete and no step is open;
 * a stream that `run` returns is complete when it has been read, so that the conversation lasts as long as the client
 * receives data. The outcome follows from the error that `run` throws, else from the outermost steps: a failed step
 * whose error was caught still fails the conversation, unless the step was retried or an outermost step that started
 * after it completed.
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
 * Starts a conversation for the program to end: for pipelines that do not fit into one function, and for conversations
 * in the past. The outcome is the one passed to `end`, else follows from the outermost steps as for
 * {@link conversation}.
 */
export function startConversation(options?: StartConversationOptions): ConversationHandle {
  return begin(options);
}

/**
 * Adds steps to a conversation that another process started: as children of the step that created `carrier`, or of the
 * root if only a conversation id is passed. It creates no root span, so a worker may join the same conversation several
 * times; with a carrier of `handOff()` it ends the root. If the carrier is malformed it warns once, does not record the
 * steps, and still calls `run`. Without `run` it returns a handle, whose `end()` says that this process is done.
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
  const traced = new TracedConversation(
    carried === undefined ? unrecordedOrigin() : joinedOrigin(carried, options),
    options,
  );
  return run === undefined ? traced : runOn(traced, run);
}

function begin(unreadOptions: StartConversationOptions | undefined): TracedConversation {
  const options = readOptions(unreadOptions);
  const { startTime, continueFrom } = options;
  const startedMs =
    startTime === undefined ? undefined : epochMsFrom(startTime, 'The startTime of a conversation is ignored: it');
  const traced = new TracedConversation(newOrigin(options, startedMs), options);
  if (continueFrom !== undefined) traced.continueFrom(continueFrom);
  return traced;
}

function runOn<Result>(traced: TracedConversation, run: (conversation: Conversation) => Result): Result {
  let result: Result;
  try {
    result = traced.run(run);
  } catch (error) {
    traced.endByError(error);
    throw error;
  }
  return followResult(result, new ConversationResult(traced));
}

/** Ends a conversation when its callback's result is complete: a promise settled, a stream was read. */
export class ConversationResult implements ResultObserver {
  readonly label = 'the conversation';
  readonly keepsText = false;
  /** They are recorded on the step that called the model. */
  readonly recordsDetails = false;
  isOver = false;
  readonly #conversation: TracedConversation;
  /** Referenced here so that it is not collected while the stream is read. */
  #signal: StepSignal | undefined;

  constructor(conversation: TracedConversation) {
    this.#conversation = conversation;
  }

  /**
   * Runs a generator that the callback returned inside the conversation, so that the top-level `step()` belongs to it.
   */
  runProducer<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Result {
    return this.#conversation.run(() => run(argument));
  }

  runConsumer<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Result {
    return run(argument);
  }

  awaitsConsumer(headMs?: number): void {
    this.#conversation.setUnconsumedResult({ headMs });
  }

  consumptionStarted(): void {
    this.#conversation.setUnconsumedResult(undefined);
  }

  /** The reader may stop without cancelling the stream when the conversation is aborted, so the abort ends it too. */
  streamStarted(): void {
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

  cancelled(): void {
    this.isOver = true;
    this.#conversation.endByCancellation();
  }
}
