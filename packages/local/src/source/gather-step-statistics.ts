import { THRESHOLD } from '@convotel/conventions';
import type { Answer, StepStatistics, StepStatisticsQuestion } from '@convotel/query';
import { DOUBLE, LIST, listValue, VARCHAR, type DuckDBListValue } from '@duckdb/node-api';
import type { SpanRow } from '../store/span-row.ts';
import { type Asking, windowValues } from './asking.ts';
import { coverWindow } from './coverage.ts';
import { orderStepsOf } from './step-order.ts';

/** Completed steps of this length and more are not counted. */
export const TOO_LONG_NANO = BigInt(THRESHOLD.longestCountedStepMs) * 1_000_000n;

/** `ConversationSource.stepStatistics`. */
export async function gatherStepStatistics(
  asking: Asking,
  question: StepStatisticsQuestion,
): Promise<Answer<StepStatistics[]>> {
  const { window, step, quantiles = [], timings = true } = question;
  const values = { ...windowValues(window), step: step ?? null, too_long_ns: TOO_LONG_NANO };
  const types = { step: VARCHAR };
  const rows = await asking.rows('step-statistics', { values, types });
  const timingRows = timings ? await asking.rows('step-timings', { values, types }) : [];
  const quantileRows =
    quantiles.length === 0
      ? []
      : await asking.rows('step-quantiles', {
          values: { ...values, ranks: listValue([...quantiles]) },
          types: { ...types, ranks: LIST(DOUBLE) },
        });
  const statistics = new Map(
    rows.map((row) => {
      const name = row['step'] as string;
      const ofStep = (other: SpanRow): boolean => other['step'] === name;
      return [name, readStatistics(row, timingRows.filter(ofStep), quantileRows.find(ofStep))];
    }),
  );
  const { coverage, extent } = await coverWindow(asking, window);
  const order = await orderStepsOf(asking, window, [...statistics.keys()], extent);
  return { data: order.map((name) => statistics.get(name)!), coverage };
}

function readStatistics(row: SpanRow, timings: readonly SpanRow[], quantiles: SpanRow | undefined): StepStatistics {
  const [total, completed, failures, count] = ['total', 'completed', 'failures', 'counted'].map((column) =>
    Number(row[column]),
  ) as [number, number, number, number];
  return {
    step: row['step'] as string,
    total,
    completed,
    failures,
    count,
    ...(count > 0 && {
      averageMs: (row['average_ns'] as number) / 1e6,
      minMs: Number(row['min_ns']) / 1e6,
      maxMs: Number(row['max_ns']) / 1e6,
    }),
    outermostMs: Number(row['outermost_ns']) / 1e6,
    leftOut: { tooLong: completed - count, notCompleted: total - completed },
    timings: Object.fromEntries(timings.map((timing) => [timing['part'], (timing['average_s'] as number) * 1000])),
    quantilesMs: ((quantiles?.['quantiles_ns'] as DuckDBListValue | undefined)?.items ?? []).map(
      (nanoseconds) => Number(nanoseconds) / 1e6,
    ),
  };
}
