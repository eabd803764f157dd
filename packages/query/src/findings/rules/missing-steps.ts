import type { ConversationDetail } from '../../answers/data.ts';
import type { Finding } from '../finding.ts';
import type { TraceFacts } from '../facts.ts';
import { nameList } from '../words/name-list.ts';
import { stepDisplayName } from '../words/step-display-name.ts';

/** Steps that conversations usually have after the last one that this one reached. */
export function missingSteps({ detail, missingSteps: missing }: TraceFacts): Finding[] {
  const reason = reasonOf(detail.outcome);
  if (missing.length === 0 || reason === undefined) return [];
  const names = nameList(
    missing.map((step) => stepDisplayName(step)),
    'or',
  );
  const text = `No ${names} ${missing.length === 1 ? 'step' : 'steps'} ${reason}`;
  return [{ rule: 'missing-steps', severity: 'info', text, evidence: { missingSteps: missing } }];
}

function reasonOf(outcome: ConversationDetail['outcome']): string | undefined {
  switch (outcome) {
    case 'completed':
      return undefined;
    case 'failed':
      return '(conversation aborted)';
    case 'timed_out':
      return '(conversation timed out)';
    case 'abandoned':
    case 'interrupted':
      return `(conversation ${outcome})`;
    case 'open':
      return 'so far';
  }
}
