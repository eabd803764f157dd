import type { Answer, ConversationOutcome, StepColumn, StepDurations, StepDurationsQuestion } from '@convotel/query';
import { traceIdHex } from '../store/ids.ts';
import { type Asking, windowValues } from './asking.ts';
import { coverWindow } from './coverage.ts';
import { TOO_LONG_NANO } from './gather-step-statistics.ts';
import { orderStepsOf } from './step-order.ts';

/** `ConversationSource.stepDurations`. Reads whole columns: an object a row would take several times as long. */
export async function gatherStepDurations(
  asking: Asking,
  { window }: StepDurationsQuestion,
): Promise<Answer<StepDurations>> {
  const values = windowValues(window);
  const conversations = await asking.columns('conversation-durations', { values });
  const traceIds = conversations['trace_id'] as bigint[];
  const starts = conversations['first_ns'] as bigint[];
  const rowByTrace = new Map(traceIds.map((traceId, row) => [traceId, row]));

  const durations = await asking.columns('step-durations', { values: { ...values, too_long_ns: TOO_LONG_NANO } });
  const columns = new Map<string, StepColumn>();
  const steps = durations['step'] as string[];
  for (let index = 0; index < steps.length; index++) {
    const row = rowByTrace.get(durations['trace_id']![index] as bigint)!;
    let column = columns.get(steps[index]!);
    if (column === undefined) columns.set(steps[index]!, (column = emptyColumn(steps[index]!, traceIds.length)));
    column.countedMs[row] = durations['counted_ms']![index] as number;
    column.counted[row] = Number(durations['counted']![index]);
    column.completedMs[row] = (durations['completed_ms']![index] as number | null) ?? Number.NaN;
    column.firstOffsetMs[row] = Number((durations['first_ns']![index] as bigint) - starts[row]!) / 1e6;
  }
  const { coverage, extent } = await coverWindow(asking, window);
  const order = await orderStepsOf(asking, window, [...columns.keys()], extent);
  return {
    data: {
      traceIds: traceIds.map(traceIdHex),
      startTimesUnixNano: BigInt64Array.from(starts),
      startsInWindow: Uint8Array.from(conversations['starts_within'] as boolean[], Number),
      outcomes: conversations['outcome'] as ConversationOutcome[],
      totalMs: Float64Array.from(conversations['total_ms'] as number[]),
      steps: order.map((step) => columns.get(step)!),
    },
    coverage,
  };
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
