import {
  SourceError,
  type Answer,
  type AnyQuestion,
  type ConversationSource,
  type Question,
  type QuestionName,
  type Questions,
} from '@convotel/query';
import { askEngine, sqlEngine } from '@convotel/query/engine';
import type { DuckDBConnection } from '@duckdb/node-api';
import { DuckDbStore } from './duckdb-store.ts';
import { showAllSpans } from './shown-spans.ts';

/** Where a {@link DuckDbSource} gets its connections from. */
export interface ConnectionLender {
  /** Runs `use` with a connection that it has to itself until it settles. */
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

  /** Runs in one transaction, so that data and coverage describe the same moment. */
  ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>>;
  ask(question: AnyQuestion): Promise<Answer<unknown>> {
    return this.#lender.lend(async (connection) => {
      try {
        await showAllSpans(connection);
        await connection.run('BEGIN');
        try {
          const filters = 'filters' in question ? question.filters : undefined;
          return await askEngine(sqlEngine, await DuckDbStore.open(connection, filters), question);
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
