import type { ConversationOutcome } from '../../model/conversation.ts';
import type { Answer } from '../../model/coverage.ts';
import { millisecondsOf, TOO_LONG_NANO } from '../../model/numbers.ts';
import { emptyStepColumn } from '../../questions.ts';
import type {
  CommonError,
  CommonErrorsQuestion,
  StepColumn,
  StepDurations,
  StepDurationsQuestion,
  StepStatistics,
  StepStatisticsQuestion,
} from '../../questions.ts';
import { readConversations } from './conversations.ts';
import { coverWindow } from './coverage.ts';
import { orderStepsOf } from './newest.ts';
import { windowValues } from './sql-store.ts';
import type { SqlRow, SqlStore, TraceKey } from './sql-store.ts';

export async function gatherStepStatistics(
  store: SqlStore,
  question: StepStatisticsQuestion,
): Promise<Answer<StepStatistics[]>> {
  const { window, step, quantiles = [], timings = true } = question;
  const values = { ...windowValues(window), step: step ?? null, too_long_ns: TOO_LONG_NANO };
  const rows = await store.rows('step-statistics', values);
  const timingRows = timings ? await store.rows('step-timings', values) : [];
  const quantileRows =
    quantiles.length === 0 ? [] : await store.rows('step-quantiles', { ...values, probabilities: quantiles });
  const statistics = new Map(
    rows.map((row) => {
      const name = row['step'] as string;
      const ofStep = (other: SqlRow): boolean => other['step'] === name;
      return [name, readStatistics(row, timingRows.filter(ofStep), quantileRows.find(ofStep))];
    }),
  );
  const { coverage, extent } = await coverWindow(store, window);
  const order = await orderStepsOf(store, window, [...statistics.keys()], extent);
  return { data: order.map((name) => statistics.get(name)!), coverage };
}

function readStatistics(row: SqlRow, timings: readonly SqlRow[], quantiles: SqlRow | undefined): StepStatistics {
  const countOf = (column: string): number => Number(row[column]);
  const [total, completed, count] = [countOf('total'), countOf('completed'), countOf('counted')];
  return {
    step: row['step'] as string,
    total,
    completed,
    failures: countOf('failures'),
    count,
    ...(count > 0 && {
      averageMs: (row['average_ns'] as number) / 1e6,
      minMs: Number(row['min_ns']) / 1e6,
      maxMs: Number(row['max_ns']) / 1e6,
    }),
    outermostMs: Number(row['outermost_ns']) / 1e6,
    leftOut: { tooLong: completed - count, notCompleted: total - completed },
    timings: Object.fromEntries(timings.map((timing) => [timing['part'], (timing['average_s'] as number) * 1000])),
    quantilesMs: ((quantiles?.['quantiles_ns'] as readonly (number | bigint)[] | undefined) ?? []).map(
      (nanoseconds) => Number(nanoseconds) / 1e6,
    ),
  };
}

export async function gatherStepDurations(
  store: SqlStore,
  { window }: StepDurationsQuestion,
): Promise<Answer<StepDurations>> {
  const conversations = await store.columns('conversation-durations', windowValues(window));
  const keys = conversations['trace_id'] as TraceKey[];
  const starts = conversations['first_ns'] as bigint[];
  const rowByTrace = new Map(keys.map((key, row) => [key, row]));

  const durations = await store.columns('step-durations', { ...windowValues(window), too_long_ns: TOO_LONG_NANO });
  const columns = new Map<string, StepColumn>();
  const steps = durations['step'] as string[];
  for (let index = 0; index < steps.length; index++) {
    const row = rowByTrace.get(durations['trace_id']![index] as TraceKey)!;
    let column = columns.get(steps[index]!);
    if (column === undefined) columns.set(steps[index]!, (column = emptyStepColumn(steps[index]!, keys.length)));
    column.countedMs[row] = durations['counted_ms']![index] as number;
    column.counted[row] = Number(durations['counted']![index]);
    column.completedMs[row] = (durations['completed_ms']![index] as number | null) ?? Number.NaN;
    column.firstOffsetMs[row] = millisecondsOf((durations['first_ns']![index] as bigint) - starts[row]!);
  }
  const { coverage, extent } = await coverWindow(store, window);
  const order = await orderStepsOf(store, window, [...columns.keys()], extent);
  return {
    data: {
      traceIds: keys.map(store.readers.traceId),
      startTimesUnixNano: BigInt64Array.from(starts),
      startsInWindow: Uint8Array.from(conversations['starts_within'] as boolean[], Number),
      outcomes: conversations['outcome'] as ConversationOutcome[],
      totalMs: Float64Array.from(conversations['total_ms'] as number[]),
      steps: order.map((step) => columns.get(step)!),
    },
    coverage,
  };
}

export async function gatherCommonErrors(
  store: SqlStore,
  { window, limit }: CommonErrorsQuestion,
): Promise<Answer<CommonError[]>> {
  const rows = await store.rows('common-errors', { ...windowValues(window), row_limit: BigInt(limit) });
  const keys = [...new Set(rows.map((row) => row['trace_id'] as TraceKey))];
  const read = await readConversations(store, keys);
  const idByTrace = new Map(keys.map((key, index) => [key, read[index]!.conversation.conversationId]));
  const data = rows.map((row): CommonError => ({
    step: row['step'] as string,
    ...(row['error_type'] !== null && { errorType: row['error_type'] as string }),
    ...(row['error_message'] !== null && { message: row['error_message'] as string }),
    count: Number(row['failures']),
    lastSeenUnixNano: row['last_seen_ns'] as bigint,
    conversationId: idByTrace.get(row['trace_id'] as TraceKey)!,
  }));
  const { coverage } = await coverWindow(store, window);
  return { data, coverage };
}
