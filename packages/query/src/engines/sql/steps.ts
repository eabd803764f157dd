import type { Window } from '../../model/conversation.ts';
import { foldedWarning, withWarning } from '../../model/coverage.ts';
import type { Answer, Coverage } from '../../model/coverage.ts';
import { ERROR_PATTERN_RULES, PATTERN_PLACEHOLDER } from '../../model/error-pattern.ts';
import { namedGroup } from '../../model/groups.ts';
import { TOO_LONG_NANO } from '../../model/numbers.ts';
import { MAX_STEP_NAMES, OTHER_STEPS } from '../../questions.ts';
import type {
  AttributeCount,
  AttributeValuesQuestion,
  CommonError,
  CommonErrorsQuestion,
  Engine,
  StepDurations,
  StepDurationsQuestion,
  StepStatistics,
  StepStatisticsQuestion,
} from '../../questions.ts';
import { millisecondsIn, readQuantiles } from './quantiles.ts';
import { coverAsked, coverWindow, orderStepsOf } from './read-conversations.ts';
import { windowValues } from './sql-store.ts';
import type { FoldedNames, SqlRow, SqlStore, TraceKey } from './sql-store.ts';

/** The questions about steps and their failures. */
export const stepAnswers = {
  'step-statistics': gatherStepStatistics,
  'step-durations': gatherStepDurations,
  'common-errors': gatherCommonErrors,
  'attribute-values': countValues,
} satisfies Partial<Engine<SqlStore>>;

async function gatherStepStatistics(
  store: SqlStore,
  question: StepStatisticsQuestion,
): Promise<Answer<StepStatistics[]>> {
  const { window, step, quantiles = [], quantileIntervals: intervals = false, durationQuantiles = true } = question;
  const { timings = true, firstOutput = false, groupBy } = question;
  const values = { ...windowValues(window), step: step ?? null, too_long_ns: TOO_LONG_NANO };
  if (groupBy !== undefined) await store.groupSpans({ window, groupBy });
  // Retries have the same step name, so they are counted before names are folded, and summed afterwards.
  const unfoldedRetries = await store.rows('step-retries', { ...windowValues(window), step: values.step });
  const folded = step === undefined ? await foldNames(store, window, false) : undefined;
  const retriesByRow = addRetries(unfoldedRetries, folded);
  const rows = await store.rows('step-statistics', values);
  const timingRows = timings ? await store.rows('step-timings', values) : [];
  const durations = await readQuantiles(
    { probabilities: durationQuantiles ? quantiles : [], intervals, counts: countsOf(rows) },
    async (probabilities) => {
      const quantileRows = await store.rows('step-quantiles', { ...values, probabilities });
      return new Map(quantileRows.map((row) => [keyOf(row), millisecondsIn(row['quantiles_ns'], 1e-6)]));
    },
  );
  const readFirstOutputs = (probabilities: readonly number[]): Promise<SqlRow[]> =>
    store.rows('step-first-outputs', { ...values, probabilities });
  // Where intervals end is known only after counting, and quantiles are read then.
  const firstOutputRows = firstOutput ? await readFirstOutputs(intervals ? [] : quantiles) : [];
  const firstOutputs = await readQuantiles(
    { probabilities: quantiles, intervals, counts: countsOf(firstOutputRows) },
    async (probabilities) => {
      const read = probabilities === quantiles ? firstOutputRows : await readFirstOutputs(probabilities);
      return new Map(read.map((row) => [keyOf(row), millisecondsIn(row['quantiles_s'], 1000)]));
    },
  );
  const [timingsOf, firstOutputOf] = [timingRows, firstOutputRows].map(rowsByKey);
  const { coverage, extent } = await coverWindow(store, window);
  const names = [...new Set(rows.map((row) => row['step'] as string))];
  const order = await orderStepsOf(store, window, names, { extent, coverage });
  const places = new Map(order.map((name, place) => [name, place]));
  const placeOf = (row: SqlRow): number => places.get(row['step'] as string)!;
  const data = rows
    .toSorted((a, b) => groupOf(a) - groupOf(b) || placeOf(a) - placeOf(b))
    .map((row): StepStatistics => {
      const key = keyOf(row);
      const [firstOutputRow] = firstOutputOf!(key);
      return {
        ...namedGroup(groupOf(row), groupBy),
        ...readStatistics(row, retriesByRow.get(key)),
        timings: readTimings(timingsOf!(key)),
        ...durations.get(key)!,
        ...(firstOutputRow && {
          firstOutput: {
            count: Number(firstOutputRow['counted']),
            averageMs: (firstOutputRow['average_s'] as number) * 1000,
            ...firstOutputs.get(key)!,
          },
        }),
      };
    });
  return { data, coverage: warnFolded(coverage, folded) };
}

function groupOf(row: SqlRow): number {
  return Number(row['group_id']);
}

/** Step and group of a row as one string. */
function keyOf(row: SqlRow, step = row['step'] as string): string {
  return `${groupOf(row)} ${step}`;
}

/** The number of counted values of each row. */
function countsOf(rows: readonly SqlRow[]): Map<string, number> {
  return new Map(rows.map((row) => [keyOf(row), Number(row['counted'])]));
}

function foldNames(store: SqlStore, window: Window, wholeConversations: boolean): Promise<FoldedNames | undefined> {
  return store.foldStepNames({ window, maxNames: MAX_STEP_NAMES, other: OTHER_STEPS, wholeConversations });
}

function warnFolded(coverage: Coverage, folded: FoldedNames | undefined): Coverage {
  if (folded === undefined) return coverage;
  return withWarning(coverage, foldedWarning(folded.folded, folded.kept.size, OTHER_STEPS));
}

/** Retries by group and, possibly folded, step name. */
interface Retries {
  retried: number;
  failures: number;
}

function addRetries(rows: readonly SqlRow[], folded: FoldedNames | undefined): Map<string, Retries> {
  const sums = new Map<string, Retries>();
  for (const row of rows) {
    const step = row['step'] as string;
    const name = folded === undefined || folded.kept.has(step) ? step : OTHER_STEPS;
    const key = keyOf(row, name);
    const { retried = 0, failures = 0 } = sums.get(key) ?? {};
    sums.set(key, {
      retried: retried + Number(row['retried']),
      failures: failures + Number(row['retried_failures']),
    });
  }
  return sums;
}

/** Returns a function that finds the rows of a step and group, in their order. */
function rowsByKey(rows: readonly SqlRow[]): (key: string) => readonly SqlRow[] {
  const byKey = new Map<string, SqlRow[]>();
  for (const row of rows) {
    const known = byKey.get(keyOf(row));
    if (known === undefined) byKey.set(keyOf(row), [row]);
    else known.push(row);
  }
  return (key) => byKey.get(key) ?? [];
}

function readStatistics(
  row: SqlRow,
  { retried, failures: retriedFailures }: Retries = { retried: 0, failures: 0 },
): Omit<StepStatistics, 'timings' | 'quantilesMs' | 'quantileIntervalsMs' | 'firstOutput'> {
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
    retried,
    finalFailures: failures - retriedFailures,
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

async function gatherStepDurations(
  store: SqlStore,
  { window, groupBy, traits = false, steps = true }: StepDurationsQuestion,
): Promise<Answer<StepDurations>> {
  if (groupBy !== undefined) await store.groupSpans({ window, groupBy });
  const folded = steps ? await foldNames(store, window, true) : undefined;
  const table = await store.stepDurations({ window, groupBy, traits, steps });
  const { coverage, extent } = await coverWindow(store, window);
  const order = await orderStepsOf(store, window, table.steps, { extent, coverage });
  return {
    data: { ...table.conversations, steps: table.columns(order) },
    coverage: warnFolded(coverage, folded),
  };
}

async function countValues(
  store: SqlStore,
  { window, attribute, step, limit }: AttributeValuesQuestion,
): Promise<Answer<AttributeCount[]>> {
  await store.groupSpans({ window, groupBy: { attribute, values: [] } });
  const values = { ...windowValues(window), step: step ?? null, row_limit: BigInt(limit) };
  const rows = await store.rows('attribute-values', values);
  const { coverage } = await coverWindow(store, window);
  return {
    data: rows.map((row) => ({ value: row['value'] as string, spans: Number(row['spans']) })),
    coverage,
  };
}

async function gatherCommonErrors(store: SqlStore, question: CommonErrorsQuestion): Promise<Answer<CommonError[]>> {
  const { window, limit, conversationIds = true } = question;
  const rows = await store.rows('common-errors', {
    ...windowValues(window),
    ...Object.fromEntries(ERROR_PATTERN_RULES.map((rule, index) => [`rule_${index + 1}`, rule])),
    placeholder: PATTERN_PLACEHOLDER,
    row_limit: BigInt(limit),
  });
  const keys = conversationIds ? [...new Set(rows.map((row) => row['trace_id'] as TraceKey))] : [];
  const ids = keys.length === 0 ? [] : await store.rows('conversation-ids', { trace_ids: keys });
  const idByTrace = new Map(ids.map((row) => [row['trace_id'] as TraceKey, row['own_id'] as string | null]));
  const data = rows.map((row): CommonError => ({
    step: row['step'] as string,
    ...(row['error_type'] !== null && { errorType: row['error_type'] as string }),
    ...(row['error_message'] !== null && {
      pattern: row['pattern'] as string,
      message: row['error_message'] as string,
    }),
    count: Number(row['failures']),
    lastSeenUnixNano: row['last_seen_ns'] as bigint,
    conversationId: idByTrace.get(row['trace_id'] as TraceKey) ?? store.readers.traceId(row['trace_id'] as TraceKey),
  }));
  return { data, coverage: await coverAsked(store, question) };
}
