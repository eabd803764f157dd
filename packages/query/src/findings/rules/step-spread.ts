import { STEP_PHRASES, stepKindOf } from '@convotel/conventions';
import type { StepAverageRow } from '../../answers/data.ts';
import type { Finding } from '../finding.ts';
import type { AveragesFacts } from '../facts.ts';
import { secondsWords } from '../words/quantity-words.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** Spread = (longest − shortest) / mean total of a conversation. Below this many per cent a step is very consistent. */
export const VERY_CONSISTENT_BELOW_PCT = 10;

/** Below this many per cent a step is fairly consistent, else its range is wide. */
export const FAIRLY_CONSISTENT_BELOW_PCT = 20;

/** Fewer calls say nothing about a spread. */
export const CALLS_FOR_SPREAD = 5;

interface Spread {
  row: StepAverageRow;
  averageMs: number;
  minMs: number;
  maxMs: number;
  spreadPct: number;
}

/**
 * How much each step varies, measured against what a whole conversation takes, so that a step counts as wide when it
 * makes conversations differ. The widest of several wide ones is the most variable.
 */
export function stepSpread({ rows, meanTotalMs }: AveragesFacts): Finding[] {
  if (meanTotalMs === undefined || meanTotalMs <= 0) return [];
  const spreads = rows.flatMap((row): Spread[] => {
    const { averageMs, minMs, maxMs } = row;
    if (averageMs === undefined || minMs === undefined || maxMs === undefined) return [];
    return [{ row, averageMs, minMs, maxMs, spreadPct: ((maxMs - minMs) / meanTotalMs) * 100 }];
  });
  const judged = spreads.filter(({ row }) => row.count >= CALLS_FOR_SPREAD);
  const mostVariable = onlyLargest(judged.filter(({ spreadPct }) => spreadPct >= FAIRLY_CONSISTENT_BELOW_PCT));
  return spreads.map((spread) => {
    const { row, averageMs, minMs, maxMs, spreadPct } = spread;
    const { whenConsistent, whenVariable, warningMs = Infinity } = STEP_PHRASES[stepKindOf(row.step)];
    const range = `(${Math.floor(minMs)}-${Math.floor(maxMs)}ms)`;
    const isSlow = averageMs > warningMs;
    const sign = isSlow ? `slow on average, over ${secondsWords(warningMs)}s` : undefined;
    const because = (phrase: string | undefined): string => {
      const words = sign ?? phrase;
      return words === undefined ? '' : ` - ${words}`;
    };

    let judgement: string;
    if (row.count < CALLS_FOR_SPREAD)
      judgement = `Too few calls to judge the spread (${row.count})${because(undefined)}`;
    else if (spreadPct < VERY_CONSISTENT_BELOW_PCT)
      judgement = `Very consistent (${centreWords(averageMs)})${because(whenConsistent)}`;
    else if (spreadPct < FAIRLY_CONSISTENT_BELOW_PCT) judgement = `Fairly consistent ${range}${because(whenVariable)}`;
    else judgement = `${spread === mostVariable ? 'Most variable' : 'Wide range'} ${range}${because(whenVariable)}`;

    return {
      rule: 'step-spread',
      severity: isSlow ? 'warning' : 'info',
      text: `${stepDisplayName(row.step, 'label')}: ${judgement}`,
      evidence: { step: row.step, count: row.count, averageMs, minMs, maxMs, meanTotalMs, spreadPct },
    };
  });
}

/** The widest; undefined where it is alone, or another one is as wide. */
function onlyLargest(spreads: readonly Spread[]): Spread | undefined {
  const [first, second] = spreads.toSorted((a, b) => b.spreadPct - a.spreadPct);
  return first !== undefined && second !== undefined && first.spreadPct > second.spreadPct ? first : undefined;
}

/** The centre rounded to 50 ms; shorter steps, where that would say nothing, to 10 or 1 ms. */
function centreWords(averageMs: number): string {
  const gridMs = averageMs >= 100 ? 50 : averageMs >= 20 ? 10 : 1;
  const centreMs = Math.round(averageMs / gridMs) * gridMs;
  return centreMs === 0 ? '<1ms' : `~${centreMs}ms`;
}
