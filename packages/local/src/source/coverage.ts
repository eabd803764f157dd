import { samplingWarnings, type Coverage, type SpanRecord, type Window } from '@convotel/query';
import { type Asking, windowValues } from './asking.ts';
import { type Extent, findExtent } from './extent.ts';

/** What the answer to a question with a window rests on. */
export interface CoveredWindow {
  /** The spans that start in the window, and the conversations among them. */
  coverage: Coverage;
  extent: Extent | undefined;
}

/**
 * Covers a question with a window.
 * @param knownConversations - How many conversations there are in it, where that is known already.
 */
export async function coverWindow(
  asking: Asking,
  window: Window | undefined,
  knownConversations?: number,
): Promise<CoveredWindow> {
  const extent = await findExtent(asking, window);
  const values = windowValues(window);
  const programs = await asking.rows('sampled-programs', { values });
  const coverage: Coverage = {
    conversations: knownConversations ?? (await countSeen(asking, window)),
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

async function countSeen(asking: Asking, window: Window | undefined): Promise<number> {
  const [row] = await asking.rows('coverage', { values: windowValues(window) });
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
