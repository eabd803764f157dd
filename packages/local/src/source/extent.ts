import type { Window } from '@convotel/query';
import { type Asking, windowValues } from './asking.ts';

/** How many spans start in a window, and from when to when, in Unix nanoseconds. */
export interface Extent {
  spans: number;
  oldestNs: bigint;
  newestNs: bigint;
}

/** The extent of `window`, or of everything; undefined where nothing starts. */
export async function findExtent(asking: Asking, window: Window | undefined): Promise<Extent | undefined> {
  const [row] = await asking.rows('extent', { values: windowValues(window) });
  const spans = Number(row!['spans']);
  if (spans === 0) return undefined;
  return { spans, oldestNs: row!['oldest_ns'] as bigint, newestNs: row!['newest_ns'] as bigint };
}
