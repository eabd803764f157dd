import { THRESHOLD } from '@convotel/conventions';
import { coverageOfSameSpans } from '../analytics/combine-coverage.ts';
import { missingSteps } from '../analytics/missing-steps.ts';
import type { ConversationDetail } from '../answers/data.ts';
import type { Report } from '../answers/report.ts';
import { findAll } from '../findings/find-all.ts';
import { RULES_BY_COMMAND } from '../findings/rules-by-command.ts';
import type { Answer } from '../model/coverage.ts';
import type { ConversationSource } from '../questions.ts';
import { buildReport } from './build-report.ts';
import { checkNumber, checkSingle } from './check-options.ts';
import { getConversation } from './get-conversation.ts';
import type { ConversationOptions } from './summary.ts';

/** How many of the newest conversations say which steps a conversation should have had. */
const CONVERSATIONS_COMPARED = 50;

/**
 * One conversation as `summary` has it; the findings also know which steps it did not get to.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`, `NO_SUCH_CONVERSATION`; `SourceError` when the source cannot answer.
 */
export async function trace(
  source: ConversationSource,
  options: ConversationOptions,
): Promise<Report<'trace', ConversationDetail>> {
  checkSingle(options);
  const { conversationId, timeZone, targetMs = THRESHOLD.targetMs } = options;
  checkNumber('targetMs', targetMs, 0);

  const { detail, coverage } = await getConversation(source, conversationId);
  const missing = detail.outcome === 'completed' ? undefined : await findMissingSteps(source, detail);
  const findings = findAll(RULES_BY_COMMAND.trace, { detail, targetMs, missingSteps: missing?.data ?? [] });
  return buildReport({
    command: 'trace',
    source,
    timeZone,
    coverage: missing === undefined ? coverage : coverageOfSameSpans(coverage, missing.coverage),
    data: detail,
    findings,
  });
}

async function findMissingSteps(source: ConversationSource, detail: ConversationDetail): Promise<Answer<string[]>> {
  const newest = await source.ask({ name: 'conversations', order: 'newest', limit: CONVERSATIONS_COMPARED });
  const starts = newest.data.map((conversation) => conversation.startTimeUnixNano);
  if (starts.length === 0) return { data: [], coverage: newest.coverage };
  const window = {
    sinceUnixNano: starts.reduce((a, b) => (b < a ? b : a)),
    // A window ends before its last instant.
    untilUnixNano: starts.reduce((a, b) => (b > a ? b : a)) + 1n,
  };
  const durations = await source.ask({ name: 'step-durations', window });
  const reached = new Set(detail.steps.map(({ step }) => step));
  const compared = new Set(newest.data.map(({ traceId }) => traceId));
  return {
    data: missingSteps(reached, durations.data, compared),
    coverage: coverageOfSameSpans(newest.coverage, durations.coverage),
  };
}
