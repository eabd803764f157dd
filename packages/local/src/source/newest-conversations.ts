import type { Window } from '@convotel/query';
import { type Asking, windowValues } from './asking.ts';
import { type Extent, readExtent } from './coverage.ts';

/** Where a conversation is, and its start in Unix nanoseconds. */
export interface StartedConversation {
  traceId: bigint;
  startNs: bigint;
}

/** Starts of roots and steps looked at first for each conversation asked for; most have fewer. */
const STARTS_PER_CONVERSATION = 16n;
/** By how much to look further back when that was not enough. */
const WIDENING = 8n;

/**
 * The `limit` newest conversations that start in `window`, in order: newest first, then by trace id.
 *
 * Looks at the end of the window, and further back until there are enough: a conversation that starts there is found
 * there, so what has been found is exact, and grouping everything would take ten times as long.
 * @param knownExtent - That of `window`, where it is known already.
 * @param completedAboveNano - Only conversations with more than this many nanoseconds in completed outermost steps.
 */
export async function findNewest(
  asking: Asking,
  window: Window | undefined,
  limit: number,
  completedAboveNano = -1n,
  knownExtent?: Extent,
): Promise<StartedConversation[]> {
  const values = windowValues(window);
  const extent = knownExtent ?? readExtent((await asking.rows('extent', { values }))[0]!);
  if (extent === undefined) return [];
  const { starts, oldestNs: oldest, newestNs: newest } = extent;
  let span = ((newest - oldest) * BigInt(limit) * STARTS_PER_CONVERSATION) / starts + 1n;
  for (;;) {
    const since = newest - span > oldest ? newest - span : oldest;
    const rows = await asking.rows('newest-conversations', {
      values: {
        since_ns: since,
        until_ns: values.until_ns,
        completed_above_ns: completedAboveNano,
        row_limit: BigInt(limit),
      },
    });
    if (rows.length === limit || since === oldest)
      return rows.map((row) => ({ traceId: row['trace_id'] as bigint, startNs: row['first_ns'] as bigint }));
    span *= WIDENING;
  }
}
