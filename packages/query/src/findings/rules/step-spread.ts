import { STEP_PHRASES, stepKindOf } from '@convotel/conventions';
import type { Finding } from '../finding.ts';
import type { AveragesFacts } from '../facts.ts';
import { measureSpreads } from '../spreads.ts';
import type { Spread } from '../spreads.ts';
import { secondsWords } from '../words/quantity-words.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** A step whose spread is below this many per cent of a conversation is very consistent. */
export const VERY_CONSISTENT_BELOW_PCT = 10;

/** Below this many per cent it is fairly consistent, else its range is wide. */
export const FAIRLY_CONSISTENT_BELOW_PCT = 20;

/** Fewer calls say nothing about a spread. */
export const CALLS_FOR_SPREAD = 5;

/**
 * How much each step varies, measured against what a whole conversation takes, so that a step counts as wide when it
 * makes conversations differ. The widest of several wide ones is the most variable.
 */
export function stepSpread(facts: AveragesFacts): Finding[] {
  const spreads = measureSpreads(facts);
  const mostVariable = onlyWidest(spreads.filter(isWide));
  return spreads.map((spread) => ({
    rule: 'step-spread',
    severity: warningSignOf(spread) === undefined ? 'info' : 'warning',
    text: `${stepDisplayName(spread.step, 'label')}: ${judgementOf(spread, spread === mostVariable)}`,
    evidence: { ...spread },
  }));
}

function judgementOf(spread: Spread, isMostVariable: boolean): string {
  const { step, count, averageMs, minMs, maxMs, spreadPct } = spread;
  const { whenConsistent, whenVariable } = STEP_PHRASES[stepKindOf(step)];
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

/** What to say instead of a phrase about the spread when the step is slow on average. */
function warningSignOf({ step, averageMs }: Spread): string | undefined {
  const { warningMs = Infinity } = STEP_PHRASES[stepKindOf(step)];
  return averageMs > warningMs ? `slow on average, over ${secondsWords(warningMs)}s` : undefined;
}

function isWide({ count, spreadPct }: Spread): boolean {
  return count >= CALLS_FOR_SPREAD && spreadPct >= FAIRLY_CONSISTENT_BELOW_PCT;
}

/** The widest; undefined where it is alone, or another one is as wide. */
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
