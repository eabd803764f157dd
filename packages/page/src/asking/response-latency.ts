import type { ConversationFilters, ConversationSource, Window } from '@convotel/query/answers';

/** How long users waited for the first output; absent where no conversation says so. */
export interface ResponseLatency {
  conversations: number;
  p50Ms?: number | undefined;
  p95Ms?: number | undefined;
}

/** Median and P95 of the response latency of the conversations that start in the window, as the source answers them. */
export async function responseLatency(
  source: ConversationSource,
  options: { window: Window; filters?: ConversationFilters | undefined },
): Promise<ResponseLatency> {
  const { window, filters = {} } = options;
  const { data } = await source.ask({ name: 'response-statistics', window, filters, quantiles: [0.5, 0.95] });
  const { conversations, quantilesMs } = data[0]!;
  const [p50Ms, p95Ms] = quantilesMs;
  return { conversations, p50Ms, p95Ms };
}
