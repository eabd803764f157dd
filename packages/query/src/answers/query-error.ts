/** Stable, so callers may branch on them; messages are for people and may change. */
export type QueryErrorCode =
  /** An option is not of the kind or in the range that its documentation says. */
  | 'OPTION_OUT_OF_RANGE'
  /** The source knows no conversation with this id. */
  | 'NO_SUCH_CONVERSATION';

/** Why a command cannot be answered although the source can be reached. The message says what to do next. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
  readonly code: QueryErrorCode;

  constructor(code: QueryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
