import { readFileSync, readlinkSync } from 'node:fs';
import type { ConversationFilters } from '@convotel/query';
import { THRESHOLD } from '@convotel/conventions';
import { durationMs, text, wholeNumber } from '../values.ts';
import { choice, flag, option, toggle } from './command.ts';
import type { OptionValues } from './command.ts';
import { UsageError } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import type { Settings } from '../settings/settings.ts';

const STORE_DEFAULT = '$XDG_DATA_HOME/convotel/conversations.duckdb, or CONVOTEL_STORE';

/** `--config` of every command that has settings. */
const CONFIG_OPTION = {
  config: option(text, {
    placeholder: 'file',
    description: 'settings: thresholds, prices, rules of watch',
    defaultText: 'CONVOTEL_CONFIG, or the nearest convotel.json above the working folder',
  }),
};

/** Options of every command that asks a back end. */
export const SOURCE_OPTIONS = {
  from: option(text, {
    placeholder: 'where',
    description:
      'local, the address of a Jaeger or a `convotel serve` (localhost:16686, unix:/run/convotel.sock), of a ClickHouse (clickhouse://host/otel; ?sample=100 reads one conversation in 100), or a file of OTLP/JSON',
    defaultText: 'local, or CONVOTEL_FROM',
  }),
  store: option(text, {
    placeholder: 'file',
    description: "the embedded back end's file",
    defaultText: STORE_DEFAULT,
  }),
  ...CONFIG_OPTION,
};

/** `--store` of a command that writes to the store. */
export const STORE_OPTION = {
  store: option(text, { placeholder: 'file', description: 'where spans are kept', defaultText: STORE_DEFAULT }),
};

/** Machine-readable output. */
export const JSON_OPTION = { json: flag('print one JSON document instead of text', 'j') };

/** Output without colours. */
export const COLOR_OPTION = { noColor: flag('print without colours (NO_COLOR does the same)') };

/** The time zone that times are read and shown in. */
export const TIME_ZONE_OPTION = {
  tz: option(text, {
    placeholder: 'zone',
    description: 'IANA time zone that times are read and shown in',
    defaultText: "TZ, or the system's",
  }),
};

/** Options of every command that prints an answer. */
export const OUTPUT_OPTIONS = {
  ...TIME_ZONE_OPTION,
  ...JSON_OPTION,
  csv: flag('print the rows as CSV instead of text'),
  noFindings: flag('leave out the sentences and arrows'),
  ...COLOR_OPTION,
};

/** `--graph` of every command with a chart. */
export const GRAPH_OPTION = { graph: toggle('draw beside the numbers, as on a terminal') };

/** `--wide` of every command whose table has columns that need room; see `isWideTable`. */
export const WIDE_OPTION = { wide: flag('more columns, as on a terminal that has room for them') };

/** `--by` of every command whose rows can be grouped. */
export const BY_OPTION = {
  by: option(text, {
    placeholder: 'what',
    description:
      'one block per group: model, provider, workflow, service, version, session, or the name of an attribute; the ten largest, the rest as (other)',
    suggestions: ['model', 'provider', 'workflow', 'service', 'version', 'session'],
  }),
};

/** `--limit` of every command that lists rows. */
export const LIMIT_OPTION = {
  limit: option(wholeNumber(1, 10_000), {
    short: 'n',
    placeholder: 'rows',
    description: 'at most this many rows',
    default: '10',
  }),
};

/** `--target` of every command with findings about a target. */
export const TARGET_OPTION = {
  target: option(durationMs, {
    placeholder: 'time',
    description: 'a conversation that takes less is fast enough (7s; a bare number is milliseconds)',
    default: `${THRESHOLD.targetMs / 1000}s`,
    setting: ({ conversation }) => conversation?.target,
  }),
};

/** Options that select conversations; all spans of a selected conversation count. */
export const FILTER_OPTIONS = {
  service: option(text, {
    placeholder: 'name',
    description: 'only conversations with a span of this service; "" for all if convotel.json names one',
    setting: ({ service }) => service,
  }),
  workflow: option(text, { placeholder: 'name', description: 'only conversations of this workflow' }),
  session: option(text, { placeholder: 'id', description: 'only conversations of this session' }),
  outcome: choice(['completed', 'failed', 'timed_out', 'interrupted', 'abandoned', 'open'], {
    placeholder: 'outcome',
    description: 'only conversations with this outcome',
  }),
};

/** The filters given by {@link FILTER_OPTIONS}. */
export function filtersOf(options: OptionValues<typeof FILTER_OPTIONS>): ConversationFilters {
  const { service, workflow, session, outcome } = options;
  return {
    ...(service === undefined || service === '' ? {} : { service }),
    ...(workflow === undefined ? {} : { workflow }),
    ...(session === undefined ? {} : { session }),
    ...(outcome === undefined ? {} : { outcome }),
  };
}

/** Options that choose a window; `since` is the default of `--since`, as the user would write it. */
export function windowOptions(since: string) {
  return {
    since: option(text, {
      placeholder: 'time',
      description:
        'a duration back from --until (90s, 24h, 7d, 1h30m), today, yesterday, 2025-10-08, "2025-10-08 14:30" in --tz, or RFC 3339',
      defaultText: since,
    }),
    until: option(text, {
      placeholder: 'time',
      description: 'end of the window, exclusive',
      defaultText: 'now',
    }),
    hours: option(hours, { placeholder: 'n', description: 'the same as --since <n>h' }),
  };
}

/** The values of {@link windowOptions}; times are resolved when the time zone and the current time are known. */
export type WindowTexts = Partial<OptionValues<ReturnType<typeof windowOptions>>>;

function hours(value: string, flag: string): number {
  if (!/^\d{1,6}$/.test(value) || Number(value) === 0) {
    throw new UsageError(`${flag} takes a whole number above 0, got "${value}".`);
  }
  return Number(value);
}

/** Where a command listens, and who may query it. */
export const ACCESS_OPTIONS = {
  host: option(text, {
    placeholder: 'address',
    description: 'address to listen on; other machines can reach any address but 127.0.0.1, so it needs --token-file',
    default: '127.0.0.1',
  }),
  tokenFile: option(text, {
    placeholder: 'file',
    description: 'tokens that may send, read and delete, one per line; `read <token>` may only read',
    defaultText: 'no token is required',
  }),
};

/** The contents of the token file. @throws {@link UsageError} if it cannot be read */
export function tokensOf({ tokenFile }: Pick<OptionValues<typeof ACCESS_OPTIONS>, 'tokenFile'>): string | undefined {
  if (tokenFile === undefined) return undefined;
  try {
    return readFileSync(tokenFile, 'utf8');
  } catch (error) {
    throw new UsageError(`--token-file cannot be read: ${(error as Error).message}. Give the path of a text file.`);
  }
}

/** Converts errors that are caused by these options, such as a public host without tokens, to usage errors. */
export function accessMistake(error: unknown): unknown {
  const { code, message } = error as Partial<Error & { code: string }>;
  return code === 'TOKEN_MISSING' || code === 'TOKEN_FILE_MALFORMED' ? new UsageError(String(message)) : error;
}

/**
 * The time zone from `--tz`, else `TZ`, else `convotel.json`, else the system's. If `TZ` is not a time zone, UTC is
 * used and a note is printed on standard error.
 * @throws {@link UsageError} if `--tz` is not a time zone.
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

/** Returns `name` if it is a time zone. */
function knownZone(name: string): string | undefined {
  // Avoids creating a formatter, which loads the rules of all zones and takes as long as a small answer.
  if (name === 'UTC') return name;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return name;
  } catch {
    return undefined;
  }
}

/** Whether `/etc/localtime` is UTC. Avoids `Intl`, which would load the names of all zones. */
function isSystemInUtc(): boolean {
  try {
    return /\/zoneinfo\/(Etc\/)?UTC$/.test(readlinkSync('/etc/localtime'));
  } catch {
    return false;
  }
}
