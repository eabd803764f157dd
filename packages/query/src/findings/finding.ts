/** How much a finding matters to somebody who runs the assistant; `advice` says what to do next. */
export type Severity = 'good' | 'info' | 'warning' | 'problem' | 'advice';

/** What a rule saw in the data, in words, and the numbers that the words rest on. */
export interface Finding {
  /** Stable name of the rule, which is also its file's name, such as `bottleneck-step`. */
  rule: string;
  severity: Severity;
  text: string;
  evidence: Evidence;
}

/** The numbers and names behind a finding. */
export type Evidence = Record<string, number | string | boolean | readonly (number | string)[]>;

/** Looks at the facts of one answer. Pure; an empty list when there is nothing to say. Names no step. */
export type FindingRule<Facts> = (facts: Facts) => Finding[];
