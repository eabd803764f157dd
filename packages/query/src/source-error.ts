/** Stable, so callers may branch on them; messages are for people and may change. */
export type SourceErrorCode =
  /** Nobody answers there, or the file is missing. */
  | 'UNREACHABLE'
  /** Somebody answers, but not what this source understands. */
  | 'WRONG_ANSWER'
  /** Another process holds the store and does not answer questions. */
  | 'STORE_LOCKED'
  /** The store is from a newer convotel, or is no store. */
  | 'STORE_UNREADABLE';

/** Why a source could not answer. The message says what, why and what to do next. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly code: SourceErrorCode;

  constructor(code: SourceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
