import { foldIntoHours, type Answer, type ConversationCount, type ConversationCountsQuestion } from '@convotel/query';
import { type Asking, windowValues } from './asking.ts';
import { coverWindow } from './coverage.ts';

const QUARTER_HOUR_NANO = 900_000_000_000n;

/** `ConversationSource.conversationCounts`. DuckDB would need an extension for time zones, which Node has built in. */
export async function countConversations(
  asking: Asking,
  { window, by, timeZone }: ConversationCountsQuestion,
): Promise<Answer<ConversationCount[]>> {
  const rows = await asking.rows('conversation-counts', { values: windowValues(window) });
  const quarterHours = rows
    .filter((row) => row['quarter_hour'] !== null)
    .map((row) => ({
      startUnixNano: (row['quarter_hour'] as bigint) * QUARTER_HOUR_NANO,
      conversations: Number(row['conversations']),
    }));
  const seen = rows.reduce((sum, row) => sum + Number(row['seen']), 0);
  const { coverage } = await coverWindow(asking, window, seen);
  return { data: foldIntoHours(quarterHours, by, timeZone), coverage };
}
