import { counted, findAll, findingRule, stepDisplayName } from '../findings/finding.ts';
import type { ConversationSource, StepDurations } from '../questions.ts';
import { spearmanInterval, spearmanProbability } from './intervals.ts';
import { buildReport, checkWindowed } from './report.ts';
import type { Report, WindowedOptions } from './report.ts';

/** The correlation between the durations of two steps. */
export interface CorrelatedPair {
  a: string;
  b: string;
  /** Spearman's rank correlation, from −1 to 1. */
  spearman: number;
  /** Number of conversations in which both were completed. */
  n: number;
  /** 95 % confidence interval of `spearman`; absent for fewer than four conversations. */
  interval?: [low: number, high: number];
}

/** The data of `correlation`. */
export interface Correlation {
  /** In step order; the last one is `duration`, that of the whole conversation if it completed. */
  steps: string[];
  /** Number of conversations that start in the window. */
  n: number;
  /** Spearman's rank correlation of each pair of `steps`; null without variance or for fewer than two conversations. */
  matrix: (number | null)[][];
  /** All pairs with a correlation, by absolute value, strongest first. */
  ranked: CorrelatedPair[];
}

/** Name of the last of {@link Correlation.steps}. */
const DURATION = 'duration';

/**
 * Shows which steps are slow together, and which make conversations slow: Spearman's rank correlation over the
 * conversations that start in the window and in which both steps were completed. A step's value is the sum of its
 * completed spans; ties get their average rank.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
 */
export async function correlation(
  source: ConversationSource,
  options: WindowedOptions,
): Promise<Report<'correlation', Correlation>> {
  checkWindowed(options);
  const { window, timeZone, filters = {} } = options;

  const { data: durations, coverage } = await source.ask({ name: 'step-durations', window, filters });
  const data = correlate(durations);
  const findings = findAll(correlationRules, { data });
  return buildReport({ command: 'correlation', source, window, timeZone, coverage, data, findings });
}

/** The correlation of each pair of columns of `durations`, over the conversations that start in the window. */
function correlate(durations: StepDurations): Correlation {
  const { startsInWindow, outcomes, durationMs } = durations;
  const isCounted = (row: number): boolean => startsInWindow[row] === 1;
  const n = startsInWindow.filter((starts) => starts === 1).length;
  const variables = durations.steps.map(({ rows, completedMs }) => {
    const values = new Float64Array(startsInWindow.length).fill(Number.NaN);
    for (const [place, row] of rows.entries()) if (isCounted(row)) values[row] = completedMs[place]!;
    return ordered(values);
  });
  const isCompleted = (row: number): boolean => isCounted(row) && outcomes[row] === 'completed';
  variables.push(ordered(durationMs.map((ms, row) => (isCompleted(row) ? ms : Number.NaN))));
  const steps = [...durations.steps.map(({ step }) => step), DURATION];
  const pairs = variables.map((variable, index) =>
    variables.slice(0, index + 1).map((other) => spearman(other, variable)),
  );
  const pairOf = (a: number, b: number): Spearman => pairs[Math.max(a, b)]![Math.min(a, b)]!;
  const ranked = steps.flatMap((a, first) =>
    steps.slice(first + 1).flatMap((b, index): CorrelatedPair[] => {
      const { rho, n: both } = pairOf(first, first + 1 + index);
      if (rho === null) return [];
      const interval = spearmanInterval(rho, both);
      return [{ a, b, spearman: rho, n: both, ...(interval === undefined ? {} : { interval }) }];
    }),
  );
  return {
    steps,
    n,
    matrix: steps.map((_a, first) => steps.map((_b, second) => pairOf(first, second).rho)),
    ranked: ranked.toSorted((left, right) => Math.abs(right.spearman) - Math.abs(left.spearman)),
  };
}

export interface Spearman {
  /** Null without variance or for fewer than two pairs of values. */
  rho: number | null;
  /** Number of places at which both variables have a value. */
  n: number;
}

/** The values of a variable, one per observation; NaN where there is none. */
export interface Variable {
  values: Float64Array;
  /** The places of the values, without those that are NaN, by ascending value. */
  order: Uint32Array;
}

/** Sorts the places of `values`. */
export function ordered(values: Float64Array): Variable {
  const places = new Uint32Array(values.length);
  let known = 0;
  for (let place = 0; place < values.length; place++) if (!Number.isNaN(values[place]!)) places[known++] = place;
  return { values, order: places.subarray(0, known).sort((a, b) => values[a]! - values[b]!) };
}

/**
 * Spearman's rank correlation over the observations in which both have a value: Pearson's correlation of the averaged
 * ranks.
 */
export function spearman(left: Variable, right: Variable): Spearman {
  const x = averageRanks(left, right.values);
  const y = averageRanks(right, left.values);
  let n = 0;
  for (let place = 0; place < x.length; place++) if (!Number.isNaN(x[place]!)) n += 1;
  if (n < 2) return { rho: null, n };
  const mean = (n - 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let place = 0; place < x.length; place++) {
    if (Number.isNaN(x[place]!)) continue;
    const dx = x[place]! - mean;
    const dy = y[place]! - mean;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  if (xx === 0 || yy === 0) return { rho: null, n };
  // Rounding errors may lead slightly beyond ±1.
  return { rho: Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy))), n };
}

/**
 * The rank of each value among those of observations in which `others` has a value too, from 0; ties get their average
 * rank. NaN for all other observations.
 */
export function averageRanks({ values, order }: Variable, others: Float64Array): Float64Array {
  const ranks = new Float64Array(values.length).fill(Number.NaN);
  let smaller = 0;
  for (let first = 0, next = 0; first < order.length; first = next) {
    const value = values[order[first]!]!;
    let equal = 0;
    for (; next < order.length && values[order[next]!] === value; next++) {
      if (!Number.isNaN(others[order[next]!]!)) equal += 1;
    }
    for (let tied = first; tied < next; tied++) {
      if (!Number.isNaN(others[order[tied]!]!)) ranks[order[tied]!] = smaller + (equal - 1) / 2;
    }
    smaller += equal;
  }
  return ranks;
}

/** Input of the finding rules of `correlation`. */
export interface CorrelationFacts {
  data: Correlation;
}

/** Minimum number of conversations for a meaningful correlation. */
export const CONVERSATIONS_TO_CORRELATE = 10;

/** Minimum absolute value of a correlation that is reported. */
export const CORRELATED_FROM = 0.5;

/** The step whose duration has the strongest correlation with that of the conversation. */
export const durationCorrelation = findingRule('duration-correlation', ({ data }: CorrelationFacts) => {
  const [strongest] = clearPairs(data).filter(({ b }) => b === DURATION);
  if (strongest === undefined) return [];
  const { a, spearman: rho } = strongest;
  const text = `Conversations take ${rho > 0 ? 'long' : 'less time'} when ${stepDisplayName(a)} takes long ${figures(strongest)}`;
  return [{ severity: 'info', text, evidence: evidenceOf(strongest) }];
});

/** Other pairs of steps with a positive or negative correlation. */
export const linkedSteps = findingRule('linked-steps', ({ data }: CorrelationFacts) =>
  clearPairs(data)
    .filter(({ b }) => b !== DURATION)
    .map((pair) => {
      const [first, second] = [stepDisplayName(pair.a, 'opening'), stepDisplayName(pair.b)];
      const text =
        pair.spearman > 0
          ? `${first} and ${second} take long together ${figures(pair)}`
          : `${first} takes less time when ${second} takes long ${figures(pair)}`;
      return { severity: 'info', text, evidence: evidenceOf(pair) };
    }),
);

/** There is no correlation, or there are too few conversations. */
export const noCorrelation = findingRule('no-correlation', ({ data }: CorrelationFacts) => {
  const { n } = data;
  if (clearPairs(data).length > 0) return [];
  const text =
    n < CONVERSATIONS_TO_CORRELATE
      ? `Too few conversations to tell what goes together (${n}, ${CONVERSATIONS_TO_CORRELATE} needed)`
      : `No two durations clearly go together (${counted(n, 'conversation')})`;
  return [{ severity: 'info', text, evidence: { n } }];
});

/** The findings of `correlation`, in the order in which they are printed. */
export const correlationRules = [durationCorrelation, linkedSteps, noCorrelation];

/** Pairs with a strong correlation that is significant, given the number of pairs. */
function clearPairs({ ranked }: Correlation): CorrelatedPair[] {
  return ranked.filter(
    ({ spearman: rho, n }) =>
      n >= CONVERSATIONS_TO_CORRELATE &&
      Math.abs(rho) >= CORRELATED_FROM &&
      spearmanProbability(rho, n) * ranked.length < 0.05,
  );
}

function figures({ spearman: rho, n }: CorrelatedPair): string {
  return `(rank correlation ${rho.toFixed(2)}, ${counted(n, 'conversation')})`;
}

function evidenceOf({ a, b, spearman: rho, n }: CorrelatedPair): { a: string; b: string; spearman: number; n: number } {
  return { a, b, spearman: rho, n };
}
