import type { ConversationDetail } from '../../answers/data.ts';
import type { Finding } from '../finding.ts';
import type { SummaryFacts } from '../facts.ts';
import { outermostSteps } from '../outermost-steps.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** How far a conversation came that did not complete: its last step that did. */
export function conversationEnding({ detail }: SummaryFacts): Finding[] {
  const { outcome } = detail;
  const verb = verbOf(outcome);
  if (verb === undefined) return [];
  const lastCompleted = outermostSteps(detail).findLast((step) => step.outcome === 'completed')?.step;
  const where =
    lastCompleted === undefined
      ? 'before any step completed'
      : `after ${stepDisplayName(lastCompleted)} completed successfully`;
  const evidence = { outcome, ...(lastCompleted === undefined ? {} : { lastCompleted }) };
  const severity = outcome === 'open' || outcome === 'interrupted' ? 'info' : 'problem';
  const text = outcome === 'open' ? openText(lastCompleted) : `Conversation ${verb} ${where}`;
  return [{ rule: 'conversation-ending', severity, text, evidence }];
}

function verbOf(outcome: ConversationDetail['outcome']): string | undefined {
  switch (outcome) {
    case 'completed':
      return undefined;
    case 'timed_out':
      return 'timed out';
    case 'abandoned':
    case 'interrupted':
      return `was ${outcome}`;
    case 'failed':
    case 'open':
      return outcome;
  }
}

function openText(lastCompleted: string | undefined): string {
  const far =
    lastCompleted === undefined ? 'no step has completed' : `${stepDisplayName(lastCompleted)} completed last`;
  return `Conversation has not ended yet: ${far}`;
}
