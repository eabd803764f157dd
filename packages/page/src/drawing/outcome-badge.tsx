import type { ConversationOutcome } from '@convotel/query/answers';
import { outcomeWords } from '../words/words.ts';

/** A sign and a word beside the colour, for those who do not see the colour. */
const SIGNS: Readonly<Record<ConversationOutcome, string>> = {
  completed: '✓',
  failed: '✕',
  timed_out: '◷',
  abandoned: '⌁',
  interrupted: '‖',
  open: '…',
};

export function OutcomeBadge({ outcome }: { outcome: ConversationOutcome }) {
  return (
    <span class={`badge outcome-${outcome}`}>
      <span aria-hidden="true">{SIGNS[outcome]}</span> {outcomeWords(outcome)}
    </span>
  );
}
