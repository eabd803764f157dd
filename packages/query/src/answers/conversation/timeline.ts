import { findAll } from '../../findings/finding.ts';
import type { ConversationSource } from '../../questions.ts';
import { buildReport } from '../report.ts';
import type { Report } from '../report.ts';
import { getConversation, stepOffsetsMs } from './conversation-detail.ts';
import type { ConversationDetail, OneConversationOptions } from './conversation-detail.ts';
import { bottleneckStep, unattributedTime } from './step-findings.ts';

/**
 * One conversation as in `summary`; every step also has `offsetMs`, its start − the conversation's start.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`, `NO_SUCH_CONVERSATION`; `SourceError` if the source cannot answer.
 */
export async function timeline(
  source: ConversationSource,
  options: OneConversationOptions,
): Promise<Report<'timeline', ConversationDetail>> {
  const { detail, spans, coverage } = await getConversation(source, options);
  const { timeZone } = options;
  const offsetsMs = stepOffsetsMs(spans);
  // The rows were made for this answer alone, and copies of very many take long.
  for (let index = 0; index < offsetsMs.length; index++) detail.steps[index]!.offsetMs = offsetsMs[index]!;
  const findings = findAll(timelineRules, { detail });
  return buildReport({ command: 'timeline', source, timeZone, coverage, data: detail, findings });
}

/** The findings of `timeline`, in the order in which they are printed. */
export const timelineRules = [bottleneckStep, unattributedTime];
