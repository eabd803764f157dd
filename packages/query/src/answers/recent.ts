import type { ConversationFilters, ConversationOutcome, ConversationRecord, Window } from '../model/conversation.ts';
import { millisecondsOf } from '../model/numbers.ts';
import type { ConversationSource } from '../questions.ts';
import { formatInstant } from '../time/instant.ts';
import { buildReport, checkLimit, checkTimeZone, checkWindow } from './report.ts';
import type { Report } from './report.ts';

/** A row of `recent`, `slow` and `longest`. */
export interface ConversationRow {
  conversationId: string;
  traceId: string;
  sessionId?: string;
  workflow?: string;
  startTime: string;
  endTime: string;
  /** Wall-clock duration: end − start. */
  durationMs: number;
  /** Sum of the outermost steps' durations; may exceed `durationMs` if steps overlap. */
  stepSumMs: number;
  /** Response latency: from the end of the user's input to the first output that the user perceives. */
  responseMs?: number;
  stepCount: number;
  outcome: ConversationOutcome;
  /** If the conversation failed: the last outermost step that failed and was not retried. */
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

/** Options of {@link recent}. */
export interface RecentOptions {
  /** IANA time zone of times in the report; included in it. */
  timeZone: string;
  /** Only conversations that start in it. @defaultValue all time */
  window?: Window | undefined;
  filters?: ConversationFilters | undefined;
  /** Maximum number of rows, 1 to 10,000. @defaultValue `10` */
  limit?: number | undefined;
}

/**
 * The newest conversations, including open ones, newest start first.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
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
