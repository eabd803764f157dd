import type { StepDurations } from '@convotel/query';

/** One conversation for {@link stepDurations}: per step its offset and, where it was counted, its duration, in ms. */
export interface DurationsRow {
  traceId: string;
  startUnixNano?: bigint;
  startsInWindow?: boolean;
  outcome?: StepDurations['outcomes'][number];
  steps: Record<string, { offsetMs: number; countedMs?: number }>;
}

/** The answer of a source to `stepDurations`, row by row. */
export function stepDurations(rows: readonly DurationsRow[]): StepDurations {
  const steps = [...new Set(rows.flatMap((row) => Object.keys(row.steps)))];
  return {
    traceIds: rows.map(({ traceId }) => traceId),
    startTimesUnixNano: BigInt64Array.from(rows, ({ startUnixNano }, index) => startUnixNano ?? BigInt(index)),
    startsInWindow: Uint8Array.from(rows, ({ startsInWindow = true }) => Number(startsInWindow)),
    outcomes: rows.map(({ outcome = 'completed' }) => outcome),
    durationMs: Float64Array.from(rows, sumOfSteps),
    stepSumMs: Float64Array.from(rows, sumOfSteps),
    responseMs: new Float64Array(rows.length).fill(Number.NaN),
    steps: steps.map((step) => {
      const having = rows.flatMap((row, index) =>
        row.steps[step] === undefined ? [] : [{ index, ...row.steps[step] }],
      );
      return {
        step,
        rows: Uint32Array.from(having, ({ index }) => index),
        countedMs: Float64Array.from(having, ({ countedMs }) => countedMs ?? 0),
        counted: Uint32Array.from(having, ({ countedMs }) => (countedMs === undefined ? 0 : 1)),
        completedMs: Float64Array.from(having, ({ countedMs }) => countedMs ?? Number.NaN),
        firstOffsetMs: Float64Array.from(having, ({ offsetMs }) => offsetMs),
      };
    }),
  };
}

function sumOfSteps(row: DurationsRow): number {
  return Object.values(row.steps).reduce((sum, { countedMs = 0 }) => sum + countedMs, 0);
}
