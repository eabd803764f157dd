import type { ConversationDetail, StepRow } from '../answers/data.ts';

/** The steps that the conversation's total is the sum of, by start. */
export function outermostSteps(detail: ConversationDetail): StepRow[] {
  return detail.steps.filter((step) => step.depth === 0);
}

/** The outermost steps by name, in the order in which the names begin. */
export function outermostStepsByName(detail: ConversationDetail): Map<string, StepRow[]> {
  const rowsByName = new Map<string, StepRow[]>();
  for (const step of outermostSteps(detail)) {
    rowsByName.set(step.step, [...(rowsByName.get(step.step) ?? []), step]);
  }
  return rowsByName;
}

/** Of each outermost step the last attempt, by start. */
export function lastAttempts(detail: ConversationDetail): StepRow[] {
  const steps = outermostSteps(detail);
  return steps.filter((step, index) => !steps.slice(index + 1).some((later) => isLaterAttempt(later, step)));
}

function isLaterAttempt(later: StepRow, step: StepRow): boolean {
  return later.step === step.step && (later.attempt ?? 1) > (step.attempt ?? 1);
}
