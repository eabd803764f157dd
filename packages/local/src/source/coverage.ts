import { samplingWarnings, type Coverage, type SpanRecord, type Window } from '@convotel/query';
import type { SpanRow } from '../store/span-row.ts';
import { type Asking, windowValues } from './asking.ts';

/** From when to when roots and steps of a window start, in Unix nanoseconds, and how many there are. */
export interface Extent {
  starts: bigint;
  oldestNs: bigint;
  newestNs: bigint;
}

/** The extent that `sql/extent.sql` or `sql/coverage.sql` selected; undefined where nothing starts. */
export function readExtent(row: SpanRow): Extent | undefined {
  const starts = row['starts'] as bigint;
  if (starts === 0n) return undefined;
  return { starts, oldestNs: row['oldest_ns'] as bigint, newestNs: row['newest_ns'] as bigint };
}

/** Coverage of a question with a window: the spans that start in it, and the conversations among them. */
export async function coverWindow(asking: Asking, window: Window | undefined): Promise<Coverage> {
  return (await coverWithExtent(asking, window)).coverage;
}

/** As {@link coverWindow}, with the extent, which the same pass over the spans tells. */
export async function coverWithExtent(
  asking: Asking,
  window: Window | undefined,
): Promise<{ coverage: Coverage; extent: Extent | undefined }> {
  const values = windowValues(window);
  const [counts] = await asking.rows('coverage', { values });
  const programs = await asking.rows('sampled-programs', { values });
  const coverage: Coverage = {
    conversations: Number(counts!['conversations']),
    spans: Number(counts!['spans']),
    complete: true,
    warnings: samplingWarnings(
      programs.map((row) => ({
        serviceName: (row['service_name'] as string | null) ?? '',
        samplingRatio: row['sampling_ratio'] as number,
      })),
    ),
  };
  return { coverage, extent: readExtent(counts!) };
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
