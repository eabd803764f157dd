import { conversationDetail } from '../analytics/conversation-detail.ts';
import type { ConversationDetail } from '../answers/data.ts';
import { QueryError } from '../answers/query-error.ts';
import { withWarning } from '../model/coverage.ts';
import type { Coverage } from '../model/coverage.ts';
import type { SpanRecord } from '../model/span-record.ts';
import type { ConversationSource } from '../questions.ts';

/** One conversation as the commands that take an id need it. */
export interface ConversationFound {
  detail: ConversationDetail;
  spans: SpanRecord[];
  /** Warns of other traces that carry the same conversation id. */
  coverage: Coverage;
}

/**
 * Asks `source` for one conversation.
 * @throws {@link QueryError} `NO_SUCH_CONVERSATION`
 */
export async function getConversation(source: ConversationSource, conversationId: string): Promise<ConversationFound> {
  const { data, coverage } = await source.ask({ name: 'conversation', conversationId: conversationId });
  const detail = conversationDetail(data.spans);
  if (detail === undefined) {
    const unread = coverage.complete ? '' : `. ${coverage.warnings.map(({ text }) => text).join(' ')}`;
    throw new QueryError(
      'NO_SUCH_CONVERSATION',
      `no conversation ${JSON.stringify(conversationId)} in ${source.location}; "recent" lists the newest ones${unread}`,
    );
  }
  const { otherTraceIds } = data;
  if (otherTraceIds.length === 0) return { detail, spans: data.spans, coverage };
  const text = `other traces carry this conversation id too: ${otherTraceIds.join(', ')}; ask for one by its trace id`;
  return { detail, spans: data.spans, coverage: withWarning(coverage, { code: 'other-traces', text }) };
}
