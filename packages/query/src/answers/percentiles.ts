import { findAll, findingRule, roughDurationWords, stepDisplayName } from '../findings/finding.ts';
import type { ConversationFilters, Window } from '../model/conversation.ts';
import type { Coverage } from '../model/coverage.ts';
import type { GroupBy } from '../model/groups.ts';
import type { QuantileInterval } from '../model/order-statistics.ts';
import type { ConversationSource } from '../questions.ts';
import { RESPONSE_LATENCY } from './averages.ts';
import type { LeftOut } from './averages.ts';
import { buildReport, checkWindowed, coverageOfSameSpans, findGroups, findInGroup, withWarnings } from './report.ts';
import type { GroupedOptions, Report } from './report.ts';

/** Options of {@link percentiles}. */
export interface PercentilesOptions extends GroupedOptions {
  /** Name of the step, or `response latency` for that of conversations, if no step has that name. */
  step: string;
  /** The duration of the step, or the time to its first output. @defaultValue `'duration'` */
  of?: 'duration' | 'first-output' | undefined;
}

/** The percentiles in the answer of `percentiles`. */
export type PercentileName = 'p10' | 'p25' | 'p50' | 'p75' | 'p90' | 'p95' | 'p99';

/** The distribution of the values of a step. */
interface Spread {
  /** Number of values. */
  count: number;
  leftOut: LeftOut;
  /** In ms; empty if there are no values. */
  percentiles: Partial<Record<PercentileName, number>>;
  /**
   * 95 % confidence interval of each percentile in ms, by order statistics, so independent of the distribution. An end
   * is null if `count` is too small for it. Absent if there are no values.
   */
  intervals?: Partial<Record<PercentileName, [lowMs: number | null, highMs: number | null]>>;
}

/** One group of `percentiles` with `by`. */
export interface GroupPercentiles extends Spread {
  group: string;
}

/** The data of `percentiles`. */
export interface StepPercentiles extends Spread {
  step: string;
  /** Absent for the duration. */
  of?: 'first-output';
  /** With `by`: the groups, largest first. All other fields are about all groups together. */
  groups?: GroupPercentiles[];
}

const PERCENTILES: readonly (readonly [name: PercentileName, probability: number])[] = [
  ['p10', 0.1],
  ['p25', 0.25],
  ['p50', 0.5],
  ['p75', 0.75],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
];

/**
 * P10 to P99 of the duration of one step, or of its time to first output, in ms, over its completed spans shorter than
 * 60 s, by linear interpolation at index (n−1)·p/100 of the sorted values, each with a 95 % confidence interval. A step
 * that does not occur has count 0, no percentiles, and a warning in the coverage. With `by`, also per group.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
 */
export async function percentiles(
  source: ConversationSource,
  options: PercentilesOptions,
): Promise<Report<'percentiles', StepPercentiles>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, step, of = 'duration', by } = options;

  const asked = { window, filters, step, of };
  const all = await readSpreads(source, { ...asked, groupBy: undefined });
  const wanted = { by, windows: [window], filters, step: all.isResponse ? undefined : step };
  const groups = await findGroups(source, wanted);
  const grouped = groups && (await readSpreads(source, { ...asked, groupBy: groups.groupBy }));
  const { group: _none, ...spread } = all.spreads[0] ?? EMPTY_SPREAD;
  const data: StepPercentiles = {
    step,
    ...(of === 'first-output' && { of }),
    ...spread,
    ...(grouped && { groups: grouped.spreads.map((each) => ({ ...each, group: each.group! })) }),
  };
  const neverSeen =
    step === RESPONSE_LATENCY
      ? `no step ${JSON.stringify(step)} was seen in the window, and the response latency of conversations has no first output`
      : `no step ${JSON.stringify(step)} was seen in the window; "averages" lists the steps there are`;
  const warnings = all.isSeen ? (groups?.warnings ?? []) : [{ code: 'step-never-seen' as const, text: neverSeen }];
  const findings = [
    ...findAll(percentilesRules, { data }),
    ...(data.groups ?? []).flatMap(({ group, ...ofGroup }) =>
      findInGroup(group, percentilesRules, { data: { ...data, ...ofGroup } }),
    ),
  ];
  const coverage = withWarnings(all.coverage, warnings);
  return buildReport({ command: 'percentiles', by, source, window, timeZone, coverage, data, findings });
}

interface SpreadQuestion {
  window: Window;
  filters: ConversationFilters;
  step: string;
  of: 'duration' | 'first-output';
  groupBy: GroupBy | undefined;
}

/** The distribution of each group; without groups, that of all values. */
async function readSpreads(
  source: ConversationSource,
  question: SpreadQuestion,
): Promise<Omit<Measured, 'rows'> & { spreads: (Spread & { group?: string })[] }> {
  const { rows, ...measured } = await measure(source, question);
  const spreads = rows.map(({ quantilesMs, quantileIntervalsMs: intervalsMs = [], ...row }) => ({
    ...row,
    percentiles: byName((name) => quantilesMs[name]),
    ...(quantilesMs.length > 0 && {
      intervals: byName((name): [lowMs: number | null, highMs: number | null] | undefined => {
        const { lowMs = null, highMs = null } = intervalsMs[name] ?? {};
        return [lowMs, highMs];
      }),
    }),
  }));
  return { ...measured, spreads };
}

/** The data from which percentiles are computed. */
interface Measured {
  isSeen: boolean;
  /** Whether it is the response latency of conversations instead of a step. */
  isResponse: boolean;
  /** One row per group; one row without groups; none if the step does not occur. */
  rows: {
    group?: string;
    count: number;
    leftOut: LeftOut;
    quantilesMs: readonly number[];
    quantileIntervalsMs?: readonly QuantileInterval[] | undefined;
  }[];
  coverage: Coverage;
}

async function measure(source: ConversationSource, { of, step, ...asked }: SpreadQuestion): Promise<Measured> {
  const firstOutput = of === 'first-output';
  const probabilities = PERCENTILES.map(([, probability]) => probability);
  const shared = { ...asked, quantiles: probabilities, quantileIntervals: true };
  const { data, coverage } = await source.ask({
    name: 'step-statistics',
    ...shared,
    step,
    timings: false,
    durationQuantiles: !firstOutput,
    firstOutput,
  });
  if (data.length === 0 && step === RESPONSE_LATENCY && !firstOutput) {
    const responses = await source.ask({ name: 'response-statistics', ...shared, coverage: false });
    const rows = responses.data.map(({ group, conversations: count, quantilesMs, quantileIntervalsMs }) => ({
      ...(group !== undefined && { group }),
      count,
      leftOut: NOTHING_LEFT_OUT,
      quantilesMs,
      quantileIntervalsMs,
    }));
    return { isSeen: true, isResponse: true, rows, coverage: coverageOfSameSpans(coverage, responses.coverage) };
  }
  const rows = data.map((statistics) => {
    const { group, leftOut } = statistics;
    const {
      count = 0,
      quantilesMs = [],
      quantileIntervalsMs,
    } = (firstOutput ? statistics.firstOutput : statistics) ?? {};
    return { ...(group !== undefined && { group }), count, leftOut, quantilesMs, quantileIntervalsMs };
  });
  return { isSeen: data.length > 0, isResponse: false, rows, coverage };
}

const NOTHING_LEFT_OUT: LeftOut = { tooLong: 0, notCompleted: 0 };

const EMPTY_SPREAD: Spread & { group?: string } = { count: 0, leftOut: NOTHING_LEFT_OUT, percentiles: {} };

/** An object by the names of {@link PERCENTILES}, without those for whose index `valueAt` returns undefined. */
function byName<Value>(valueAt: (index: number) => Value | undefined): Partial<Record<PercentileName, Value>> {
  return Object.fromEntries(
    PERCENTILES.flatMap(([name], index) => {
      const value = valueAt(index);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Input of the finding rules of `percentiles`. */
export interface PercentilesFacts {
  data: StepPercentiles;
}

/** Minimum number of calls for a finding about the median. */
export const CALLS_FOR_MEDIAN = 2;

/** Shorter durations would be printed as 0. */
const MIN_PRINTED_MS = 0.1;

/** Minimum number of calls of which the slowest tenth is at least one. */
export const CALLS_FOR_TAIL = 10;

/** The slowest tenth is a slow tail if it takes at least this many times the median. */
export const TAIL_FROM_MEDIANS = 1.25;

/** With fewer calls, the 99th percentile is nearly the maximum. */
export const CALLS_FOR_OUTLIERS = 40;

/** The slowest hundredth are outliers if they take at least this many times the median. */
export const OUTLIERS_FROM_MEDIANS = 1.5;

/** The maximum duration of the faster half of the calls. */
export const medianCall = findingRule('median-call', ({ data }: PercentilesFacts) => {
  const { step, count, percentiles } = data;
  const { p50: p50Ms } = percentiles;
  if (p50Ms === undefined || count < CALLS_FOR_MEDIAN) return [];
  const text = `50% of ${stepDisplayName(step)} calls complete in <${roughDurationWords(Math.max(p50Ms, MIN_PRINTED_MS))}`;
  return [{ severity: 'info', text, evidence: { step, count, p50Ms } }];
});

/** The minimum duration of the slowest tenth of the calls. */
export const slowTail = findingRule('slow-tail', ({ data }: PercentilesFacts) => {
  const { step, count, percentiles } = data;
  const { p50: p50Ms, p90: p90Ms } = percentiles;
  if (p50Ms === undefined || p90Ms === undefined || count < CALLS_FOR_TAIL || p90Ms <= 0) return [];
  const isTail = p90Ms >= p50Ms * TAIL_FROM_MEDIANS;
  const text = `10% take >${roughDurationWords(p90Ms)}${isTail ? ' (slow tail latency)' : ''}`;
  return [{ severity: isTail ? 'warning' : 'info', text, evidence: { step, count, p50Ms, p90Ms } }];
});

/** The minimum duration of the slowest hundredth of the calls, if it is far from the median. */
export const slowOutliers = findingRule('slow-outliers', ({ data }: PercentilesFacts) => {
  const { step, count, percentiles } = data;
  const { p50: p50Ms, p99: p99Ms } = percentiles;
  if (p50Ms === undefined || p99Ms === undefined || count < CALLS_FOR_OUTLIERS) return [];
  if (p99Ms <= 0 || p99Ms < p50Ms * OUTLIERS_FROM_MEDIANS) return [];
  const text = `1% take >${roughDurationWords(p99Ms)} (very slow outliers)`;
  return [{ severity: 'warning', text, evidence: { step, count, p50Ms, p99Ms } }];
});

/** The findings of `percentiles`, in the order in which they are printed. */
export const percentilesRules = [medianCall, slowTail, slowOutliers];
