/** Stable, so callers may branch on them; messages are for people and may change. */
export type LocalErrorCode =
  /** Another process listens on the port. */
  | 'PORT_IN_USE'
  /** Another process holds the store. */
  | 'STORE_LOCKED'
  /** The store is from a newer convotel, is damaged beyond reading, or is not a store. */
  | 'STORE_UNREADABLE'
  /** The store cannot take rows at present: the disk is full or fails. Trying again later may help. */
  | 'STORE_UNWRITABLE'
  /** A span has a value that the store cannot hold. Sending it again does not help. */
  | 'SPAN_UNSTORABLE'
  /** A backup could not be made. */
  | 'BACKUP_FAILED'
  /** An option has a value out of its range. */
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
