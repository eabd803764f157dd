import { UsageError } from './usage-error.ts';

/**
 * The zone that was asked for, or the system's.
 * @throws {@link UsageError} when there is no such zone.
 */
export function resolveTimeZone(asked: string | undefined): string {
  if (asked === undefined) return new Intl.DateTimeFormat().resolvedOptions().timeZone;
  // Making a formatter loads the names of all zones, which takes as long as a small answer.
  if (asked === 'UTC') return asked;
  try {
    new Intl.DateTimeFormat('en', { timeZone: asked });
    return asked;
  } catch (error) {
    throw new UsageError(`--tz takes an IANA time zone such as Europe/Berlin or UTC, got "${asked}".`, {
      cause: error,
    });
  }
}
