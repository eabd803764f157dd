import { stepKindOf } from '@convotel/conventions';

/** Whether a person waits while the step runs: not while they speak themselves, nor while they hear the answer. */
export function isWaitedFor(step: string): boolean {
  const kind = stepKindOf(step);
  return kind !== 'capture' && kind !== 'playback';
}

/**
 * The class that gives a step its colour: by kind, so that any pipeline's model looks like a model, and for other names by
 * the name, so that a step keeps its colour in every view.
 */
export function stepLook(step: string): string {
  const kind = stepKindOf(step);
  if (kind !== 'other') return `look-${kind}`;
  let sum = 0;
  for (let index = 0; index < step.length; index++) sum = (sum * 31 + step.charCodeAt(index)) % 1_000_003;
  return `look-other-${sum % 4}`;
}
