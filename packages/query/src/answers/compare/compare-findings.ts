import {
  counted,
  findingRule,
  nameList,
  percentWords,
  roughDurationWords,
  roughPercentWords,
  stepDisplayName,
} from '../../findings/finding.ts';
import type { Severity } from '../../findings/finding.ts';
import { RESPONSE_LATENCY } from '../averages.ts';
import { MIN_CONVERSATIONS, verdictOf } from './compare-windows.ts';
import type { ComparisonRow, Verdict } from './compare-windows.ts';
import { FIRST_OUTPUT } from './compared-sides.ts';
import type { ComparedSide } from './compared-sides.ts';
import type { MixChange } from './mix.ts';

/** Input of the finding rules of `compare`. */
export interface ComparisonFacts {
  /** The steps in step order, then the row `conversation`. */
  rows: ComparisonRow[];
  /** How the mix of conversations on the two sides differs. @defaultValue none */
  mixChanges?: readonly MixChange[];
}

/** Minimum size of a reported change of a step, as a percentage of its average. */
export const WORTH_SAYING_FROM_PCT = 1;

/** Minimum increase of a failure rate that is reported, in percentage points. */
export const RISEN_FROM_POINTS = 5;

/** Each step with a significant and large enough change, largest first. */
export const stepChange = findingRule('step-change', (facts: ComparisonFacts) =>
  clearChanges(facts).flatMap(({ step, deltaMs, deltaPct, verdict, intervalMs }) => {
    if (deltaMs === undefined) return [];
    const isFaster = verdict === 'faster';
    const share =
      deltaPct === undefined
        ? ''
        : ` (${roughPercentWords(Math.abs(deltaPct))} ${isFaster ? 'improvement' : 'slower'})`;
    const what = measureName(step) ?? `${stepDisplayName(step, 'opening')} time`;
    const change = `${isFaster ? 'reduced' : 'increased'} by ${Math.abs(deltaMs).toFixed(1)}ms`;
    return {
      severity: isFaster ? ('good' as const) : ('warning' as const),
      text: `${what} ${change}${share}`,
      evidence: {
        step,
        deltaMs,
        verdict,
        ...(deltaPct === undefined ? {} : { deltaPct }),
        ...(intervalMs === undefined ? {} : { intervalMs }),
      },
    };
  }),
);

/** The name of a row at the beginning of a sentence if it is not about the duration of a step or a conversation. */
function measureName(row: string): string | undefined {
  if (row === RESPONSE_LATENCY) return 'Response latency';
  return row.endsWith(FIRST_OUTPUT)
    ? `First output of ${stepDisplayName(row.slice(0, -FIRST_OUTPUT.length))}`
    : undefined;
}

/**
 * Rows whose interval excludes 0, but whose change is not significant: with several rows, one may exclude 0 by chance,
 * so the test is stricter than the interval.
 */
export const possibleChange = findingRule('possible-change', ({ rows }: ComparisonFacts) => {
  const judged = rows.filter(({ verdict }) => verdict !== 'too few').length;
  return rows.flatMap(({ step, deltaMs, intervalMs, verdict }) => {
    if (verdict !== 'no clear change' || deltaMs === undefined || intervalMs === undefined) return [];
    const [low, high] = intervalMs;
    if (low <= 0 && high >= 0) return [];
    const change = `${deltaMs < 0 ? 'faster' : 'slower'} by ${roughDurationWords(Math.abs(deltaMs))}`;
    const what = measureName(step) ?? stepDisplayName(step, 'opening');
    const text = `${what} may be ${change}, but among ${counted(judged, 'row')} that can be chance`;
    return { severity: 'info' as const, text, evidence: { step, deltaMs, intervalMs, verdict, judged } };
  });
});

/** The average total of a conversation before and after, with a note if the difference is not significant. */
export const totalChange = findingRule('total-change', (facts: ComparisonFacts) => {
  const { conversation } = comparedRows(facts);
  if (conversation === undefined) return [];
  const { before, after, verdict } = conversation;
  if (before.averageMs === undefined || after.averageMs === undefined) return [];
  const change = `${before.averageMs.toFixed(0)}ms → ${after.averageMs.toFixed(0)}ms`;
  return [
    {
      severity: 'info',
      text: `Total conversation time: ${change}${TOTAL_CAVEAT[verdict]}`,
      evidence: { beforeMs: before.averageMs, afterMs: after.averageMs, verdict },
    },
  ];
});

const TOTAL_CAVEAT: Readonly<Record<Verdict, string>> = {
  faster: '',
  slower: '',
  'no clear change': ' (no clear change)',
  'too few': ' (too few to tell)',
};

/** By how much whole conversations changed, if that is significant. */
export const endToEndChange = findingRule('end-to-end-change', (facts: ComparisonFacts) => {
  const { conversation } = comparedRows(facts);
  if (conversation?.deltaPct === undefined || !isClear(conversation)) return [];
  const { deltaPct, verdict } = conversation;
  const isFaster = verdict === 'faster';
  const text = `End-to-end ${isFaster ? 'improvement' : 'slowdown'}: ${Math.abs(deltaPct).toFixed(1)}%`;
  return [{ severity: isFaster ? 'good' : 'problem', text, evidence: { deltaPct, verdict } }];
});

/** Each step (after retries), and whole conversations, with a significantly higher failure rate than before. */
export const moreErrors = findingRule('more-errors', (facts: ComparisonFacts) =>
  risenErrorRates(facts).map(({ step, before, after }) => {
    const [beforePct = 0, afterPct = 0] = [finalRateOf(before), finalRateOf(after)];
    const text = `${stepDisplayName(step, 'opening')} error rate rose from ${percentWords(beforePct)} to ${percentWords(afterPct)}`;
    return { severity: 'problem', text, evidence: { step, beforePct, afterPct } };
  }),
);

/**
 * The conclusion. Success requires a significant improvement of conversations and of a step, and no increased failure
 * rates. If the mix of conversations changed, the conclusion has to hold among equal conversations too.
 */
export const comparisonVerdict = findingRule('comparison-verdict', (facts: ComparisonFacts) => {
  const { conversation } = comparedRows(facts);
  if (conversation === undefined) return [];
  const clearSteps = clearChanges(facts).filter((row) => row.verdict === conversation.verdict).length;
  const hasMixChanged = (facts.mixChanges ?? []).length > 0;
  const [severity, text] =
    (hasMixChanged ? wordsAmongEquals(conversation) : undefined) ??
    verdictWords(conversation, clearSteps > 0, risenErrorRates(facts).length > 0);
  const within = conversation.withinGroups;
  const evidence = {
    verdict: conversation.verdict,
    conversationsBefore: conversation.before.count,
    conversationsAfter: conversation.after.count,
    clearSteps,
    ...(within && { withinGroupsIntervalMs: within.intervalMs }),
  };
  return [{ severity, text, evidence }];
});

/** The conclusion if the difference among equal conversations is not that of all of them. */
function wordsAmongEquals({ verdict, withinGroups }: ComparisonRow): readonly [Severity, string] | undefined {
  const among = withinGroups === undefined ? undefined : verdictOf(withinGroups.intervalMs);
  if (verdict === among || verdict === 'too few') return undefined;
  if (verdict === 'no clear change') {
    if (among === undefined) return undefined;
    const severity = among === 'faster' ? 'info' : 'warning';
    return [severity, `No clear change overall, but the mix changed: equal conversations got ${among}`];
  }
  const all = verdict === 'faster' ? 'Faster' : 'Slower';
  if (among === undefined) return ['warning', `${all}, but the mix changed, and no equal conversations show why`];
  if (among === 'no clear change') {
    return ['warning', `${all}, but the mix changed: equal conversations show no clear change`];
  }
  return ['warning', `${all} only because the mix changed: equal conversations got ${among}`];
}

function verdictWords(
  { verdict, before, after }: ComparisonRow,
  hasClearStep: boolean,
  hasMoreErrors: boolean,
): readonly [Severity, string] {
  switch (verdict) {
    case 'faster':
      if (hasMoreErrors) return ['warning', 'Faster, but more fails: no success yet'];
      if (hasClearStep) return ['good', 'Success! Optimization validated with data'];
      return ['info', 'Conversations got faster, though no single step clearly did'];
    case 'slower':
      return ['problem', 'Conversations got slower: the change did not help'];
    case 'no clear change':
      return ['info', 'No clear change of whole conversations: more of them may show one'];
    case 'too few': {
      const counts = `${before.count} before, ${after.count} after, ${MIN_CONVERSATIONS} needed on either side`;
      return ['info', `Too few completed conversations to tell (${counts})`];
    }
  }
}

/** The mix of conversations differs between the sides, which by itself may cause a difference. */
export const mixChanged = findingRule('mix-changed', ({ rows, mixChanges = [] }: ComparisonFacts) => {
  if (mixChanges.length === 0) return [];
  const factors = mixChanges.map(({ factor }) => factor);
  const within = rows.at(-1)?.withinGroups;
  const change = within && `${within.deltaMs < 0 ? '' : '+'}${within.deltaMs.toFixed(0)}ms`;
  const rest =
    change === undefined
      ? 'no equal conversations to compare'
      : `among equal conversations the total changed by ${change}`;
  return [
    {
      severity: 'warning',
      text: `The two sides differ in ${nameList(factors, 'and')}: ${rest}`,
      evidence: {
        factors,
        distancesPct: mixChanges.map(({ distancePct }) => distancePct),
        ...(within && { withinGroupsDeltaMs: within.deltaMs, conversationsPct: within.conversationsPct }),
      },
    },
  ];
});

/** The findings of `compare`, in the order in which they are printed. */
export const compareRules = [
  stepChange,
  possibleChange,
  totalChange,
  endToEndChange,
  moreErrors,
  mixChanged,
  comparisonVerdict,
];

/** Separates the steps from the last row, which is about conversations and absent if the comparison is empty. */
function comparedRows({ rows }: ComparisonFacts): { steps: ComparisonRow[]; conversation: ComparisonRow | undefined } {
  return { steps: rows.slice(0, -1), conversation: rows.at(-1) };
}

/** The steps with a significant and large enough change, largest first. */
function clearChanges(facts: ComparisonFacts): ComparisonRow[] {
  return comparedRows(facts)
    .steps.filter((row) => isClear(row) && Math.abs(row.deltaPct ?? Infinity) >= WORTH_SAYING_FROM_PCT)
    .toSorted((a, b) => Math.abs(b.deltaMs ?? 0) - Math.abs(a.deltaMs ?? 0));
}

/** Whether the difference is significant. */
function isClear({ verdict }: ComparisonRow): boolean {
  return verdict === 'faster' || verdict === 'slower';
}

/** The rows, including that of whole conversations, whose failure rate rose by at least five percentage points. */
function risenErrorRates({ rows }: ComparisonFacts): ComparisonRow[] {
  return rows.filter(({ before, after }) => {
    const [beforePct, afterPct] = [finalRateOf(before), finalRateOf(after)];
    return beforePct !== undefined && afterPct !== undefined && afterPct - beforePct >= RISEN_FROM_POINTS;
  });
}

/** Whole conversations have no rate after retries. */
function finalRateOf({ errorRatePct, finalErrorRatePct }: ComparedSide): number | undefined {
  return finalErrorRatePct ?? errorRatePct;
}
