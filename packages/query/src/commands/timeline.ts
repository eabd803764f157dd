import { THRESHOLD } from '@convotel/conventions';
import { stepOffsetsMs } from '../analytics/conversation-detail.ts';
import type { ConversationDetail } from '../answers/data.ts';
import type { Report } from '../answers/report.ts';
import { findAll } from '../findings/find-all.ts';
import { RULES_BY_COMMAND } from '../findings/rules-by-command.ts';
import type { ConversationSource } from '../questions.ts';
import { buildReport } from './build-report.ts';
import { checkNumber, checkSingle } from './check-options.ts';
import { getConversation } from './get-conversation.ts';
import type { ConversationOptions } from './summary.ts';

/**
 * One conversation as `summary` has it, every step with `offsetMs`: its start − the conversation's start.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`, `NO_SUCH_CONVERSATION`; `SourceError` when the source cannot answer.
 */
export async function timeline(
  source: ConversationSource,
  options: ConversationOptions,
): Promise<Report<'timeline', ConversationDetail>> {
  checkSingle(options);
  const { conversationId, timeZone, targetMs = THRESHOLD.targetMs } = options;
  checkNumber('targetMs', targetMs, 0);

  const { detail, spans, coverage } = await getConversation(source, conversationId);
  const offsetsMs = stepOffsetsMs(spans);
  const steps = detail.steps.map((step, index) => ({ ...step, offsetMs: offsetsMs[index]! }));
  const data = { ...detail, steps };
  const findings = findAll(RULES_BY_COMMAND.timeline, { detail: data, targetMs });
  return buildReport({ command: 'timeline', source, timeZone, coverage, data, findings });
}
