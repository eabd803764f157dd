import { STEP_PHRASES, stepKindOf } from '@convotel/conventions';
import type { Finding } from '../finding.ts';
import type { SummaryFacts } from '../facts.ts';
import { roughDurationWords, secondsWords } from '../words/quantity-words.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** Each completed step that took longer than the warning sign of its kind. */
export function slowStep({ detail }: SummaryFacts): Finding[] {
  return detail.steps.flatMap(({ step, durationMs, outcome }): Finding[] => {
    const { warningMs } = STEP_PHRASES[stepKindOf(step)];
    if (warningMs === undefined || outcome !== 'completed' || durationMs <= warningMs) return [];
    const name = stepDisplayName(step, 'opening');
    const text = `${name} step took ${roughDurationWords(durationMs)}, a warning sign (over ${secondsWords(warningMs)}s)`;
    return [{ rule: 'slow-step', severity: 'warning', text, evidence: { step, durationMs, warningMs } }];
  });
}
