import type { Finding, FindingRule } from './finding.ts';

/** What `rules` see in `facts`, in the order of the rules. */
export function findAll<Facts>(rules: readonly FindingRule<Facts>[], facts: Facts): Finding[] {
  return rules.flatMap((rule) => rule(facts));
}
