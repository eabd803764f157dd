import { counted, findAll, findingRule, stepDisplayName } from '../findings/finding.ts';
import type { ConversationSource, StepDurations } from '../questions.ts';
import { spearmanInterval, spearmanProbability } from './intervals.ts';
import { ordered, RankCorrelations } from './rank-correlation.ts';
import type { Spearman } from './rank-correlation.ts';
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
  const n = startsInWindow.reduce((count, starts) => count + starts, 0);
  const variables = durations.steps.map(({ rows, completedMs }) => {
    const values = new Float64Array(startsInWindow.length).fill(Number.NaN);
    for (let place = 0; place < rows.length; place++) {
      if (isCounted(rows[place]!)) values[rows[place]!] = completedMs[place]!;
    }
    return ordered(values);
  });
  const isCompleted = (row: number): boolean => isCounted(row) && outcomes[row] === 'completed';
  variables.push(ordered(durationMs.map((ms, row) => (isCompleted(row) ? ms : Number.NaN))));
  const steps = [...durations.steps.map(({ step }) => step), DURATION];
  const correlations = new RankCorrelations(variables);
  const pairs = steps.map((_step, index) =>
    Array.from({ length: index + 1 }, (_none, other) => correlations.between(other, index)),
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
