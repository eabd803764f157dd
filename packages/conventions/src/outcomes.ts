/** All outcomes, the worst first. */
export const OUTCOMES = ['failed', 'timed_out', 'abandoned', 'interrupted', 'completed'] as const;

/** How a step or a conversation ended. */
export type Outcome = (typeof OUTCOMES)[number];

/** Outcomes that count as failures and set the span status ERROR. */
export const FAILURE_OUTCOMES: readonly Outcome[] = ['failed', 'timed_out', 'abandoned'];

/** Whether `outcome` counts as a failure: `failed`, `timed_out` or `abandoned`. */
export function isFailure(outcome: Outcome): boolean {
  return FAILURE_OUTCOMES.includes(outcome);
}

/** The worst of `outcomes` in the order of {@link OUTCOMES}; `completed` if it is empty. */
export function worstOutcome(outcomes: Iterable<Outcome>): Outcome {
  let worst: Outcome = 'completed';
  for (const outcome of outcomes) {
    if (OUTCOMES.indexOf(outcome) < OUTCOMES.indexOf(worst)) worst = outcome;
  }
  return worst;
}

/** Whether `text` is one of {@link OUTCOMES}. */
export function isOutcome(text: unknown): text is Outcome {
  return (OUTCOMES as readonly unknown[]).includes(text);
}
