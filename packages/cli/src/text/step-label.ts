import type { StepRow } from '@convotel/query';

/** The step's name as a table of one conversation shows it: nested steps are indented, later attempts numbered. */
export function stepLabel(step: StepRow): string {
  const attempt = step.attempt === undefined ? '' : ` #${step.attempt}`;
  return '  '.repeat(step.depth) + step.step + attempt;
}
