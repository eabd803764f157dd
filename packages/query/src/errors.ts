import { codedError } from '@convotel/conventions';
import type { ErrorCodeOf } from '@convotel/conventions';

/** A question that cannot be answered although its source can be reached. The message says what to do next. */
export class QueryError extends codedError('QueryError') {}

/** Codes of {@link QueryError}. */
export type QueryErrorCode = ErrorCodeOf<'QueryError'>;

/** Why a source could not answer. The message says what happened, why, and what to do next. */
export class SourceError extends codedError('SourceError') {}

/** Codes of {@link SourceError}. */
export type SourceErrorCode = ErrorCodeOf<'SourceError'>;

/** Longest piece of an answer that an error message quotes, in UTF-16 code units. */
const MAX_QUOTED_LENGTH = 200;

/** The beginning of what a server has answered, quoted. */
export function quoteAnswer(text: string): string {
  const start = text.slice(0, MAX_QUOTED_LENGTH).trim();
  return JSON.stringify(text.length > MAX_QUOTED_LENGTH ? `${start}…` : start);
}
