import { WALL_DIFFERS_FROM_PCT } from '@convotel/conventions';
import type { Finding } from '../finding.ts';
import type { SummaryFacts } from '../facts.ts';

/** How long the conversation took; the wall clock beside the total where the two differ. */
export function totalDuration({ detail }: SummaryFacts): Finding[] {
  const { totalMs, wallMs, outcome } = detail;
  if (detail.steps.length === 0) return [];
  const wall =
    Math.abs(wallMs - totalMs) > (totalMs * WALL_DIFFERS_FROM_PCT) / 100
      ? ` (${seconds(wallMs)} on the wall clock)`
      : '';
  const text =
    outcome === 'open'
      ? `Conversation has taken ${seconds(totalMs)} so far${wall}`
      : `Total conversation took ${seconds(totalMs)}${wall}`;
  return [{ rule: 'total-duration', severity: 'info', text, evidence: { totalMs, wallMs } }];
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} seconds`;
}
