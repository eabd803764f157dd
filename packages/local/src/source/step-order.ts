import { LIST, listValue, UHUGEINT } from '@duckdb/node-api';
import { appendMissingSteps, orderSteps, type Window } from '@convotel/query';
import type { Asking } from './asking.ts';
import type { Extent } from './coverage.ts';
import { findNewest } from './newest-conversations.ts';

/** How many of the newest conversations of the window decide the order of steps. */
const CONVERSATIONS_THAT_DECIDE = 500;

/** `steps` in step order. `extent` is that of `window`. */
export async function orderStepsOf(
  asking: Asking,
  window: Window,
  steps: readonly string[],
  extent: Extent | undefined,
): Promise<string[]> {
  if (steps.length < 2) return [...steps];
  const newest = await findNewest(asking, window, CONVERSATIONS_THAT_DECIDE, undefined, extent);
  const rows = await asking.rows('first-starts', {
    values: {
      trace_ids: listValue(newest.map(({ traceId }) => traceId)),
      since_ns: newest.at(-1)?.startNs ?? 0n,
    },
    types: { trace_ids: LIST(UHUGEINT) },
  });
  const startByTrace = new Map(newest.map(({ traceId, startNs }) => [traceId, startNs]));
  const offsetsByTrace = new Map<bigint, Map<string, number>>();
  for (const row of rows) {
    const traceId = row['trace_id'] as bigint;
    let offsets = offsetsByTrace.get(traceId);
    if (offsets === undefined) offsetsByTrace.set(traceId, (offsets = new Map()));
    offsets.set(row['step'] as string, Number((row['first_ns'] as bigint) - startByTrace.get(traceId)!) / 1e6);
  }
  const wanted = new Set(steps);
  const ordered = appendMissingSteps(orderSteps([...offsetsByTrace.values()]), steps);
  return ordered.filter((step) => wanted.has(step));
}
