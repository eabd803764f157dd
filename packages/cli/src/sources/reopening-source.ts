import type { Answer, ConversationSource, Question, QuestionName, Questions, SourceKind } from '@convotel/query';

/**
 * A source that is opened anew for every question and let go after it, for programs that run long: meanwhile others may
 * take the store's file, a back end may go away and come back, and the next question finds whoever is there.
 */
export class ReopeningSource implements ConversationSource {
  readonly kind: SourceKind;
  readonly location: string;
  readonly #open: () => Promise<ConversationSource>;

  constructor(kind: SourceKind, location: string, open: () => Promise<ConversationSource>) {
    this.kind = kind;
    this.location = location;
    this.#open = open;
  }

  async ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>> {
    const source = await this.#open();
    try {
      return await source.ask(question);
    } finally {
      await source.close();
    }
  }

  /** Nothing is held between two questions. */
  async close(): Promise<void> {}
}
