import type { StepDurations } from '../../questions.ts';
import { firstOffsetsOf } from '../step-offsets.ts';
import { appendMissingSteps, orderSteps } from '../../model/step-order.ts';
import type { ComparedWindow } from './compared-window.ts';

/** How many conversations of both windows together decide the order of steps: the newest. */
const CONVERSATIONS_THAT_ORDER = 500;

/** Every step with a span in either window, in the step order of the newest 500 conversations of both. */
export function stepOrderOfBoth(windows: readonly ComparedWindow[]): string[] {
  const newest = windows
    .flatMap(({ durations }) => newestRows(durations))
    .sort((a, b) => (a.start > b.start ? -1 : a.start < b.start ? 1 : a.traceId < b.traceId ? -1 : 1));
  // Windows may overlap: a conversation that is in both counts once.
  const byTraceId = new Map<string, ReadonlyMap<string, number>>();
  for (const { traceId, durations, row } of newest) {
    if (byTraceId.size === CONVERSATIONS_THAT_ORDER) break;
    if (!byTraceId.has(traceId)) byTraceId.set(traceId, firstOffsetsOf(durations, row));
  }
  const seen = new Set(windows.flatMap(({ statistics }) => statistics.map(({ step }) => step)));
  return appendMissingSteps(orderSteps([...byTraceId.values()]), seen).filter((step) => seen.has(step));
}

interface Row {
  traceId: string;
  start: bigint;
  durations: StepDurations;
  row: number;
}

/** The newest conversations that start in the window. Rows come oldest first. */
function newestRows(durations: StepDurations): Row[] {
  const rows: Row[] = [];
  for (let row = durations.traceIds.length - 1; row >= 0 && rows.length < CONVERSATIONS_THAT_ORDER; row--) {
    if (durations.startsInWindow[row] !== 1) continue;
    rows.push({ traceId: durations.traceIds[row]!, start: durations.startTimesUnixNano[row]!, durations, row });
  }
  return rows;
}
