import { STEP_WARNING_MS, stepKindOf } from '@convotel/conventions';
import { cappedNames, counted, findingRule, phrasesOf, secondsWords, stepDisplayName } from '../findings/finding.ts';
import type { Finding } from '../findings/finding.ts';
import type { ConversationSource, ResponseStatistics, StepStatistics } from '../questions.ts';
import {
  buildReport,
  byGroup,
  checkWindowed,
  coverageOfSameSpans,
  findGroups,
  findInGroup,
  withWarnings,
} from './report.ts';
import type { GroupedOptions, Report } from './report.ts';
import { percentOf } from './intervals.ts';

/** What averages and percentiles do not count. */
export interface LeftOut {
  /** Completed spans of 60 s and more. */
  tooLong: number;
  /** Spans that are not completed. */
  notCompleted: number;
}

/** A row of `averages`. */
export interface StepAverageRow {
  /** With `by`. */
  group?: string;
  step: string;
  count: number;
  averageMs?: number;
  minMs?: number;
  maxMs?: number;
  leftOut: LeftOut;
  /** Mean in ms of each named part. */
  timings: Record<string, number>;
  /** How long counted spans took to their first output; absent where none says so. */
  firstOutput?: { count: number; averageMs: number; p50Ms: number; p95Ms: number };
}

/** The row of `averages` and `compare`, and the name in `percentiles`, of the response latency of conversations. */
export const RESPONSE_LATENCY = 'response latency';

/** P50 and P95 of the time to first output. */
const FIRST_OUTPUT_PROBABILITIES = [0.5, 0.95];

/**
 * Count, average, shortest and longest duration of each step, over its completed spans shorter than 60 s; what that
 * leaves out is counted in `leftOut`. In step order; then, where a conversation of the window has one, the row
 * `response latency`, over conversations. With `by` group by group, the largest first.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function averages(
  source: ConversationSource,
  options: GroupedOptions,
): Promise<Report<'averages', StepAverageRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, by } = options;

  const groups = await findGroups(source, { by, windows: [window], filters });
  const asked = { window, filters, groupBy: groups?.groupBy };
  const measured = { ...asked, quantiles: FIRST_OUTPUT_PROBABILITIES, firstOutput: true };
  const { data: statistics, coverage: read } = await source.ask({ name: 'step-statistics', ...measured });
  const responses = await source.ask({ name: 'response-statistics', ...asked });
  const coverage = withWarnings(coverageOfSameSpans(read, responses.coverage), groups?.warnings);
  const mean = meanTotalMs(statistics, coverage.conversations);
  const data: StepAverageRow[] = [];
  const findings: Finding[] = [];
  for (const [group, ofGroup] of byGroup(statistics)) {
    const rows = ofGroup.map(stepAverageRow);
    data.push(...rows, ...responses.data.filter((row) => row.group === group).flatMap(responseRows));
    findings.push(...findInGroup(group, averagesRules, { rows, ...(mean === undefined ? {} : { meanTotalMs: mean }) }));
  }
  // Conversations of only a root have a latency, but no step.
  const withoutSteps = responses.data.filter(({ group }) => !data.some((row) => row.group === group));
  data.push(...withoutSteps.flatMap(responseRows));
  return buildReport({
    command: 'averages',
    by,
    source,
    window,
    timeZone,
    coverage,
    data,
    findings,
  });
}

function stepAverageRow(statistics: StepStatistics): StepAverageRow {
  const { group, step, count, averageMs, minMs, maxMs, leftOut, timings, firstOutput } = statistics;
  return {
    ...(group !== undefined && { group }),
    step,
    count,
    ...(averageMs === undefined ? {} : { averageMs }),
    ...(minMs === undefined ? {} : { minMs }),
    ...(maxMs === undefined ? {} : { maxMs }),
    leftOut,
    timings,
    ...(firstOutput !== undefined && {
      firstOutput: {
        count: firstOutput.count,
        averageMs: firstOutput.averageMs,
        p50Ms: firstOutput.quantilesMs[0]!,
        p95Ms: firstOutput.quantilesMs[1]!,
      },
    }),
  };
}

/** No row where no conversation has a response latency. */
function responseRows({ group, conversations: count, averageMs, minMs, maxMs }: ResponseStatistics): StepAverageRow[] {
  if (averageMs === undefined || minMs === undefined || maxMs === undefined) return [];
  const leftOut = { tooLong: 0, notCompleted: 0 };
  const named = group === undefined ? {} : { group };
  return [{ ...named, step: RESPONSE_LATENCY, count, averageMs, minMs, maxMs, leftOut, timings: {} }];
}

/**
 * Mean of what a conversation spends in counted outermost steps, in ms: their sum over all steps, by the
 * `conversations` with a span in the window. Undefined without conversations.
 */
function meanTotalMs(statistics: readonly StepStatistics[], conversations: number): number | undefined {
  if (conversations === 0) return undefined;
  return statistics.reduce((sum, { outermostMs }) => sum + outermostMs, 0) / conversations;
}

/** What the rules of `averages` look at. */
export interface AveragesFacts {
  rows: StepAverageRow[];
  /** Sum of the outermost counted steps, per conversation of the window; absent without conversations. */
  meanTotalMs?: number;
}

/** A step whose spread is below this many per cent of a conversation is very consistent. */
export const VERY_CONSISTENT_BELOW_PCT = 10;

/** Below this many per cent it is fairly consistent, else its range is wide. */
export const FAIRLY_CONSISTENT_BELOW_PCT = 20;

/** Of more steps than this, those that stand out have sentences of their own, and the others one together. */
export const STEPS_JUDGED_ALONE = 8;

/** As many names stand in such a sentence. */
const STEPS_NAMED = 8;

/** Fewer calls say nothing about a spread. */
export const CALLS_FOR_SPREAD = 5;

/**
 * How much each step varies, measured against what a whole conversation takes, so that a step counts as wide when it
 * makes conversations differ. The widest of several wide ones is the most variable.
 */
export const stepSpread = findingRule('step-spread', (facts: AveragesFacts) => {
  const spreads = measureSpreads(facts);
  const mostVariable = onlyWidest(spreads.filter(isWide));
  const isAlone = (spread: Spread): boolean =>
    spreads.length <= STEPS_JUDGED_ALONE || isWide(spread) || warningSignOf(spread) !== undefined;
  return [
    ...spreads.filter(isAlone).map((spread): Omit<Finding, 'rule'> => ({
      severity: warningSignOf(spread) === undefined ? 'info' : 'warning',
      text: `${stepDisplayName(spread.step, 'label')}: ${judgementOf(spread, spread === mostVariable)}`,
      evidence: { ...spread },
    })),
    ...groupedSpreads(spreads.filter((spread) => !isAlone(spread))),
  ];
});

/** Steps with the same judgement in one sentence. */
function groupedSpreads(spreads: readonly Spread[]): Omit<Finding, 'rule'>[] {
  const judgements: readonly [judgement: string, isMeant: (spread: Spread) => boolean][] = [
    ['Very consistent', ({ count, spreadPct }) => count >= CALLS_FOR_SPREAD && spreadPct < VERY_CONSISTENT_BELOW_PCT],
    [
      'Fairly consistent',
      ({ count, spreadPct }) => count >= CALLS_FOR_SPREAD && spreadPct >= VERY_CONSISTENT_BELOW_PCT,
    ],
    ['Too few calls to judge the spread', ({ count }) => count < CALLS_FOR_SPREAD],
  ];
  return judgements.flatMap(([judgement, isMeant]) => {
    const steps = spreads.filter(isMeant).map(({ step }) => step);
    if (steps.length === 0) return [];
    return [{ severity: 'info', text: `${judgement}: ${cappedNames(steps, STEPS_NAMED)}`, evidence: { steps } }];
  });
}

/** Steps of which not a single call counts towards an average. */
export const unmeasuredStep = findingRule('unmeasured-step', ({ rows }: AveragesFacts) =>
  rows
    .filter((row) => row.count === 0)
    .map(({ step, leftOut }) => ({
      severity: 'warning',
      text: `${stepDisplayName(step, 'label')}: Nothing to average (${counted(leftOut.notCompleted + leftOut.tooLong, 'call')} left out)`,
      evidence: { step, ...leftOut },
    })),
);

/** The findings of `averages`, in the order in which they are printed. */
export const averagesRules = [stepSpread, unmeasuredStep];

/** How far the durations of one step lie apart. */
interface Spread {
  step: string;
  count: number;
  averageMs: number;
  minMs: number;
  maxMs: number;
  /** (longest − shortest) / mean total of a conversation, in per cent. */
  spreadPct: number;
}

/** The spread of every step that has an average; none where no conversation took any time. */
function measureSpreads({ rows, meanTotalMs }: AveragesFacts): Spread[] {
  if (meanTotalMs === undefined || meanTotalMs <= 0) return [];
  return rows.flatMap(({ step, count, averageMs, minMs, maxMs }) =>
    averageMs === undefined || minMs === undefined || maxMs === undefined
      ? []
      : [{ step, count, averageMs, minMs, maxMs, spreadPct: percentOf(maxMs - minMs, meanTotalMs) }],
  );
}

function judgementOf(spread: Spread, isMostVariable: boolean): string {
  const { step, count, averageMs, minMs, maxMs, spreadPct } = spread;
  const { whenConsistent, whenVariable } = phrasesOf(step);
  const range = `(${Math.floor(minMs)}-${Math.floor(maxMs)}ms)`;
  const because = (phrase: string | undefined): string => {
    const words = warningSignOf(spread) ?? phrase;
    return words === undefined ? '' : ` - ${words}`;
  };
  if (count < CALLS_FOR_SPREAD) return `Too few calls to judge the spread (${count})${because(undefined)}`;
  if (spreadPct < VERY_CONSISTENT_BELOW_PCT) {
    return `Very consistent (${centreWords(averageMs)})${because(whenConsistent)}`;
  }
  if (!isWide(spread)) return `Fairly consistent ${range}${because(whenVariable)}`;
  return `${isMostVariable ? 'Most variable' : 'Wide range'} ${range}${because(whenVariable)}`;
}

/** Said instead of a phrase about the spread when the step is slow on average. */
function warningSignOf({ step, averageMs }: Spread): string | undefined {
  const warningMs = STEP_WARNING_MS[stepKindOf(step)] ?? Infinity;
  return averageMs > warningMs ? `slow on average, over ${secondsWords(warningMs)}s` : undefined;
}

function isWide({ count, spreadPct }: Spread): boolean {
  return count >= CALLS_FOR_SPREAD && spreadPct >= FAIRLY_CONSISTENT_BELOW_PCT;
}

/** The widest; undefined where it is the only one, or another is as wide. */
function onlyWidest(spreads: readonly Spread[]): Spread | undefined {
  const [first, second] = spreads.toSorted((a, b) => b.spreadPct - a.spreadPct);
  return first !== undefined && second !== undefined && first.spreadPct > second.spreadPct ? first : undefined;
}

/** The centre rounded to 50 ms; shorter steps, where that would say nothing, to 10 or 1 ms. */
function centreWords(averageMs: number): string {
  const gridMs = averageMs >= 100 ? 50 : averageMs >= 20 ? 10 : 1;
  const centreMs = Math.round(averageMs / gridMs) * gridMs;
  return centreMs === 0 ? '<1ms' : `~${centreMs}ms`;
}
