import { THRESHOLD } from '@convotel/conventions';
import type { ConversationDetail } from '../answers/data.ts';
import type { Report } from '../answers/report.ts';
import type { SingleOptions } from '../answers/options.ts';
import { findAll } from '../findings/find-all.ts';
import { RULES_BY_COMMAND } from '../findings/rules-by-command.ts';
import type { ConversationSource } from '../questions.ts';
import { buildReport } from './build-report.ts';
import { checkNumber, checkSingle } from './check-options.ts';
import { getConversation } from './get-conversation.ts';

/** What {@link summary}, `trace` and `timeline` are asked with. */
export interface ConversationOptions extends SingleOptions {
  /** A conversation with a total under it satisfies; the findings name it. @defaultValue `7000` */
  targetMs?: number | undefined;
}

/**
 * What one conversation took, in all and in each step, and each step's share of the total.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`, `NO_SUCH_CONVERSATION`; `SourceError` when the source cannot answer.
 */
export async function summary(
  source: ConversationSource,
  options: ConversationOptions,
): Promise<Report<'summary', ConversationDetail>> {
  checkSingle(options);
  const { conversationId, timeZone, targetMs = THRESHOLD.targetMs } = options;
  checkNumber('targetMs', targetMs, 0);

  const { detail, coverage } = await getConversation(source, conversationId);
  const findings = findAll(RULES_BY_COMMAND.summary, { detail, targetMs });
  return buildReport({ command: 'summary', source, timeZone, coverage, data: detail, findings });
}
