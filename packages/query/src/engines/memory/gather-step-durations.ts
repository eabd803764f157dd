import { isInWindow } from '../../model/window.ts';
import type { Window } from '../../model/window.ts';
import type { StepColumn, StepDurations, StepDurationsQuestion } from '../../questions.ts';
import { isCounted } from './gather-step-statistics.ts';
import { firstOffsetsMs, orderStepsOf } from './order-steps-of.ts';
import { compareBigint, isConversation } from './trace.ts';
import type { ConversationTrace, Trace } from './trace.ts';

/** `ConversationSource.stepDurations` over the traces that its filters choose. */
export function gatherStepDurations(traces: readonly Trace[], { window }: StepDurationsQuestion): StepDurations {
  const conversations = traces.filter(isConversation);
  const rows = conversations.filter((trace) => isRow(trace, window)).sort(compareOldestFirst);
  const steps = new Set(rows.flatMap(({ spans }) => spans.flatMap(({ step }) => step ?? [])));
  const columns = new Map(
    orderStepsOf(conversations, window, steps).map((step) => [step, emptyColumn(step, rows.length)]),
  );
  rows.forEach((trace, row) => fillRow(columns, row, trace, window));
  return {
    traceIds: rows.map(({ traceId }) => traceId),
    startTimesUnixNano: BigInt64Array.from(rows, ({ conversation }) => conversation.startTimeUnixNano),
    startsInWindow: Uint8Array.from(rows, (trace) => Number(startsIn(trace, window))),
    outcomes: rows.map(({ conversation }) => conversation.outcome),
    totalMs: Float64Array.from(rows, ({ conversation }) => Number(conversation.totalNano) / 1e6),
    steps: [...columns.values()],
  };
}

function isRow(trace: ConversationTrace, window: Window): boolean {
  return (
    startsIn(trace, window) ||
    trace.spans.some((span) => span.step !== undefined && isInWindow(span.startTimeUnixNano, window))
  );
}

function startsIn({ conversation }: ConversationTrace, window: Window): boolean {
  return isInWindow(conversation.startTimeUnixNano, window);
}

function compareOldestFirst(a: ConversationTrace, b: ConversationTrace): number {
  return (
    compareBigint(a.conversation.startTimeUnixNano, b.conversation.startTimeUnixNano) ||
    (a.traceId < b.traceId ? -1 : 1)
  );
}

function emptyColumn(step: string, rowCount: number): StepColumn {
  return {
    step,
    countedMs: new Float64Array(rowCount),
    counted: new Uint32Array(rowCount),
    completedMs: new Float64Array(rowCount).fill(Number.NaN),
    firstOffsetMs: new Float64Array(rowCount).fill(Number.NaN),
  };
}

function fillRow(
  columns: ReadonlyMap<string, StepColumn>,
  row: number,
  trace: ConversationTrace,
  window: Window,
): void {
  for (const span of trace.spans) {
    if (span.step === undefined || span.outcome !== 'completed') continue;
    const column = columns.get(span.step)!;
    const durationMs = Number(span.durationNano) / 1e6;
    const known = column.completedMs[row]!;
    column.completedMs[row] = Number.isNaN(known) ? durationMs : known + durationMs;
    if (isCounted(span) && isInWindow(span.startTimeUnixNano, window)) {
      column.countedMs[row]! += durationMs;
      column.counted[row]! += 1;
    }
  }
  for (const [step, offsetMs] of firstOffsetsMs(trace)) columns.get(step)!.firstOffsetMs[row] = offsetMs;
}
