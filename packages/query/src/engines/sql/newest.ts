import { CONVERSATIONS_THAT_DECIDE, orderAllSteps } from '../../model/step-order.ts';
import { millisecondsOf } from '../../model/numbers.ts';
import type { Window } from '../../model/window.ts';
import { findRoughExtent } from './coverage.ts';
import type { Extent } from './coverage.ts';
import { windowValues } from './sql-store.ts';
import type { SqlRow, SqlStore, TraceKey } from './sql-store.ts';

/** Spans looked at first for each conversation asked for; most have fewer. */
const SPANS_PER_CONVERSATION = 16n;
/** By how much to look further back when that was not enough. */
const WIDENING_FACTOR = 8n;

/** Which conversations to look for. */
export interface NewestQuestion {
  /** Everything when absent. */
  window: Window | undefined;
  /** How many. */
  limit: number;
  /** Only conversations that last longer than this many nanoseconds. */
  aboveNano?: bigint | undefined;
}

/** The `limit` newest conversations that start in the window: newest first, then by trace id. */
export async function findNewest(
  store: SqlStore,
  { window, limit, aboveNano = -1n }: NewestQuestion,
): Promise<TraceKey[]> {
  const extent = await findRoughExtent(store, window);
  return lookBack({ window, limit, extent }, async (values) => {
    const rows = await store.rows('newest-conversations', { ...values, above_ns: aboveNano });
    return rows.map((row) => row['trace_id'] as TraceKey);
  });
}

/** `steps` in step order. `extent` is that of `window`. */
export async function orderStepsOf(
  store: SqlStore,
  window: Window,
  steps: readonly string[],
  extent: Extent | undefined,
): Promise<string[]> {
  if (steps.length < 2) return [...steps];
  const newest = await lookBack({ window, limit: CONVERSATIONS_THAT_DECIDE, extent }, async (values) =>
    rowsByTrace(await store.rows('newest-first-starts', values)),
  );
  const offsetsMs = newest.map((rows) => {
    const ofSteps = rows.filter((row) => row['step'] !== null);
    return new Map(ofSteps.map((row) => [row['step'] as string, millisecondsOf(row['offset_ns'] as bigint)]));
  });
  return orderAllSteps(offsetsMs, steps);
}

/** Rows grouped by their `trace_id`, in the order in which each trace comes first. */
function rowsByTrace(rows: readonly SqlRow[]): SqlRow[][] {
  const byTrace = new Map<TraceKey, SqlRow[]>();
  for (const row of rows) {
    const key = row['trace_id'] as TraceKey;
    const known = byTrace.get(key);
    if (known === undefined) byTrace.set(key, [row]);
    else known.push(row);
  }
  return [...byTrace.values()];
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
  let width = ((newest - oldest) * BigInt(limit) * SPANS_PER_CONVERSATION) / BigInt(spans) + 1n;
  for (;;) {
    const since = newest - width > oldest ? newest - width : oldest;
    const found = await ask({ ...windowValues(window), since_ns: since, row_limit: BigInt(limit) });
    if (found.length === limit || since === oldest) return found;
    width *= WIDENING_FACTOR;
  }
}
