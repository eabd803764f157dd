import { isInWindow, type Window } from '@convotel/query';
import { type Asking, windowValues } from './asking.ts';
import { type NumberedConversation, numberConversations } from './numbered-conversations.ts';

/** Starts read at first for each conversation asked for; most conversations have fewer steps and a root. */
const STARTS_PER_CONVERSATION = 12;
const FEWEST_STARTS = 256;
/** By how much to read more when that was not enough. */
const WIDENING = 4;

/** Which conversations count; all when absent. */
export type Chooser = (conversation: NumberedConversation) => boolean;

/**
 * The `limit` newest conversations that start in `window`, in order. Reads the newest spans, and more of them until no
 * conversation left out can be newer: grouping everything would take ten times as long.
 */
export async function findNewest(
  asking: Asking,
  window: Window | undefined,
  limit: number,
  isChosen: Chooser = () => true,
): Promise<NumberedConversation[]> {
  let rowLimit = Math.max(limit * STARTS_PER_CONVERSATION, FEWEST_STARTS);
  for (;;) {
    const rows = await asking.rows('candidates-newest', {
      values: { ...windowValues(window), row_limit: BigInt(rowLimit) },
    });
    const isEverything = rows.length < rowLimit;
    const oldest = isEverything ? -1n : (rows.at(-1)!['start_ns'] as bigint);
    const traceIds = new Set(rows.map((row) => row['trace_id'] as bigint));
    const candidates = await numberConversations(asking, [...traceIds]);
    const certain = [...candidates.values()].filter(
      (candidate) =>
        candidate.conversation.startTimeUnixNano > oldest &&
        isInWindow(candidate.conversation.startTimeUnixNano, window) &&
        isChosen(candidate),
    );
    if (isEverything || certain.length >= limit) return certain.sort(compareNewestFirst).slice(0, limit);
    rowLimit *= WIDENING;
  }
}

function compareNewestFirst(
  { conversation: a }: NumberedConversation,
  { conversation: b }: NumberedConversation,
): number {
  if (a.startTimeUnixNano !== b.startTimeUnixNano) return a.startTimeUnixNano > b.startTimeUnixNano ? -1 : 1;
  return a.traceId < b.traceId ? -1 : 1;
}
