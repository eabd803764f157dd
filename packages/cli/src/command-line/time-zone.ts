import { readlinkSync } from 'node:fs';
import { UsageError } from '../usage-error.ts';

/**
 * The zone that was asked for, or the system's.
 * @throws {@link UsageError} when there is no such zone.
 */
export function resolveTimeZone(asked: string | undefined): string {
  if (asked === undefined) return isSystemInUtc() ? 'UTC' : new Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    if (asked !== 'UTC') new Intl.DateTimeFormat('en', { timeZone: asked });
    return asked;
  } catch (error) {
    throw new UsageError(`--tz takes an IANA time zone such as Europe/Berlin or UTC, got "${asked}".`, {
      cause: error,
    });
  }
}

/** Whether the system says so plainly. Asking `Intl` loads its data, which takes a fifth of a short command's time. */
function isSystemInUtc(): boolean {
  const named = process.env['TZ'];
  if (named !== undefined && named !== '') return named === 'UTC' || named === 'Etc/UTC';
  try {
    return /\/zoneinfo\/(Etc\/)?UTC$/.test(readlinkSync('/etc/localtime'));
  } catch {
    return false;
  }
}
