import {
  askEngine,
  SourceError,
  type Answer,
  type AnyQuestion,
  type ConversationSource,
  type Engine,
  type Question,
  type QuestionName,
  type Questions,
} from '@convotel/query';
import type { DuckDBConnection } from '@duckdb/node-api';
import { Asking } from './asking.ts';
import { narrowToChosen } from './chosen-conversations.ts';
import { countConversations } from './count-conversations.ts';
import { findConversation } from './find-conversation.ts';
import { gatherCommonErrors } from './gather-common-errors.ts';
import { gatherStepDurations } from './gather-step-durations.ts';
import { gatherStepStatistics } from './gather-step-statistics.ts';
import { listConversations } from './list-conversations.ts';

/** Each question answered from the store in SQL (`sql/`, one file a question). */
const duckDbEngine: Engine<Asking> = {
  conversation: (asking, { conversationId }) => findConversation(asking, conversationId),
  conversations: listConversations,
  'step-statistics': gatherStepStatistics,
  'conversation-counts': countConversations,
  'common-errors': gatherCommonErrors,
  'step-durations': gatherStepDurations,
};

/** Where a {@link DuckDbSource} gets its connections from. */
export interface ConnectionLender {
  /** Lends a connection to `use`, alone for as long as it runs. */
  lend<Result>(use: (connection: DuckDBConnection) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** Answers from the store of the embedded back end. */
export class DuckDbSource implements ConversationSource {
  readonly kind = 'local';
  readonly location: string;
  readonly #lender: ConnectionLender;

  constructor(location: string, lender: ConnectionLender) {
    this.location = location;
    this.#lender = lender;
  }

  /** Asks within one transaction, so that data and coverage speak of the same moment. */
  ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>>;
  ask(question: AnyQuestion): Promise<Answer<unknown>> {
    return this.#lender.lend(async (connection) => {
      try {
        await connection.run('BEGIN');
        try {
          if ('filters' in question) await narrowToChosen(connection, question.filters);
          return await askEngine(duckDbEngine, new Asking(connection), question);
        } finally {
          // There is nothing to keep; and it takes the narrower view with it.
          await connection.run('ROLLBACK');
        }
      } catch (error) {
        throw wrongAnswer(this.location, error);
      }
    });
  }

  close(): Promise<void> {
    return this.#lender.close();
  }
}

function wrongAnswer(location: string, error: unknown): unknown {
  if (error instanceof SourceError || (error as Error).name === 'TimeError') return error;
  return new SourceError('WRONG_ANSWER', `${location} could not be read: ${(error as Error).message}`, {
    cause: error,
  });
}
