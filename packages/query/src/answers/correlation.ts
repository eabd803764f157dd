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
  const isCounted = (row: number): boolean => durations.startsInWindow[row] === 1;
  const n = durations.startsInWindow.filter((starts) => starts === 1).length;
  const wholeMs = durations.durationMs.map((ms, row) => (durations.outcomes[row] === 'completed' ? ms : Number.NaN));
  const all = Uint32Array.from(wholeMs.keys());
  const columns = [
    ...durations.steps.map(({ rows, completedMs }) => ({ rows, ms: completedMs })),
    { rows: all, ms: wholeMs },
  ].map(({ rows, ms }) => {
    const isKnown = (_value: number, place: number): boolean => isCounted(rows[place]!) && !Number.isNaN(ms[place]!);
    const known = ms.filter(isKnown);
    return { rows: rows.filter(isKnown), ms: known, order: placesInOrder(known) };
  });
  const steps = [...durations.steps.map(({ step }) => step), DURATION];
  const pairs = columns.map((column, index) => columns.slice(0, index + 1).map((other) => spearman(other, column)));
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
  /** Null without variance or for fewer than two rows. */
  rho: number | null;
  /** Number of rows in which both columns have a value. */
  n: number;
}

/** The known values of a column, by ascending row. */
export interface KnownValues {
  rows: Uint32Array;
  ms: Float64Array;
  /** The places of `ms` by ascending value, see {@link placesInOrder}; determined when absent. */
  order?: Uint32Array;
}

/**
 * Spearman's rank correlation over the rows in which both have a value: Pearson's correlation of the averaged ranks.
 */
export function spearman(left: KnownValues, right: KnownValues): Spearman {
  const [inLeft, inRight]: [number[], number[]] = [[], []];
  for (let a = 0, b = 0; a < left.rows.length && b < right.rows.length;) {
    const difference = left.rows[a]! - right.rows[b]!;
    if (difference === 0) {
      inLeft.push(a);
      inRight.push(b);
    }
    if (difference <= 0) a += 1;
    if (difference >= 0) b += 1;
  }
  const [x, y] = [ranksAmong(left, inLeft), ranksAmong(right, inRight)];
  const n = x.length;
  if (n < 2) return { rho: null, n };
  const mean = (n - 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let row = 0; row < n; row++) {
    const [dx, dy] = [x[row]! - mean, y[row]! - mean];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  if (xx === 0 || yy === 0) return { rho: null, n };
  // Rounding errors may lead slightly beyond ±1.
  return { rho: Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy))), n };
}

/** The rank of every value, from 0; ties get their average rank. */
export function averageRanks(values: Float64Array): Float64Array {
  return ranksAmong({ ms: values }, [...values.keys()]);
}

/** The places of `values` by ascending value. */
function placesInOrder(values: Float64Array): Uint32Array {
  return Uint32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
}

/** The average rank of the value at each of `places`, among these. Without sorting, since any part of an order is one. */
function ranksAmong(
  { ms, order = placesInOrder(ms) }: Pick<KnownValues, 'ms' | 'order'>,
  places: readonly number[],
): Float64Array {
  const indexOf = new Int32Array(ms.length).fill(-1);
  places.forEach((place, index) => (indexOf[place] = index));
  const indices = Int32Array.from(order, (place) => indexOf[place]!).filter((index) => index !== -1);
  const ranks = new Float64Array(places.length);
  for (let first = 0; first < indices.length;) {
    const value = ms[places[indices[first]!]!]!;
    let next = first + 1;
    while (next < indices.length && ms[places[indices[next]!]!] === value) next += 1;
    for (let tied = first; tied < next; tied++) ranks[indices[tied]!] = (first + next - 1) / 2;
    first = next;
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
