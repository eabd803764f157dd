import type { SpanEnding } from '../safety/end-span.ts';
import type { ResultObserver } from '../results/result-observer.ts';
import { outcomeOfError } from '../step/outcome-of-error.ts';
import type { TracedConversation } from './traced-conversation.ts';

/** Ends a conversation with what its callback returned: a promise when it settles, a stream when it was read. */
export class ConversationResult implements ResultObserver {
  readonly label = 'the conversation';
  readonly keepsText = false;
  isOver = false;
  readonly #conversation: TracedConversation;

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

  waits(): void {}

  begins(): void {}

  firstOutput(): void {}

  describe(): void {}

  returned(): void {
    this.#end({ outcome: 'completed' });
  }

  threw(error: unknown): void {
    this.#end(outcomeOfError(error));
  }

  leftEarly(): void {
    this.#end({ outcome: 'interrupted' });
  }

  #end(told: SpanEnding): void {
    this.isOver = true;
    this.#conversation.endWith({ told });
  }
}
