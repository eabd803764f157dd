import type { ComparisonRow, Verdict } from '../../answers/data.ts';
import { clearChanges, comparedRows } from '../compared-rows.ts';
import type { Finding, Severity } from '../finding.ts';
import type { ComparisonFacts } from '../facts.ts';
import { risenErrorRates } from '../risen-error-rates.ts';

/**
 * What the comparison comes to. Success needs a clear verdict for conversations and for a step, and failure rates that
 * did not rise.
 */
export function comparisonVerdict(facts: ComparisonFacts): Finding[] {
  const { conversation } = comparedRows(facts);
  if (conversation === undefined) return [];
  const clearSteps = clearChanges(facts).filter((row) => row.verdict === conversation.verdict).length;
  const { severity, text } = wordsOf(conversation, clearSteps > 0, risenErrorRates(facts).length > 0);
  const evidence = {
    verdict: conversation.verdict,
    conversationsBefore: conversation.before.count,
    conversationsAfter: conversation.after.count,
    clearSteps,
  };
  return [{ rule: 'comparison-verdict', severity, text, evidence }];
}

function wordsOf(
  { verdict, before, after }: ComparisonRow,
  hasClearStep: boolean,
  hasMoreErrors: boolean,
): { severity: Severity; text: string } {
  const say = (severity: Severity, text: string) => ({ severity, text });
  const byVerdict: Record<Verdict, () => { severity: Severity; text: string }> = {
    faster: () => {
      if (hasMoreErrors) return say('warning', 'Faster, but more fails: no success yet');
      if (hasClearStep) return say('good', 'Success! Optimization validated with data');
      return say('info', 'Conversations got faster, though no single step clearly did');
    },
    slower: () => say('problem', 'Conversations got slower: the change did not help'),
    'no clear change': () => say('info', 'No clear change of whole conversations: more of them may show one'),
    'too few': () =>
      say(
        'info',
        `Too few completed conversations to tell (${before.count} before, ${after.count} after, 10 needed on either side)`,
      ),
  };
  return byVerdict[verdict]();
}
