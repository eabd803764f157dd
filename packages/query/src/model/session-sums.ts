import { isFailure } from '@convotel/conventions';
import type { ConversationRecord } from './conversation.ts';
import { compareBigint, compareText } from './order.ts';

/** A session in numbers, such as a phone call or a chat thread. */
export interface SessionSum {
  sessionId: string;
  conversations: number;
  /** Start of its first conversation. */
  startTimeUnixNano: bigint;
  /** Start of its last conversation. */
  lastStartUnixNano: bigint;
  /** Latest end of its conversations. */
  endTimeUnixNano: bigint;
  /** Sum of its conversations' durations: the session without its pauses. */
  spokenNano: bigint;
  /** Number of conversations that failed, timed out or were abandoned. */
  failures: number;
  /** Number of steps that were interrupted. */
  interruptions: number;
  /** Sum over its steps; absent if none has it. */
  inputTokens?: number;
  outputTokens?: number;
}

/** Sessions, and how many conversations are in none. */
export interface SessionSums {
  /** By the start of their last conversation, newest first, then by id. */
  sessions: SessionSum[];
  /** Number of all conversations. */
  conversations: number;
  /** Number of those without a session id. */
  withoutSession: number;
}

/** Adds up `conversations` by session. Of the sessions, the `limit` newest. */
export function sumBySession(conversations: Iterable<ConversationRecord>, limit: number): SessionSums {
  const sums = new Map<string, SessionSum>();
  let [all, withoutSession] = [0, 0];
  for (const conversation of conversations) {
    all += 1;
    const { sessionId } = conversation;
    if (sessionId === undefined) {
      withoutSession += 1;
      continue;
    }
    let sum = sums.get(sessionId);
    if (sum === undefined) sums.set(sessionId, (sum = emptySession(sessionId, conversation)));
    addTo(sum, conversation);
  }
  return { sessions: inOrder([...sums.values()]).slice(0, limit), conversations: all, withoutSession };
}

/** Adds up `conversations`, at least one, as those of one session. */
export function sumSession(sessionId: string, conversations: readonly ConversationRecord[]): SessionSum {
  const sum = emptySession(sessionId, conversations[0]!);
  for (const conversation of conversations) addTo(sum, conversation);
  return sum;
}

function emptySession(sessionId: string, { startTimeUnixNano, endTimeUnixNano }: ConversationRecord): SessionSum {
  return {
    sessionId,
    conversations: 0,
    startTimeUnixNano,
    lastStartUnixNano: startTimeUnixNano,
    endTimeUnixNano,
    spokenNano: 0n,
    failures: 0,
    interruptions: 0,
  };
}

function addTo(sum: SessionSum, conversation: ConversationRecord): void {
  const { startTimeUnixNano: start, endTimeUnixNano: end, outcome, interruptedSteps, usage } = conversation;
  sum.conversations += 1;
  if (start < sum.startTimeUnixNano) sum.startTimeUnixNano = start;
  if (start > sum.lastStartUnixNano) sum.lastStartUnixNano = start;
  if (end > sum.endTimeUnixNano) sum.endTimeUnixNano = end;
  sum.spokenNano += end - start;
  if (hasFailed({ outcome })) sum.failures += 1;
  sum.interruptions += interruptedSteps;
  for (const used of usage) {
    for (const field of ['inputTokens', 'outputTokens'] as const) {
      const tokens = used[field];
      if (tokens !== undefined) sum[field] = (sum[field] ?? 0) + tokens;
    }
  }
}

function inOrder(sums: readonly SessionSum[]): SessionSum[] {
  return sums.toSorted(
    (a, b) => compareBigint(b.lastStartUnixNano, a.lastStartUnixNano) || compareText(a.sessionId, b.sessionId),
  );
}

/** Whether a conversation failed, timed out or was abandoned. */
export function hasFailed({ outcome }: Pick<ConversationRecord, 'outcome'>): boolean {
  return outcome !== 'open' && isFailure(outcome);
}
