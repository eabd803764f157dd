import {
  counted,
  findAll,
  findingRule,
  nameList,
  roughDurationWords,
  secondsWords,
  stepDisplayName,
} from '../../findings/finding.ts';
import type { Coverage } from '../../model/coverage.ts';
import type { ConversationSource, StepStatistics } from '../../questions.ts';
import { getConversation } from '../conversation/conversation-detail.ts';
import type { OneConversationOptions } from '../conversation/conversation-detail.ts';
import { exchangesInOne, wholeSession } from '../conversation/step-findings.ts';
import type { DetailFacts } from '../conversation/step-findings.ts';
import { percentOf } from '../intervals.ts';
import { buildReport, warningsOnce } from '../report.ts';
import type { Report } from '../report.ts';
import { criticalPath, explainPath, PLACES } from './explanation.ts';
import type { ExplainedStep, Explanation, PathPart } from './explanation.ts';

/** The period before the conversation from which calls of the same step are compared. */
const COMPARED_NANO = 7n * 86_400_000_000_000n;

/**
 * Why one conversation took as long as it did: the critical path through its steps and gaps, the percentile of each
 * step among its calls of the previous seven days, retries, and the duration without the worst step.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`, `NO_SUCH_CONVERSATION`; `SourceError` if the source cannot answer.
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
    // Without an outermost step, there is no path: the duration is that of the nested steps, or of the root.
    ...(outermost.length === 0 && { durationMs: detail.durationMs }),
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

/** The statistics of each step in the seven days before the end of `path`; empty if the conversation took no time. */
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

/** The coverage of the conversation, with the warnings about the data of the seven days. */
function withWarningsOf(coverage: Coverage, compared: Coverage | undefined): Coverage {
  if (compared === undefined) return coverage;
  return {
    ...coverage,
    complete: coverage.complete && compared.complete,
    warnings: warningsOnce([coverage, compared]),
  };
}

/** Input of the finding rules of `explain`, which have at most eight findings in total. */
export interface ExplainFacts extends DetailFacts {
  data: Explanation;
  /** A shorter conversation meets the target, in milliseconds. */
  targetMs: number;
}

/** Minimum percentage of the conversation for a step to be mentioned. */
export const PART_FROM_PCT = 10;

/** Maximum number of steps that are mentioned. */
export const PARTS_NAMED = 3;

/** Minimum percentile of an unusually long call. */
export const UNUSUAL_FROM_PCT = 90;

/** Minimum number of calls for a usual duration. */
export const CALLS_TO_COMPARE = 20;

/** Maximum number of unusually long calls that are mentioned. */
export const UNUSUAL_NAMED = 2;

/** Maximum number of retried steps that are mentioned; the others are counted. */
export const RETRIED_NAMED = 2;

/** Minimum percentage of the conversation at which gaps are mentioned. */
export const GAPS_FROM_PCT = 5;

/** The duration compared with the target; without the target if a whole session was recorded as one conversation. */
export const whatItTook = findingRule('what-it-took', ({ data, targetMs, detail }: ExplainFacts) => {
  const { durationMs, outcome, steps } = data;
  if (steps.length === 0) {
    const step = detail.steps.length === 0 ? 'step' : 'outermost step';
    const text = `It has no ${step}${outcome === 'open' ? ' yet' : ''}, so there is nothing to explain`;
    return [{ severity: 'info', text, evidence: { outcome } }];
  }
  const isOver = durationMs >= targetMs;
  const target = isOver
    ? `${roughDurationWords(durationMs - targetMs)} over the target of ${secondsWords(targetMs)}s`
    : `under the target of ${secondsWords(targetMs)}s`;
  const took = `It ${outcome === 'open' ? 'has taken' : 'took'} ${roughDurationWords(durationMs)}`;
  if (exchangesInOne(detail) !== undefined) {
    return [{ severity: 'info', text: took, evidence: { durationMs, outcome } }];
  }
  const text = `${took}, ${target}`;
  return [{ severity: isOver ? 'warning' : 'info', text, evidence: { durationMs, targetMs, outcome } }];
});

/** Where the time went: the steps that the conversation waited for most. */
export const whereTimeWent = findingRule('where-time-went', ({ data }: ExplainFacts) => {
  const { durationMs } = data;
  if (data.steps.length === 0) return [];
  const parts = byName(data.steps)
    .map(({ step, onPathMs }) => ({ step, onPathMs, sharePct: percentOf(onPathMs, durationMs) }))
    .filter(({ sharePct }) => sharePct >= PART_FROM_PCT)
    .slice(0, PARTS_NAMED);
  if (parts.length === 0) {
    const text = `No step took ${PART_FROM_PCT}% of it: the time is spread over ${counted(data.steps.length, 'step')}`;
    return durationMs > 0 ? [{ severity: 'info', text, evidence: { steps: data.steps.length } }] : [];
  }
  const words = parts.map(
    ({ step, onPathMs, sharePct }) =>
      `${stepDisplayName(step)} (${roughDurationWords(onPathMs)}, ${sharePct.toFixed(0)}%)`,
  );
  const evidence = { steps: parts.map(({ step }) => step), onPathMs: parts.map((part) => part.onPathMs) };
  return [{ severity: 'info', text: `The time went to ${nameList(words, 'and')}`, evidence }];
});

/** Calls that took much longer than usual for their step, or that there are none. */
export const unusualStep = findingRule('unusual-step', ({ data }: ExplainFacts) => {
  const compared = data.steps.filter(({ calls = 0 }) => calls >= CALLS_TO_COMPARE);
  const unusual = compared
    .filter(({ percentile = 0, onPathMs }) => percentile >= UNUSUAL_FROM_PCT && onPathMs > 0)
    .toSorted((a, b) => excessMs(b) - excessMs(a))
    .slice(0, UNUSUAL_NAMED);
  if (unusual.length > 0) {
    return unusual.map(({ step, durationMs, percentile = 0, calls = 0, usualMs = 0 }) => ({
      severity: 'warning',
      text: `${stepDisplayName(step, 'opening')} took longer than ${percentile}% of its ${calls} calls in the seven days before (usually ${roughDurationWords(usualMs)})`,
      evidence: { step, durationMs, percentile, calls, usualMs },
    }));
  }
  if (compared.length === 0) return [];
  const text = `No step took longer than in ${UNUSUAL_FROM_PCT}% of its calls in the seven days before`;
  return [{ severity: 'good', text, evidence: { steps: [...new Set(compared.map(({ step }) => step))] } }];
});

/** How long failed attempts took, and which steps had the most. */
export const retriedSteps = findingRule('retried-steps', ({ data }: ExplainFacts) => {
  const retries = data.retries.toSorted((a, b) => b.failedMs - a.failedMs);
  if (retries.length === 0) return [];
  const failedMs = retries.reduce((sum, retry) => sum + retry.failedMs, 0);
  const named = retries.slice(0, RETRIED_NAMED);
  const more = retries.length > named.length ? [`${counted(retries.length - named.length, 'other step')} too`] : [];
  const words = named.map(
    ({ step, attempts }, place) =>
      `${stepDisplayName(step, place === 0 ? 'opening' : 'inside')} was tried ${counted(attempts, 'time')}`,
  );
  const text = `${nameList([...words, ...more], 'and')}; the attempts that failed took ${roughDurationWords(failedMs)}`;
  return [{ severity: 'warning', text, evidence: { steps: retries.map(({ step }) => step), failedMs } }];
});

/** Time during which no step ran, and the longest such gap. */
export const gaps = findingRule('gaps', ({ data }: ExplainFacts) => {
  const { path, gapMs, durationMs } = data;
  const sharePct = percentOf(gapMs, durationMs);
  if (sharePct < GAPS_FROM_PCT) return [];
  let place = path.findIndex(({ step }) => step === undefined);
  for (const [index, part] of path.entries()) {
    if (part.step === undefined && part.durationMs > path[place]!.durationMs) place = index;
  }
  const longest = path[place]!;
  const [before, after] = [path[place - 1]?.step, path[place + 1]?.step];
  const between =
    before === undefined || after === undefined
      ? ''
      : `, ${longest.durationMs === gapMs ? 'all' : roughDurationWords(longest.durationMs)} of it between ${stepDisplayName(before)} and ${stepDisplayName(after)}`;
  const text = `During ${roughDurationWords(gapMs)} (${sharePct.toFixed(0)}%) no step ran${between}`;
  return [{ severity: 'warning', text, evidence: { gapMs, sharePct, longestMs: longest.durationMs } }];
});

/** The duration without the step that it waited for longest, or if that had taken its usual time. */
export const worstStep = findingRule('worst-step', ({ data }: ExplainFacts) => {
  const { worst, steps } = data;
  if (worst === undefined || steps.length < 2) return [];
  const { step, onPathMs, withoutMs, asUsualMs } = worst;
  const name = stepDisplayName(step);
  const { calls = 0 } = steps.find(({ spanId }) => spanId === worst.spanId) ?? {};
  const hasUsual = asUsualMs !== undefined && calls >= CALLS_TO_COMPARE;
  const usual = !hasUsual ? '' : `, and ${roughDurationWords(asUsualMs)} had it taken its usual time`;
  const text = `Without ${name} it would have taken ${roughDurationWords(withoutMs)}${usual}`;
  const evidence = { step, onPathMs, withoutMs, ...(hasUsual && { asUsualMs }) };
  return [{ severity: 'info', text, evidence }];
});

/** The findings of `explain`, in the order in which they are printed. */
export const explainRules = [whatItTook, wholeSession, whereTimeWent, unusualStep, retriedSteps, gaps, worstStep];

/** How long the conversation waited for each step, over all its calls, longest first. */
function byName(steps: readonly ExplainedStep[]): { step: string; onPathMs: number }[] {
  const onPathMsByName = new Map<string, number>();
  for (const { step, onPathMs } of steps) onPathMsByName.set(step, (onPathMsByName.get(step) ?? 0) + onPathMs);
  return [...onPathMsByName]
    .map(([step, onPathMs]) => ({ step, onPathMs }))
    .toSorted((a, b) => b.onPathMs - a.onPathMs);
}

function excessMs({ durationMs, usualMs = durationMs }: ExplainedStep): number {
  return durationMs - usualMs;
}
