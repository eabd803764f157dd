import type { ConversationFilters, ConversationOutcome, ConversationRecord, Window } from '../model/conversation.ts';
import { millisecondsOf } from '../model/numbers.ts';
import type { ConversationSource } from '../questions.ts';
import { formatInstant } from '../time/instant.ts';
import { buildReport, checkLimit, checkTimeZone, checkWindow, checkWindowed } from './report.ts';
import type { Report, WindowedOptions } from './report.ts';

/** A row of `recent`, `slow` and `longest`. */
export interface ConversationRow {
  conversationId: string;
  traceId: string;
  sessionId?: string;
  workflow?: string;
  startTime: string;
  endTime: string;
  /** End − start, by the clock. */
  durationMs: number;
  /** Sum of the outermost steps' durations; more than `durationMs` where steps overlap. */
  stepSumMs: number;
  /** Response latency: from the end of the user's input to the first output that the user perceives. */
  responseMs?: number;
  stepCount: number;
  outcome: ConversationOutcome;
  /** Where the conversation is a failure: the last outermost step that failed and was not retried. */
  failedStep?: string;
}

/** One conversation as a row. */
export function conversationRow(conversation: ConversationRecord): ConversationRow {
  const { conversationId, traceId, sessionId, workflow, startTimeUnixNano, endTimeUnixNano } = conversation;
  const { stepSumNano, responseMs, stepCount, outcome, failedStep } = conversation;
  return {
    conversationId,
    traceId,
    ...(sessionId !== undefined && { sessionId }),
    ...(workflow !== undefined && { workflow }),
    startTime: formatInstant(startTimeUnixNano),
    endTime: formatInstant(endTimeUnixNano),
    durationMs: millisecondsOf(endTimeUnixNano - startTimeUnixNano),
    stepSumMs: millisecondsOf(stepSumNano),
    ...(responseMs !== undefined && { responseMs }),
    stepCount,
    outcome,
    ...(failedStep !== undefined && { failedStep }),
  };
}

/** What {@link recent} is asked with. */
export interface RecentOptions {
  /** IANA zone that times are shown in; it stands in the report. */
  timeZone: string;
  /** Conversations that start in it; all of them when absent. */
  window?: Window | undefined;
  filters?: ConversationFilters | undefined;
  /** Maximum number of rows, 1 to 10,000. @defaultValue `10` */
  limit?: number | undefined;
}

/**
 * The newest conversations, open ones included, newest start first.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function recent(
  source: ConversationSource,
  options: RecentOptions,
): Promise<Report<'recent', ConversationRow[]>> {
  const { timeZone, window, filters = {}, limit = 10 } = options;
  checkTimeZone(timeZone);
  if (window !== undefined) checkWindow('window', window);
  checkLimit(limit);

  const asked = { name: 'conversations', filters, order: 'newest', limit } as const;
  const { data, coverage } = await source.ask(window === undefined ? asked : { ...asked, window });
  return buildReport({ command: 'recent', source, window, timeZone, coverage, data: data.map(conversationRow) });
}

/** What {@link longest} is asked with. */
export interface LongestOptions extends WindowedOptions {
  /** Maximum number of rows, 1 to 10,000. @defaultValue `10` */
  limit?: number | undefined;
}

/**
 * The conversations that took longest by the clock (end − start), longest first.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function longest(
  source: ConversationSource,
  options: LongestOptions,
): Promise<Report<'longest', ConversationRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, limit = 10 } = options;
  checkLimit(limit);

  const { data, coverage } = await source.ask({ name: 'conversations', window, filters, order: 'longest', limit });
  return buildReport({ command: 'longest', source, window, timeZone, coverage, data: data.map(conversationRow) });
}

/** A row of `hours`. */
export interface HourRow {
  /** The instant at which the hour begins. */
  hour: string;
  conversations: number;
}

/**
 * Conversations that start in each clock hour of the zone, oldest first; hours without any are left out. At the end of
 * daylight saving time the repeated hour is two rows, told apart by their instants.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function hours(source: ConversationSource, options: WindowedOptions): Promise<Report<'hours', HourRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {} } = options;

  const asked = { window, filters, by: 'hour', timeZone } as const;
  const { data: counts, coverage } = await source.ask({ name: 'conversation-counts', ...asked });
  const data = counts.flatMap(({ hourUnixNano, conversations }) =>
    hourUnixNano === undefined ? [] : [{ hour: formatInstant(hourUnixNano), conversations }],
  );
  return buildReport({ command: 'hours', source, window, timeZone, coverage, data });
}

/** A row of `busiest`. */
export interface HourOfDayRow {
  /** 0 to 23. */
  hourOfDay: number;
  conversations: number;
}

/** How many hours of the day are listed. */
const BUSIEST_HOURS = 10;

/**
 * The ten hours of the day, in the zone, in which most conversations of the window start: most first, then the earlier
 * hour.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function busiest(
  source: ConversationSource,
  options: WindowedOptions,
): Promise<Report<'busiest', HourOfDayRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {} } = options;

  const asked = { window, filters, by: 'hourOfDay', timeZone } as const;
  const { data: counts, coverage } = await source.ask({ name: 'conversation-counts', ...asked });
  const data = counts
    .flatMap(({ hourOfDay, conversations }) => (hourOfDay === undefined ? [] : [{ hourOfDay, conversations }]))
    .sort((a, b) => b.conversations - a.conversations || a.hourOfDay - b.hourOfDay)
    .slice(0, BUSIEST_HOURS);
  return buildReport({ command: 'busiest', source, window, timeZone, coverage, data });
}
