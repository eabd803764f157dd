/** Stable, so callers may branch on them; messages are for people and may change. */
export type LocalErrorCode =
  /** Another process listens on the port. */
  | 'PORT_IN_USE'
  /** Another process holds the store. */
  | 'STORE_LOCKED'
  /** The store is from a newer convotel, or is no store. */
  | 'STORE_UNREADABLE'
  /** The store cannot take rows at present: the disk is full or fails. Trying again later may help. */
  | 'STORE_UNWRITABLE'
  /** An option has a value that makes no sense. */
  | 'OPTION_OUT_OF_RANGE';

/** Why the embedded back end could not start or could not do what it was asked. */
export class LocalError extends Error {
  override readonly name = 'LocalError';
  readonly code: LocalErrorCode;

  constructor(code: LocalErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
