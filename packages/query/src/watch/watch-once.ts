import type { ConversationSource } from '../questions.ts';
import type { Alert, AlertRule } from './alert.ts';
import { checkRules, resolveRound, windowOf } from './round.ts';
import type { RoundOptions } from './round.ts';

/**
 * One round of `watch`: the alerts of all `rules` for the window that ends now.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the back end cannot be reached.
 */
export async function watchOnce(
  source: ConversationSource,
  rules: readonly AlertRule[],
  options: RoundOptions = {},
): Promise<Alert[]> {
  const raised = await checkRules(source, rules, windowOf(resolveRound(options)));
  return raised.map(({ alert }) => alert);
}
