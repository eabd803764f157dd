import type { StepDurations } from '../questions.ts';
import { firstOffsetsOf } from './step-offsets.ts';
import { orderSteps } from '../model/step-order.ts';

/**
 * The steps that a conversation did not get to: those that more than half of the conversations compared with have, and
 * that come after the last one of `reachedSteps` in their step order. In that order.
 *
 * Nothing is missing where none of the reached steps is known to the others: that is another pipeline.
 *
 * @param durations holds the conversations compared with
 * @param comparedTraceIds the newest 50 conversations; other rows of `durations` do not count
 */
export function missingSteps(
  reachedSteps: ReadonlySet<string>,
  durations: StepDurations,
  comparedTraceIds: ReadonlySet<string>,
): string[] {
  const compared = durations.traceIds.flatMap((traceId, row) =>
    comparedTraceIds.has(traceId) ? [firstOffsetsOf(durations, row)] : [],
  );
  const inOrder = orderSteps(compared);
  const lastReached = inOrder.findLastIndex((step) => reachedSteps.has(step));
  if (lastReached === -1 && reachedSteps.size > 0) return [];
  return inOrder
    .slice(lastReached + 1)
    .filter((step) => compared.filter((offsets) => offsets.has(step)).length * 2 > compared.length);
}
