import type { ComparisonRow } from '../../answers/data.ts';
import { comparedRows, isClear } from '../compared-rows.ts';
import type { Finding } from '../finding.ts';
import type { ComparisonFacts } from '../facts.ts';
import { roughPercentWords } from '../words/quantity-words.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** Each step whose change is clear, the clearest first: the largest change against the width of its interval. */
export function stepChange(facts: ComparisonFacts): Finding[] {
  return comparedRows(facts)
    .steps.filter(isClear)
    .toSorted((a, b) => clarityOf(b) - clarityOf(a))
    .flatMap(({ step, deltaMs, deltaPct, verdict, intervalMs }): Finding[] => {
      if (deltaMs === undefined) return [];
      const isFaster = verdict === 'faster';
      const share =
        deltaPct === undefined
          ? ''
          : ` (${roughPercentWords(Math.abs(deltaPct))} ${isFaster ? 'improvement' : 'slower'})`;
      const change = `${isFaster ? 'reduced' : 'increased'} by ${Math.abs(deltaMs).toFixed(1)}ms`;
      return [
        {
          rule: 'step-change',
          severity: isFaster ? 'good' : 'warning',
          text: `${stepDisplayName(step, 'opening')} time ${change}${share}`,
          evidence: {
            step,
            deltaMs,
            verdict,
            ...(deltaPct === undefined ? {} : { deltaPct }),
            ...(intervalMs === undefined ? {} : { intervalMs }),
          },
        },
      ];
    });
}

function clarityOf({ deltaMs = 0, intervalMs = [0, 0] }: ComparisonRow): number {
  return Math.abs(deltaMs) / Math.max(intervalMs[1] - intervalMs[0], Number.MIN_VALUE);
}
