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

/** Spans that are not counted in averages and percentiles. */
export interface LeftOut {
  /** Number of completed spans of 60 s or longer. */
  tooLong: number;
  /** Number of spans that did not complete. */
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
  /** Mean in ms of each timing. */
  timings: Record<string, number>;
  /** Time to first output of the counted spans; absent if none has it. */
  firstOutput?: { count: number; averageMs: number; p50Ms: number; p95Ms: number };
}

/** Name of the response latency of conversations: a row in `averages` and `compare`, an argument of `percentiles`. */
export const RESPONSE_LATENCY = 'response latency';

/** P50 and P95 of the time to first output. */
const FIRST_OUTPUT_PROBABILITIES = [0.5, 0.95];

/**
 * Count, average, minimum and maximum duration of each step, over its completed spans shorter than 60 s; the other
 * spans are counted in `leftOut`. In step order, followed by the row `response latency`, over conversations, if any has
 * one. With `by` per group, largest first.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
 */
export async function averages(
  source: ConversationSource,
  options: GroupedOptions,
): Promise<Report<'averages', StepAverageRow[]>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, by } = options;

  const groups = await findGroups(source, { by, windows: [window], filters });
  const asked = { window, filters, groupBy: groups?.groupBy };
  const measured = { ...asked, quantiles: FIRST_OUTPUT_PROBABILITIES, durationQuantiles: false, firstOutput: true };
  const { data: statistics, coverage: read } = await source.ask({ name: 'step-statistics', ...measured });
  const responses = await source.ask({ name: 'response-statistics', ...asked, coverage: false });
  const coverage = withWarnings(coverageOfSameSpans(read, responses.coverage), groups?.warnings);
  const mean = meanTotalMs(statistics, coverage.conversations);
  const data: StepAverageRow[] = [];
  const findings: Finding[] = [];
  for (const [group, ofGroup] of byGroup(statistics)) {
    const rows = ofGroup.map(stepAverageRow);
    data.push(...rows, ...responses.data.filter((row) => row.group === group).flatMap(responseRows));
    findings.push(...findInGroup(group, averagesRules, { rows, ...(mean === undefined ? {} : { meanTotalMs: mean }) }));
  }
  // A conversation without steps may have a latency.
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

/** Empty if no conversation has a response latency. */
function responseRows({ group, conversations: count, averageMs, minMs, maxMs }: ResponseStatistics): StepAverageRow[] {
  if (averageMs === undefined || minMs === undefined || maxMs === undefined) return [];
  const leftOut = { tooLong: 0, notCompleted: 0 };
  const named = group === undefined ? {} : { group };
  return [{ ...named, step: RESPONSE_LATENCY, count, averageMs, minMs, maxMs, leftOut, timings: {} }];
}

/**
 * Mean time in counted outermost steps per conversation, in ms: their sum over all steps, divided by the number of
 * `conversations` with a span in the window. Undefined without conversations.
 */
function meanTotalMs(statistics: readonly StepStatistics[], conversations: number): number | undefined {
  if (conversations === 0) return undefined;
  return statistics.reduce((sum, { outermostMs }) => sum + outermostMs, 0) / conversations;
}

/** Input of the finding rules of `averages`. */
export interface AveragesFacts {
  rows: StepAverageRow[];
  /** Sum of the outermost counted steps, per conversation of the window; absent without conversations. */
  meanTotalMs?: number;
}

/** A step is very consistent if its spread is below this percentage of a conversation. */
export const VERY_CONSISTENT_BELOW_PCT = 10;

/** A step is fairly consistent if its spread is below this percentage; otherwise its range is wide. */
export const FAIRLY_CONSISTENT_BELOW_PCT = 20;

/** If there are more steps, only notable ones have a finding of their own, and the others share one. */
export const STEPS_JUDGED_ALONE = 8;

/** Maximum number of step names in a shared finding. */
const STEPS_NAMED = 8;

/** Minimum number of calls for a meaningful spread. */
export const CALLS_FOR_SPREAD = 5;

/**
 * How much the duration of each step varies, relative to that of a whole conversation, so that the range of a step is
 * wide only if it affects conversations. The widest of several is called the most variable.
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

/** One finding for all steps with the same assessment. */
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

/** Steps without a counted call. */
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

/** The spread of the durations of one step. */
interface Spread {
  step: string;
  count: number;
  averageMs: number;
  minMs: number;
  maxMs: number;
  /** (longest − shortest) / mean total of a conversation, in per cent. */
  spreadPct: number;
}

/** The spread of each step with an average; empty if no conversation took any time. */
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

/** Replaces the phrase about the spread if the step is slow on average. */
function warningSignOf({ step, averageMs }: Spread): string | undefined {
  const warningMs = STEP_WARNING_MS[stepKindOf(step)] ?? Infinity;
  return averageMs > warningMs ? `slow on average, over ${secondsWords(warningMs)}s` : undefined;
}

function isWide({ count, spreadPct }: Spread): boolean {
  return count >= CALLS_FOR_SPREAD && spreadPct >= FAIRLY_CONSISTENT_BELOW_PCT;
}

/** The widest spread; undefined if it is the only one or another one is equal. */
function onlyWidest(spreads: readonly Spread[]): Spread | undefined {
  const [first, second] = spreads.toSorted((a, b) => b.spreadPct - a.spreadPct);
  return first !== undefined && second !== undefined && first.spreadPct > second.spreadPct ? first : undefined;
}

/** The average rounded to 50 ms; of shorter steps, to 10 or 1 ms. */
function centreWords(averageMs: number): string {
  const gridMs = averageMs >= 100 ? 50 : averageMs >= 20 ? 10 : 1;
  const centreMs = Math.round(averageMs / gridMs) * gridMs;
  return centreMs === 0 ? '<1ms' : `~${centreMs}ms`;
}
