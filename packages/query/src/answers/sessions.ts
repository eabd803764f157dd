import { withWarning } from '../model/coverage.ts';
import { millisecondsOf } from '../model/numbers.ts';
import type { SessionSum } from '../model/session-sums.ts';
import type { ConversationSource } from '../questions.ts';
import { formatInstant } from '../time/instant.ts';
import { buildReport, checkLimit, checkWindowed } from './report.ts';
import type { Report, WindowedOptions } from './report.ts';

/** Options of {@link sessions}. */
export interface SessionsOptions extends WindowedOptions {
  /** Maximum number of rows, 1 to 10,000. @defaultValue `10` */
  limit?: number | undefined;
}

/** A session in numbers, such as a phone call or a chat thread. */
export interface SessionRow {
  sessionId: string;
  conversations: number;
  /** Start of its first conversation. */
  startTime: string;
  /** Latest end of its conversations. */
  endTime: string;
  /** Sum of its conversations' durations: the session without its pauses. */
  spokenMs: number;
  /** Number of conversations that failed, timed out or were abandoned. */
  failures: number;
  /** Number of steps that were interrupted. */
  interruptions: number;
  /** Sum over its steps; absent if none has it. */
  inputTokens?: number;
  outputTokens?: number;
}

/**
 * The sessions with a conversation that starts in the window, and what these conversations come to. By the start of their
 * last conversation, newest first, then by id.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
 */
export async function sessions(
  source: ConversationSource,
  options: SessionsOptions,
): Promise<Report<'sessions', SessionRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, limit = 10 } = options;
  checkLimit(limit);

  const { data, coverage: read } = await source.ask({ name: 'sessions', window, filters, limit });
  const { conversations, withoutSession } = data;
  const text = `${withoutSession} of ${conversations} conversations carry no session.id, so they are in no session`;
  const coverage = withoutSession === 0 ? read : withWarning(read, { code: 'without-session', text });
  return buildReport({
    command: 'sessions',
    source,
    window,
    timeZone,
    coverage,
    data: data.sessions.map(sessionRow),
  });
}

/** The row of one session. */
export function sessionRow(sum: SessionSum): SessionRow {
  const { startTimeUnixNano, endTimeUnixNano, spokenNano, inputTokens, outputTokens } = sum;
  return {
    sessionId: sum.sessionId,
    conversations: sum.conversations,
    startTime: formatInstant(startTimeUnixNano),
    endTime: formatInstant(endTimeUnixNano),
    spokenMs: millisecondsOf(spokenNano),
    failures: sum.failures,
    interruptions: sum.interruptions,
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens }),
  };
}
