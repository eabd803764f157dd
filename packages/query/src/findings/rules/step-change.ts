import { clearChanges } from '../compared-rows.ts';
import type { Finding } from '../finding.ts';
import type { ComparisonFacts } from '../facts.ts';
import { roughPercentWords } from '../words/quantity-words.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** Each step whose change is clear and worth a sentence, the largest first. */
export function stepChange(facts: ComparisonFacts): Finding[] {
  return clearChanges(facts).flatMap(({ step, deltaMs, deltaPct, verdict, intervalMs }): Finding[] => {
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
