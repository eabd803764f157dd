import type { ConversationSource, SourceKind } from '@convotel/query';

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

  readonly conversation: ConversationSource['conversation'] = (id) => this.#ask((source) => source.conversation(id));
  readonly conversations: ConversationSource['conversations'] = (question) =>
    this.#ask((source) => source.conversations(question));
  readonly stepStatistics: ConversationSource['stepStatistics'] = (question) =>
    this.#ask((source) => source.stepStatistics(question));
  readonly conversationCounts: ConversationSource['conversationCounts'] = (question) =>
    this.#ask((source) => source.conversationCounts(question));
  readonly commonErrors: ConversationSource['commonErrors'] = (question) =>
    this.#ask((source) => source.commonErrors(question));
  readonly stepDurations: ConversationSource['stepDurations'] = (question) =>
    this.#ask((source) => source.stepDurations(question));

  /** Nothing is held between two questions. */
  async close(): Promise<void> {}

  async #ask<Answer>(question: (source: ConversationSource) => Promise<Answer>): Promise<Answer> {
    const source = await this.#open();
    try {
      return await question(source);
    } finally {
      await source.close();
    }
  }
}
