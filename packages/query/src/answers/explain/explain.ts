import { findAll } from '../../findings/finding.ts';
import type { Coverage } from '../../model/coverage.ts';
import type { ConversationSource, StepStatistics } from '../../questions.ts';
import { getConversation } from '../conversation/conversation-detail.ts';
import type { OneConversationOptions } from '../conversation/conversation-detail.ts';
import { buildReport, warningsOnce } from '../report.ts';
import type { Report } from '../report.ts';
import { criticalPath } from './critical-path.ts';
import type { PathPart } from './critical-path.ts';
import { explainRules } from './explain-findings.ts';
import { explainPath, PLACES } from './explanation.ts';
import type { Explanation } from './explanation.ts';

/** How far back a step's calls are compared with. */
const COMPARED_NANO = 7n * 86_400_000_000_000n;

/**
 * Why one conversation took what it took: the critical path through its steps and gaps, each step's place among the same
 * step's calls of the seven days before, retries, and what would have been without the worst step.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`, `NO_SUCH_CONVERSATION`; `SourceError` when the source cannot answer.
 */
export async function explain(
  source: ConversationSource,
  options: OneConversationOptions,
): Promise<Report<'explain', Explanation>> {
  const { detail, spans, coverage, targetMs } = await getConversation(source, options);
  const outermost = spans.filter(({ role, depth }) => role === 'step' && depth === 0);
  const path = criticalPath(outermost);
  const usual = await readUsual(source, path);
  const { conversationId, traceId, startTime, endTime, outcome } = detail;
  const data: Explanation = {
    conversationId,
    traceId,
    startTime,
    endTime,
    outcome,
    ...explainPath(path, outermost, usual.statistics),
  };
  return buildReport({
    command: 'explain',
    source,
    timeZone: options.timeZone,
    coverage: withWarningsOf(coverage, usual.coverage),
    data,
    findings: findAll(explainRules, { data, targetMs, detail }),
  });
}

/** The numbers of every step in the seven days before the end of `path`; none where the conversation took no time. */
async function readUsual(
  source: ConversationSource,
  path: readonly PathPart[],
): Promise<{ statistics: readonly StepStatistics[]; coverage?: Coverage }> {
  const end = path.at(-1)?.end;
  if (end === undefined) return { statistics: [] };
  const window = { sinceUnixNano: end - COMPARED_NANO, untilUnixNano: end };
  const asked = { name: 'step-statistics', window, quantiles: PLACES, timings: false } as const;
  const { data, coverage } = await source.ask(asked);
  return { statistics: data, coverage };
}

/** Coverage is of the conversation; what kept the seven days from being read whole is said all the same. */
function withWarningsOf(coverage: Coverage, compared: Coverage | undefined): Coverage {
  if (compared === undefined) return coverage;
  return {
    ...coverage,
    complete: coverage.complete && compared.complete,
    warnings: warningsOnce([coverage, compared]),
  };
}
