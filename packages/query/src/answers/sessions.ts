import { isFailure } from '@convotel/conventions';
import type { ConversationRecord } from '../model/conversation.ts';
import { withWarning } from '../model/coverage.ts';
import type { Coverage } from '../model/coverage.ts';
import { millisecondsOf } from '../model/numbers.ts';
import { MAX_QUESTION_LIMIT } from '../questions.ts';
import type { ConversationSource } from '../questions.ts';
import { formatInstant } from '../time/instant.ts';
import { checkLimit, checkWindowed } from './options.ts';
import type { WindowedOptions } from './options.ts';
import { buildReport } from './report.ts';
import type { Report } from './report.ts';

/** What {@link sessions} is asked with. */
export interface SessionsOptions extends WindowedOptions {
  /** Maximum number of rows, 1 to 10,000. @defaultValue `10` */
  limit?: number | undefined;
}

/** A session in numbers: a phone call, a chat thread, a robot's day. */
export interface SessionRow {
  sessionId: string;
  conversations: number;
  /** Start of its first conversation. */
  startTime: string;
  /** Latest end of its conversations. */
  endTime: string;
  /** Sum of its conversations' durations: the session without its pauses. */
  spokenMs: number;
  /** Conversations that failed, timed out or were abandoned. */
  failures: number;
  /** Steps that were interrupted. */
  interruptions: number;
  /** Sums over its steps; absent where none says so. */
  inputTokens?: number;
  outputTokens?: number;
}

/**
 * The sessions with a conversation that starts in the window, the one whose last conversation began last first, from the
 * newest 10,000 conversations; where there are more, the coverage is incomplete and a warning says so.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function sessions(
  source: ConversationSource,
  options: SessionsOptions,
): Promise<Report<'sessions', SessionRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, limit = 10 } = options;
  checkLimit(limit);

  const asked = { name: 'conversations', window, filters, order: 'newest', limit: MAX_QUESTION_LIMIT } as const;
  const { data: newest, coverage: read } = await source.ask(asked);
  const bySession = new Map<string, ConversationRecord[]>();
  for (const conversation of newest) {
    if (conversation.sessionId === undefined) continue;
    const known = bySession.get(conversation.sessionId);
    if (known === undefined) bySession.set(conversation.sessionId, [conversation]);
    else known.push(conversation);
  }
  const data = [...bySession].slice(0, limit).map(([sessionId, conversations]) => sessionRow(sessionId, conversations));
  const coverage = withSessionWarning(warnedOfLimit(read, newest.length), newest);
  return buildReport({ command: 'sessions', source, window, timeZone, coverage, data });
}

/** The numbers of one session, of its conversations in any order. */
export function sessionRow(sessionId: string, conversations: readonly ConversationRecord[]): SessionRow {
  const starts = conversations.map(({ startTimeUnixNano }) => startTimeUnixNano);
  const ends = conversations.map(({ endTimeUnixNano }) => endTimeUnixNano);
  const spokenNano = ends.reduce((sum, end) => sum + end, 0n) - starts.reduce((sum, start) => sum + start, 0n);
  const inputTokens = sumOf(conversations, 'inputTokens');
  const outputTokens = sumOf(conversations, 'outputTokens');
  return {
    sessionId,
    conversations: conversations.length,
    startTime: formatInstant(starts.reduce((a, b) => (b < a ? b : a))),
    endTime: formatInstant(ends.reduce((a, b) => (b > a ? b : a))),
    spokenMs: millisecondsOf(spokenNano),
    failures: conversations.filter(hasFailed).length,
    interruptions: conversations.reduce((sum, { interruptedSteps }) => sum + interruptedSteps, 0),
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens }),
  };
}

/** Whether a conversation failed, timed out or was abandoned. */
export function hasFailed({ outcome }: Pick<ConversationRecord, 'outcome'>): boolean {
  return outcome !== 'open' && isFailure(outcome);
}

/** `coverage` as it is, unless as many conversations were `read` as one question hands over. */
export function warnedOfLimit(coverage: Coverage, read: number): Coverage {
  if (read < MAX_QUESTION_LIMIT) return coverage;
  const text = `only the newest ${MAX_QUESTION_LIMIT} conversations were read; choose a shorter window`;
  return { ...withWarning(coverage, { code: 'only-newest', text }), complete: false };
}

function withSessionWarning(coverage: Coverage, conversations: readonly ConversationRecord[]): Coverage {
  const without = conversations.filter(({ sessionId }) => sessionId === undefined).length;
  if (without === 0) return coverage;
  const text = `${without} of ${conversations.length} conversations carry no session.id, so they are in no session`;
  return withWarning(coverage, { code: 'without-session', text });
}

/** Undefined where no step says it. */
function sumOf(
  conversations: readonly ConversationRecord[],
  field: 'inputTokens' | 'outputTokens',
): number | undefined {
  const known = conversations.flatMap(({ usage }) => usage.flatMap(({ [field]: value }) => value ?? []));
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}
