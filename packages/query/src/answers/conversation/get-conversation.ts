import { THRESHOLD } from '@convotel/conventions';
import { withWarning } from '../../model/coverage.ts';
import type { Coverage } from '../../model/coverage.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { QueryError } from '../../query-error.ts';
import type { ConversationSource } from '../../questions.ts';
import { checkNumber, checkSingle } from '../options.ts';
import type { SingleOptions } from '../options.ts';
import { conversationDetail } from './conversation-detail.ts';
import type { ConversationDetail } from './conversation-detail.ts';

/** What `summary`, `trace` and `timeline` are asked with. */
export interface OneConversationOptions extends SingleOptions {
  /** A conversation with a total below it meets the target, which the findings mention. @defaultValue `7000` */
  targetMs?: number | undefined;
}

/** One conversation as the answers that take an id need it. */
export interface ConversationFound {
  detail: ConversationDetail;
  spans: SpanRecord[];
  /** Warns of other traces that carry the same conversation id. */
  coverage: Coverage;
  targetMs: number;
}

/**
 * Checks `options` and asks `source` for that conversation.
 * @throws {@link QueryError} `OPTION_OUT_OF_RANGE`, `NO_SUCH_CONVERSATION`
 */
export async function getConversation(
  source: ConversationSource,
  options: OneConversationOptions,
): Promise<ConversationFound> {
  checkSingle(options);
  const { conversationId, targetMs = THRESHOLD.targetMs } = options;
  checkNumber('targetMs', targetMs, 0);

  const { data, coverage } = await source.ask({ name: 'conversation', conversationId });
  const { spans, otherTraceIds } = data;
  const detail = conversationDetail(spans);
  if (detail === undefined) {
    const unread = coverage.complete ? '' : `. ${coverage.warnings.map(({ text }) => text).join(' ')}`;
    throw new QueryError(
      'NO_SUCH_CONVERSATION',
      `no conversation ${JSON.stringify(conversationId)} in ${source.location}; "recent" lists the newest ones${unread}`,
    );
  }
  if (otherTraceIds.length === 0) return { detail, spans, coverage, targetMs };
  const text = `other traces carry this conversation id too: ${otherTraceIds.join(', ')}; ask for one by its trace id`;
  return { detail, spans, coverage: withWarning(coverage, { code: 'other-traces', text }), targetMs };
}
