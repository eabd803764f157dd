import type { Window } from '@convotel/query';
import type { SpanRow } from '../store/span-row.ts';
import { type Asking, windowValues } from './asking.ts';
import { type Extent, findExtent } from './extent.ts';

/** Spans looked at first for each conversation asked for; most have fewer. */
const SPANS_PER_CONVERSATION = 16n;
/** By how much to look further back when that was not enough. */
const WIDENING = 8n;

/** Which conversations to look for. */
export interface NewestQuestion {
  /** All that there is when absent. */
  window: Window | undefined;
  /** How many. */
  limit: number;
  /** Only conversations with more than this many nanoseconds in completed outermost steps. */
  completedAboveNano?: bigint | undefined;
}

/** Trace ids of the `limit` newest conversations that start in the window, in order: newest first, then by trace id. */
export async function findNewest(
  asking: Asking,
  { window, limit, completedAboveNano = -1n }: NewestQuestion,
): Promise<bigint[]> {
  const extent = await findExtent(asking, window);
  return lookBack({ window, limit, extent }, async (values) => {
    const rows = await asking.rows('newest-conversations', {
      values: { ...values, completed_above_ns: completedAboveNano },
    });
    return rows.map((row) => row['trace_id'] as bigint);
  });
}

/**
 * The rows of `sql/newest-first-starts.sql`, by trace id, for the `limit` newest conversations that start in the window.
 * @param question.extent - That of the window.
 */
export function findNewestFirstStarts(
  asking: Asking,
  question: { window: Window; limit: number; extent: Extent | undefined },
): Promise<SpanRow[][]> {
  return lookBack(question, async (values) => {
    const rowsByTrace = new Map<bigint, SpanRow[]>();
    for (const row of await asking.rows('newest-first-starts', { values })) {
      const traceId = row['trace_id'] as bigint;
      const rows = rowsByTrace.get(traceId);
      if (rows === undefined) rowsByTrace.set(traceId, [row]);
      else rows.push(row);
    }
    return [...rowsByTrace.values()];
  });
}

/**
 * Asks about the end of the window, and further back until there are `limit` conversations: one that starts there is
 * found there, so what has been found is exact, and grouping everything would take ten times as long.
 */
async function lookBack<Found>(
  { window, limit, extent }: { window: Window | undefined; limit: number; extent: Extent | undefined },
  ask: (values: { since_ns: bigint; until_ns: bigint; row_limit: bigint }) => Promise<Found[]>,
): Promise<Found[]> {
  if (extent === undefined) return [];
  const { spans, oldestNs: oldest, newestNs: newest } = extent;
  let span = ((newest - oldest) * BigInt(limit) * SPANS_PER_CONVERSATION) / BigInt(spans) + 1n;
  for (;;) {
    const since = newest - span > oldest ? newest - span : oldest;
    const found = await ask({ ...windowValues(window), since_ns: since, row_limit: BigInt(limit) });
    if (found.length === limit || since === oldest) return found;
    span *= WIDENING;
  }
}
