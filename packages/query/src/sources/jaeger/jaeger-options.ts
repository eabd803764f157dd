import { QueryError } from '../../query-error.ts';

const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 24 * MS_PER_HOUR;

/** Options that are whole numbers above 0. */
const COUNTS = [
  'timeoutMs',
  'attempts',
  'concurrency',
  'searchDepth',
  'maxSearchDepth',
  'maxAnswerBytes',
  'maxSpans',
] as const;

/** How a `JaegerSource` asks. */
export interface JaegerSourceOptions {
  /** How long one request may take, in milliseconds. @defaultValue `30_000` */
  timeoutMs?: number;
  /** How often a request is made before it is given up for a network error or a busy server. @defaultValue `3` */
  attempts?: number;
  /** Requests under way at once. @defaultValue `4` */
  concurrency?: number;
  /** Traces that one search asks for; an answer with as many is taken for cut. @defaultValue `2000` */
  searchDepth?: number;
  /** Traces that a search asks for at most where a millisecond has more than `searchDepth`. @defaultValue `50_000` */
  maxSearchDepth?: number;
  /** Longest answer taken, in bytes; where one is longer, its stretch of time is asked for in parts. @defaultValue `134_217_728` */
  maxAnswerBytes?: number;
  /** Spans kept for one question; beyond, the oldest stretches are left unread. @defaultValue `2_000_000` */
  maxSpans?: number;
  /**
   * How far back to look where a question has no window, in milliseconds, one after the other until there is enough;
   * `Infinity` is everything since 1970. @defaultValue 1 hour, 1 day, 7 days, 30 days
   */
  lookBackMs?: readonly number[];
  /** A conversation without a root that was at work this short a time ago is warned of. @defaultValue `10_000` */
  settleMs?: number;
  /**
   * Whether one conversation's other traces are looked for, by reading everything within `lookBackMs`, when the trace
   * with the derived id is there. @defaultValue `false`
   */
  findsOtherTraces?: boolean;
  /** Sent with every request, such as `authorization`. @defaultValue none */
  headers?: Readonly<Record<string, string>>;
  /** Names of its services, where they have been asked for just now; the first search uses them. @defaultValue none */
  knownServices?: readonly string[] | undefined;
  /** Tells the time. @defaultValue the system's clock */
  clock?: () => Date;
}

/** {@link JaegerSourceOptions} with every default filled in. */
export type JaegerSettings = { [Name in keyof JaegerSourceOptions]-?: JaegerSourceOptions[Name] };

/**
 * Fills in the defaults.
 * @throws {@link QueryError} `OPTION_OUT_OF_RANGE`
 */
export function resolveJaegerOptions(options: JaegerSourceOptions): JaegerSettings {
  const settings: JaegerSettings = {
    timeoutMs: 30_000,
    attempts: 3,
    concurrency: 4,
    searchDepth: 2000,
    maxSearchDepth: 50_000,
    // A string holds 512 MiB at most, and parsed JSON takes several times its length.
    maxAnswerBytes: 134_217_728,
    maxSpans: 2_000_000,
    lookBackMs: [MS_PER_HOUR, MS_PER_DAY, 7 * MS_PER_DAY, 30 * MS_PER_DAY],
    settleMs: 10_000,
    findsOtherTraces: false,
    headers: {},
    knownServices: undefined,
    clock: () => new Date(),
    ...options,
  };
  for (const name of COUNTS) {
    if (Number.isSafeInteger(settings[name]) && settings[name] > 0) continue;
    throw outOfRange(`${name} must be a whole number above 0, got ${settings[name]}`);
  }
  if (!(settings.settleMs >= 0)) throw outOfRange(`settleMs must be a number of at least 0, got ${settings.settleMs}`);
  const { lookBackMs } = settings;
  const isAscending = lookBackMs.every((value, index) => value > (lookBackMs[index - 1] ?? 0));
  if (lookBackMs.length === 0 || !isAscending) {
    throw outOfRange(`lookBackMs must be numbers above 0, the shortest first, got ${lookBackMs.join(', ')}`);
  }
  return settings;
}

function outOfRange(message: string): QueryError {
  return new QueryError('OPTION_OUT_OF_RANGE', message);
}
