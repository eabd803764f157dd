import type { StepDurations } from '../questions.ts';

/** First offset in ms of each step that the conversation in `row` has: what `orderSteps` takes. */
export function firstOffsetsOf(durations: StepDurations, row: number): Map<string, number> {
  const offsets = new Map<string, number>();
  for (const { step, firstOffsetMs } of durations.steps) {
    const offset = firstOffsetMs[row]!;
    if (!Number.isNaN(offset)) offsets.set(step, offset);
  }
  return offsets;
}
