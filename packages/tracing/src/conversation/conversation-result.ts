import type { ResultObserver } from '../results/result-observer.ts';
import { StepSignal } from '../step/step-signal.ts';
import type { TracedConversation } from './traced-conversation.ts';

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
    const following = this.#signal.signal;
    if (following.aborted) this.threw(signal.reason);
    else following.addEventListener('abort', () => this.threw(signal.reason), { once: true });
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
