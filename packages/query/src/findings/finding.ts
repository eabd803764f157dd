/** How much a finding matters to whoever runs the assistant; `advice` says what to do next. */
export type Severity = 'good' | 'info' | 'warning' | 'problem' | 'advice';

/** What a rule saw in the data, in words, and the numbers that the words rest on. */
export interface Finding {
  /** Stable name of the rule, such as `bottleneck-step`. */
  rule: string;
  severity: Severity;
  text: string;
  evidence: Evidence;
}

/** The numbers and names behind a finding. */
export type Evidence = Record<string, number | string | boolean | readonly (number | string)[]>;

/** Looks at the facts of one answer. Pure; an empty list when there is nothing to say. */
export interface FindingRule<Facts> {
  (facts: Facts): Finding[];
  /** Stable name, which every finding of the rule carries. */
  readonly ruleName: string;
}

/**
 * Makes a rule. `look` speaks by the kind of a step, never by its name, so that a pipeline with other names reads as well.
 */
export function findingRule<Facts>(
  ruleName: string,
  look: (facts: Facts) => readonly Omit<Finding, 'rule'>[],
): FindingRule<Facts> {
  const rule = (facts: Facts): Finding[] => look(facts).map((finding) => ({ rule: ruleName, ...finding }));
  return Object.assign(rule, { ruleName });
}

/** What `rules` see in `facts`, in the order of the rules. */
export function findAll<Facts>(rules: readonly FindingRule<Facts>[], facts: Facts): Finding[] {
  return rules.flatMap((rule) => rule(facts));
}
