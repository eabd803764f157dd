import type { ConversationOutcome } from '../../model/conversation.ts';
import type { Answer } from '../../model/coverage.ts';
import { ERROR_PATTERN_RULES, PATTERN_PLACEHOLDER } from '../../model/error-pattern.ts';
import { millisecondsOf, TOO_LONG_NANO } from '../../model/numbers.ts';
import { emptyStepColumn } from '../../questions.ts';
import type {
  CommonError,
  CommonErrorsQuestion,
  Engine,
  FirstOutputStatistics,
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

/** The questions about steps and their failures. */
export const stepAnswers = {
  'step-statistics': gatherStepStatistics,
  'step-durations': gatherStepDurations,
  'common-errors': gatherCommonErrors,
} satisfies Partial<Engine<SqlStore>>;

async function gatherStepStatistics(
  store: SqlStore,
  question: StepStatisticsQuestion,
): Promise<Answer<StepStatistics[]>> {
  const { window, step, quantiles = [], timings = true, firstOutput = false } = question;
  const values = { ...windowValues(window), step: step ?? null, too_long_ns: TOO_LONG_NANO };
  const rows = await store.rows('step-statistics', values);
  const timingRows = timings ? await store.rows('step-timings', values) : [];
  const quantileRows =
    quantiles.length === 0 ? [] : await store.rows('step-quantiles', { ...values, probabilities: quantiles });
  const retryRows = await store.rows('step-retries', {
    ...windowValues(window),
    step: values.step,
  });
  // A list of nothing would be refused; the quantile is dropped again.
  const probabilities = quantiles.length === 0 ? [0.5] : quantiles;
  const firstOutputRows = firstOutput ? await store.rows('step-first-outputs', { ...values, probabilities }) : [];
  const statistics = new Map(
    rows.map((row) => {
      const name = row['step'] as string;
      const ofStep = (other: SqlRow): boolean => other['step'] === name;
      const firstOutputRow = firstOutputRows.find(ofStep);
      return [
        name,
        {
          ...readStatistics(row, retryRows.find(ofStep)),
          timings: readTimings(timingRows.filter(ofStep)),
          quantilesMs: millisecondsIn(quantileRows.find(ofStep)?.['quantiles_ns'], 1e-6),
          ...(firstOutputRow && { firstOutput: readFirstOutput(firstOutputRow, quantiles.length) }),
        },
      ];
    }),
  );
  const { coverage, extent } = await coverWindow(store, window);
  const order = await orderStepsOf(store, window, [...statistics.keys()], extent);
  return { data: order.map((name) => statistics.get(name)!), coverage };
}

function readStatistics(
  row: SqlRow,
  retries: SqlRow | undefined,
): Omit<StepStatistics, 'timings' | 'quantilesMs' | 'firstOutput'> {
  const countOf = (column: string): number => Number(row[column]);
  const [total, completed, failures, count] = [
    countOf('total'),
    countOf('completed'),
    countOf('failures'),
    countOf('counted'),
  ];
  return {
    step: row['step'] as string,
    total,
    completed,
    failures,
    retried: Number(retries?.['retried'] ?? 0),
    finalFailures: failures - Number(retries?.['retried_failures'] ?? 0),
    count,
    ...(count > 0 && {
      averageMs: (row['average_ns'] as number) / 1e6,
      minMs: Number(row['min_ns']) / 1e6,
      maxMs: Number(row['max_ns']) / 1e6,
    }),
    outermostMs: Number(row['outermost_ns']) / 1e6,
    leftOut: { tooLong: completed - count, notCompleted: total - completed },
  };
}

function readTimings(rows: readonly SqlRow[]): Record<string, number> {
  return Object.fromEntries(rows.map((row) => [row['part'], (row['average_s'] as number) * 1000]));
}

function readFirstOutput(row: SqlRow, quantileCount: number): FirstOutputStatistics {
  return {
    count: Number(row['counted']),
    averageMs: (row['average_s'] as number) * 1000,
    quantilesMs: millisecondsIn(row['quantiles_s'], 1000).slice(0, quantileCount),
  };
}

/** The figures in a list, each multiplied by `factor` to be milliseconds; none where there is no list. */
function millisecondsIn(list: unknown, factor: number): number[] {
  return ((list ?? []) as readonly (number | bigint)[]).map((figure) => Number(figure) * factor);
}

async function gatherStepDurations(store: SqlStore, { window }: StepDurationsQuestion): Promise<Answer<StepDurations>> {
  const conversations = await store.columns('conversation-durations', windowValues(window));
  const keys = conversations['trace_id'] as TraceKey[];
  const starts = conversations['first_ns'] as bigint[];
  const rowByTrace = new Map(keys.map((key, row) => [key, row]));

  const durations = await store.columns('step-durations', { ...windowValues(window), too_long_ns: TOO_LONG_NANO });
  const columns = new Map<string, StepColumn>();
  const steps = durations['step'] as string[];
  for (let index = 0; index < steps.length; index++) {
    const row = rowByTrace.get(durations['trace_id']![index] as TraceKey);
    // A dialect may know only later which conversations have a row, or may have got spans meanwhile.
    if (row === undefined) continue;
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
      durationMs: Float64Array.from(conversations['duration_ms'] as number[]),
      stepSumMs: Float64Array.from(conversations['step_sum_ms'] as number[]),
      responseMs: Float64Array.from(conversations['response_ms'] as (number | null)[], (ms) => ms ?? Number.NaN),
      steps: order.map((step) => columns.get(step)!),
    },
    coverage,
  };
}

async function gatherCommonErrors(
  store: SqlStore,
  { window, limit }: CommonErrorsQuestion,
): Promise<Answer<CommonError[]>> {
  const rows = await store.rows('common-errors', {
    ...windowValues(window),
    ...Object.fromEntries(ERROR_PATTERN_RULES.map((rule, index) => [`rule_${index + 1}`, rule])),
    placeholder: PATTERN_PLACEHOLDER,
    row_limit: BigInt(limit),
  });
  const keys = [...new Set(rows.map((row) => row['trace_id'] as TraceKey))];
  const read = await readConversations(store, keys);
  const idByTrace = new Map(keys.map((key, index) => [key, read[index]!.conversation.conversationId]));
  const data = rows.map((row): CommonError => ({
    step: row['step'] as string,
    ...(row['error_type'] !== null && { errorType: row['error_type'] as string }),
    ...(row['error_message'] !== null && {
      pattern: row['pattern'] as string,
      message: row['error_message'] as string,
    }),
    count: Number(row['failures']),
    lastSeenUnixNano: row['last_seen_ns'] as bigint,
    conversationId: idByTrace.get(row['trace_id'] as TraceKey)!,
  }));
  const { coverage } = await coverWindow(store, window);
  return { data, coverage };
}
