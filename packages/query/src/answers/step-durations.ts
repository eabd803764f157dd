import type { StepDurations } from '../questions.ts';

/** First offset in ms of each step that each conversation has, by row: what `orderSteps` takes. */
export function firstOffsetsByRow(durations: StepDurations): Map<string, number>[] {
  const offsetsByRow = durations.traceIds.map(() => new Map<string, number>());
  for (const { step, rows, firstOffsetMs } of durations.steps) {
    rows.forEach((row, place) => {
      const [offsets, offset] = [offsetsByRow[row]!, firstOffsetMs[place]!];
      // A step may be in several groups.
      offsets.set(step, Math.min(offset, offsets.get(step) ?? offset));
    });
  }
  return offsetsByRow;
}
