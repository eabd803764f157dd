import type { Answer, CommonError, CommonErrorsQuestion } from '@convotel/query';
import { type Asking, windowValues } from './asking.ts';
import { coverWindow } from './coverage.ts';
import { numberConversations } from './numbered-conversations.ts';

/** `ConversationSource.commonErrors`. */
export async function gatherCommonErrors(
  asking: Asking,
  { window, limit }: CommonErrorsQuestion,
): Promise<Answer<CommonError[]>> {
  const rows = await asking.rows('common-errors', { values: { ...windowValues(window), row_limit: BigInt(limit) } });
  const traceIds = [...new Set(rows.map((row) => row['trace_id'] as bigint))];
  const numbered = await numberConversations(asking, traceIds);
  const idByTrace = new Map(traceIds.map((traceId, index) => [traceId, numbered[index]!.conversation.conversationId]));
  const data = rows.map((row): CommonError => ({
    step: row['step'] as string,
    ...(row['error_type'] !== null && { errorType: row['error_type'] as string }),
    ...(row['error_message'] !== null && { message: row['error_message'] as string }),
    count: Number(row['failures']),
    lastSeenUnixNano: row['last_seen_ns'] as bigint,
    conversationId: idByTrace.get(row['trace_id'] as bigint)!,
  }));
  const { coverage } = await coverWindow(asking, window);
  return { data, coverage };
}
