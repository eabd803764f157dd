import { codedError } from '@convotel/conventions';
import type { ErrorCodeOf } from '@convotel/conventions';

/** A question that cannot be answered although its source can be reached. The message says what to do next. */
export class QueryError extends codedError('QueryError') {}

/** Codes of {@link QueryError}. */
export type QueryErrorCode = ErrorCodeOf<'QueryError'>;
