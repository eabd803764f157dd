import { isFailure } from '@convotel/conventions';
import { EARLIEST_UNIX_NANO, LATEST_UNIX_NANO } from '../model/conversation.ts';
import type { ConversationFilters, ConversationRecord, Window } from '../model/conversation.ts';
import { withWarning } from '../model/coverage.ts';
import type { Coverage } from '../model/coverage.ts';
import { millisecondsOf } from '../model/numbers.ts';
import { MAX_QUESTION_LIMIT } from '../questions.ts';
import type { ConversationSource } from '../questions.ts';
import { formatInstant } from '../time/instant.ts';
import { buildReport, checkLimit, checkWindowed, coverageOfSameSpans } from './report.ts';
import type { Report, WindowedOptions } from './report.ts';

/** Maximum number of conversations that one answer reads. */
const MAX_CONVERSATIONS = 1_000_000;

/**
 * Calls `add` with every conversation that starts in the window, or with all without a window, newest first; returns
 * the coverage. Reads page by page, because the rows of one question are limited. Pages overlap at one instant, whose
 * conversations are passed only once.
 */
export async function readConversations(
  source: ConversationSource,
  { window, filters }: { window?: Window; filters: ConversationFilters },
  add: (conversation: ConversationRecord) => void,
): Promise<Coverage> {
  const coverages: Coverage[] = [];
  let read = 0;
  let isCutOff = false;
  let seenAtEdge = new Set<string>();
  const whole = window ?? { sinceUnixNano: EARLIEST_UNIX_NANO, untilUnixNano: LATEST_UNIX_NANO };
  let pageWindow = window;
  for (;;) {
    const page = { name: 'conversations', order: 'newest', limit: MAX_QUESTION_LIMIT, filters } as const;
    const { data, coverage } = await source.ask({ ...page, ...(pageWindow && { window: pageWindow }) });
    coverages.push(coverage);
    for (const conversation of data) {
      if (seenAtEdge.has(conversation.traceId)) continue;
      add(conversation);
      read += 1;
    }
    const oldest = data.at(-1)?.startTimeUnixNano;
    if (oldest === undefined || data.length < MAX_QUESTION_LIMIT) break;
    seenAtEdge = new Set(data.filter((each) => each.startTimeUnixNano === oldest).map(({ traceId }) => traceId));
    // If a whole page starts at one instant, there may be more conversations at that instant than one question can
    // return.
    const isOneInstant = seenAtEdge.size === data.length;
    isCutOff ||= isOneInstant || read >= MAX_CONVERSATIONS;
    pageWindow = { ...whole, untilUnixNano: isOneInstant ? oldest : oldest + 1n };
    if (read >= MAX_CONVERSATIONS || pageWindow.untilUnixNano <= whole.sinceUnixNano) break;
  }
  // Pages overlap, so their counts cannot be added up. Any question about the window has the right coverage.
  if (coverages.length > 1) {
    coverages.unshift((await source.ask({ name: 'common-errors', window: whole, filters, limit: 1 })).coverage);
  }
  const all = coverageOfSameSpans(...(coverages as [Coverage, ...Coverage[]]));
  return isCutOff ? onlyNewest(all, read) : all;
}

/** `coverage` with the warning that only the newest conversations were read. */
function onlyNewest(coverage: Coverage, read: number): Coverage {
  const text = `only the newest ${read} conversations were read; choose a shorter window`;
  return { ...withWarning(coverage, { code: 'only-newest', text }), complete: false };
}

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
 * The sessions with a conversation that starts in the window, ordered by the start of their last conversation, newest
 * first. Reads up to a million conversations; if there are more, the coverage is incomplete, with a warning.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
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

/** The row of one session. `conversations` may be in any order. */
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
