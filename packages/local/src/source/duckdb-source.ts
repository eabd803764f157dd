import {
  SourceError,
  type Answer,
  type CommonError,
  type CommonErrorsQuestion,
  type Conversation,
  type ConversationCount,
  type ConversationCountsQuestion,
  type ConversationFilters,
  type ConversationSource,
  type ConversationsQuestion,
  type FoundConversation,
  type StepDurations,
  type StepDurationsQuestion,
  type StepStatistics,
  type StepStatisticsQuestion,
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

/** Where a {@link DuckDbSource} gets its connections from. */
export interface ConnectionLender {
  /** Lends a connection to `use`, alone for as long as it runs. */
  lend<Result>(use: (connection: DuckDBConnection) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** Answers the six questions from the store of the embedded back end, in SQL (`sql/`, one file a question). */
export class DuckDbSource implements ConversationSource {
  readonly kind = 'local';
  readonly location: string;
  readonly #lender: ConnectionLender;

  constructor(location: string, lender: ConnectionLender) {
    this.location = location;
    this.#lender = lender;
  }

  conversation(conversationId: string): Promise<Answer<FoundConversation>> {
    return this.#ask({}, (asking) => findConversation(asking, conversationId));
  }

  conversations(question: ConversationsQuestion): Promise<Answer<Conversation[]>> {
    return this.#ask(question, (asking) => listConversations(asking, question));
  }

  stepStatistics(question: StepStatisticsQuestion): Promise<Answer<StepStatistics[]>> {
    return this.#ask(question, (asking) => gatherStepStatistics(asking, question));
  }

  conversationCounts(question: ConversationCountsQuestion): Promise<Answer<ConversationCount[]>> {
    return this.#ask(question, (asking) => countConversations(asking, question));
  }

  commonErrors(question: CommonErrorsQuestion): Promise<Answer<CommonError[]>> {
    return this.#ask(question, (asking) => gatherCommonErrors(asking, question));
  }

  stepDurations(question: StepDurationsQuestion): Promise<Answer<StepDurations>> {
    return this.#ask(question, (asking) => gatherStepDurations(asking, question));
  }

  close(): Promise<void> {
    return this.#lender.close();
  }

  /** Asks within one transaction, so that data and coverage speak of the same moment. */
  #ask<Data>(
    { filters }: { filters?: ConversationFilters },
    answer: (asking: Asking) => Promise<Answer<Data>>,
  ): Promise<Answer<Data>> {
    return this.#lender.lend(async (connection) => {
      try {
        await connection.run('BEGIN');
        try {
          await narrowToChosen(connection, filters);
          return await answer(new Asking(connection));
        } finally {
          // There is nothing to keep; and it takes the narrower view with it.
          await connection.run('ROLLBACK');
        }
      } catch (error) {
        throw wrongAnswer(this.location, error);
      }
    });
  }
}

function wrongAnswer(location: string, error: unknown): unknown {
  if (error instanceof SourceError || (error as Error).name === 'TimeError') return error;
  return new SourceError('WRONG_ANSWER', `${location} could not be read: ${(error as Error).message}`, {
    cause: error,
  });
}
