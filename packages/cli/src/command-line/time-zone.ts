import { readlinkSync } from 'node:fs';
import type { Settings } from '../settings/settings.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/**
 * The zone of `--tz`, else of `TZ`, else of `convotel.json`, else the system's. If `TZ` is not a time zone, UTC is used
 * and a note is printed on standard error.
 * @throws {@link UsageError} when there is no such zone.
 */
export function resolveTimeZone(asked: string | undefined, settings: Settings, terminal: Terminal): string {
  if (asked !== undefined) {
    const name = knownZone(asked);
    if (name === undefined) {
      throw new UsageError(`--tz takes an IANA time zone such as Europe/Berlin or UTC, got "${asked}".`);
    }
    return name;
  }
  const variable = terminal.environment['TZ'];
  if (variable === undefined && settings.tz !== undefined) return settings.tz;
  if (variable === undefined && isSystemInUtc()) return 'UTC';
  const name =
    variable === undefined ? new Intl.DateTimeFormat().resolvedOptions().timeZone : variable.replace(/^:/, '');
  const known = knownZone(name);
  if (known === undefined) {
    terminal.writeError(`Note: TZ is "${variable ?? name}", which is not the name of a time zone; times are in UTC.\n`);
  }
  return known ?? 'UTC';
}

/** `name`, if there is such a zone. */
function knownZone(name: string): string | undefined {
  // Making a formatter loads the rules of all zones, which takes as long as a small answer.
  if (name === 'UTC') return name;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return name;
  } catch {
    return undefined;
  }
}

/** Whether the system says so plainly, without `Intl`, which has to load the names of all zones. */
function isSystemInUtc(): boolean {
  try {
    return /\/zoneinfo\/(Etc\/)?UTC$/.test(readlinkSync('/etc/localtime'));
  } catch {
    return false;
  }
}
