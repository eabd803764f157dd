import { samplingWarnings, type Coverage, type SpanRecord, type Window } from '@convotel/query';
import { type Asking, windowValues } from './asking.ts';

/** Coverage of a question with a window: the spans that start in it, and the conversations among them. */
export async function coverWindow(asking: Asking, window: Window | undefined): Promise<Coverage> {
  const values = windowValues(window);
  const [counts] = await asking.rows('coverage', { values });
  const programs = await asking.rows('sampled-programs', { values });
  return {
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
