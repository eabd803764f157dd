import type { ConversationDetail } from '../../answers/data.ts';
import type { Finding } from '../finding.ts';
import type { SummaryFacts } from '../facts.ts';

/** Every step completed, which is not yet a conversation that did. */
export function allStepsCompleted({ detail }: SummaryFacts): Finding[] {
  const { steps, outcome } = detail;
  if (steps.length === 0 || steps.some((step) => step.outcome !== 'completed')) return [];
  return [
    {
      rule: 'all-steps-completed',
      severity: outcome === 'completed' ? 'good' : 'info',
      text: textOf(outcome),
      evidence: { steps: steps.length, outcome },
    },
  ];
}

function textOf(outcome: ConversationDetail['outcome']): string {
  switch (outcome) {
    case 'completed':
      return 'All steps completed successfully';
    case 'open':
      return 'All steps so far completed successfully';
    case 'failed':
      return 'All steps that ran completed, yet the conversation failed';
    case 'timed_out':
      return 'All steps that ran completed, yet the conversation timed out';
    case 'abandoned':
    case 'interrupted':
      return `All steps that ran completed, yet the conversation was ${outcome}`;
  }
}
