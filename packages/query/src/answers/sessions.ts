import { isFailure } from '@convotel/conventions';
import type { ConversationRecord } from '../model/conversation.ts';
import { withWarning } from '../model/coverage.ts';
import { millisecondsOf } from '../model/numbers.ts';
import type { ConversationSource } from '../questions.ts';
import { formatInstant } from '../time/instant.ts';
import { readConversations } from './read-conversations.ts';
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
 * The sessions with a conversation that starts in the window, the one whose last conversation began last first. Reads as
 * many conversations as there are, up to a million; where there are more, the coverage is incomplete and a warning says so.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function sessions(
  source: ConversationSource,
  options: SessionsOptions,
): Promise<Report<'sessions', SessionRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, limit = 10 } = options;
  checkLimit(limit);

  const bySession = new Map<string, SessionSum>();
  let without = 0;
  let all = 0;
  const read = await readConversations(source, { window, filters }, (conversation) => {
    all += 1;
    const { sessionId } = conversation;
    if (sessionId === undefined) {
      without += 1;
      return;
    }
    let sum = bySession.get(sessionId);
    if (sum === undefined) bySession.set(sessionId, (sum = new SessionSum()));
    sum.add(conversation);
  });
  const data = [...bySession].slice(0, limit).map(([sessionId, sum]) => sum.row(sessionId));
  const text = `${without} of ${all} conversations carry no session.id, so they are in no session`;
  const coverage = without === 0 ? read : withWarning(read, { code: 'without-session', text });
  return buildReport({ command: 'sessions', source, window, timeZone, coverage, data });
}

/** The numbers of one session, of its conversations in any order. */
export function sessionRow(sessionId: string, conversations: readonly ConversationRecord[]): SessionRow {
  const sum = new SessionSum();
  for (const conversation of conversations) sum.add(conversation);
  return sum.row(sessionId);
}

/** Adds up the conversations of one session. */
class SessionSum {
  #conversations = 0;
  #startUnixNano: bigint | undefined;
  #endUnixNano = 0n;
  #spokenNano = 0n;
  #failures = 0;
  #interruptions = 0;
  readonly #tokens: Pick<SessionRow, 'inputTokens' | 'outputTokens'> = {};

  add(conversation: ConversationRecord): void {
    const { startTimeUnixNano: start, endTimeUnixNano: end, interruptedSteps, usage } = conversation;
    this.#conversations += 1;
    if (this.#startUnixNano === undefined || start < this.#startUnixNano) this.#startUnixNano = start;
    if (end > this.#endUnixNano) this.#endUnixNano = end;
    this.#spokenNano += end - start;
    if (hasFailed(conversation)) this.#failures += 1;
    this.#interruptions += interruptedSteps;
    for (const used of usage) {
      for (const field of ['inputTokens', 'outputTokens'] as const) {
        const tokens = used[field];
        if (tokens !== undefined) this.#tokens[field] = (this.#tokens[field] ?? 0) + tokens;
      }
    }
  }

  row(sessionId: string): SessionRow {
    return {
      sessionId,
      conversations: this.#conversations,
      startTime: formatInstant(this.#startUnixNano ?? 0n),
      endTime: formatInstant(this.#endUnixNano),
      spokenMs: millisecondsOf(this.#spokenNano),
      failures: this.#failures,
      interruptions: this.#interruptions,
      ...this.#tokens,
    };
  }
}

/** Whether a conversation failed, timed out or was abandoned. */
export function hasFailed({ outcome }: Pick<ConversationRecord, 'outcome'>): boolean {
  return outcome !== 'open' && isFailure(outcome);
}
