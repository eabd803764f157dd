/** Stable, so callers may branch on them; messages are for people and may change. */
export type TimeErrorCode =
  /** Not an IANA name that this Node knows. */
  | 'TIME_ZONE_UNKNOWN'
  /** Not RFC 3339 with an offset, or no such day or time. */
  | 'INSTANT_MALFORMED'
  /** Not `YYYY-MM-DD`, or no such day. */
  | 'DATE_MALFORMED'
  /** Before the year 0 or after 9999, which RFC 3339 cannot write. */
  | 'INSTANT_OUT_OF_RANGE';

/** A time, date or time zone that cannot be understood. */
export class TimeError extends Error {
  override readonly name = 'TimeError';
  readonly code: TimeErrorCode;

  constructor(code: TimeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
