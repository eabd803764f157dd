import { samplingWarnings } from '../../model/coverage.ts';
import type { Coverage } from '../../model/coverage.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import type { Window } from '../../model/window.ts';
import { windowValues } from './sql-store.ts';
import type { SqlStore } from './sql-store.ts';

/** How many spans start in a window, and from when to when, in Unix nanoseconds. */
export interface Extent {
  spans: number;
  oldestNs: bigint;
  newestNs: bigint;
}

/** The extent of `window`, or of everything; undefined where nothing starts. */
export async function findExtent(store: SqlStore, window: Window | undefined): Promise<Extent | undefined> {
  const [row] = await store.rows('extent', windowValues(window));
  const spans = Number(row!['spans']);
  if (spans === 0) return undefined;
  return { spans, oldestNs: row!['oldest_ns'] as bigint, newestNs: row!['newest_ns'] as bigint };
}

/**
 * What the answer to a question with a window rests on: the spans that start in it, and the conversations among them.
 * @param knownConversations How many conversations there are in it, where that is known already.
 */
export async function coverWindow(
  store: SqlStore,
  window: Window | undefined,
  knownConversations?: number,
): Promise<{ coverage: Coverage; extent: Extent | undefined }> {
  const extent = await findExtent(store, window);
  const programs = await store.rows('sampled-programs', windowValues(window));
  const coverage: Coverage = {
    conversations: knownConversations ?? (await countSeen(store, window)),
    spans: extent?.spans ?? 0,
    complete: true,
    warnings: samplingWarnings(
      programs.map((row) => ({
        serviceName: (row['service_name'] as string | null) ?? '',
        samplingRatio: row['sampling_ratio'] as number,
      })),
    ),
  };
  return { coverage, extent };
}

async function countSeen(store: SqlStore, window: Window | undefined): Promise<number> {
  const [row] = await store.rows('coverage', windowValues(window));
  return Number(row!['conversations']);
}

/** Coverage of an answer that rests on whole conversations: all of their spans. */
export function coverConversations(conversations: readonly (readonly SpanRecord[])[]): Coverage {
  const spans = conversations.flat();
  return {
    conversations: conversations.length,
    spans: spans.length,
    complete: true,
    warnings: samplingWarnings(spans),
  };
}
