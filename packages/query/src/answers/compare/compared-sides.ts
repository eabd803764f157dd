import { isFailure, THRESHOLD } from '@convotel/conventions';
import { isInGroup } from '../../model/groups.ts';
import type { GroupBy } from '../../model/groups.ts';
import { appendMissingSteps, orderSteps } from '../../model/order.ts';
import { quantilesOf } from '../../model/places.ts';
import type { StepDurations, StepStatistics } from '../../questions.ts';
import { RESPONSE_LATENCY } from '../averages.ts';
import { percentOf } from '../intervals.ts';
import type { RatioColumn } from './ratio-means.ts';

/** One side of a row of `compare`. */
export interface ComparedSide {
  count: number;
  averageMs?: number;
  p50Ms?: number;
  p95Ms?: number;
  /** Absent if there are no spans (for the row `conversation`: no ended conversations). */
  errorRatePct?: number;
  /** For a step: like `errorRatePct`, without the spans that were retried. */
  finalErrorRatePct?: number;
}

/** The data of one of the two windows of `compare`. */
export interface ComparedWindow {
  /** Includes the quantiles {@link COMPARED_PROBABILITIES}, of durations and of first outputs. */
  statistics: readonly StepStatistics[];
  durations: StepDurations;
}

/** The quantiles in a row of `compare`: P50 and P95. */
export const COMPARED_PROBABILITIES: readonly number[] = [0.5, 0.95];

/** Both sides of a row of `compare`, and their durations by conversation. */
export interface ComparedPair {
  step: string;
  before: ComparedSide;
  after: ComparedSide;
  columns: readonly [before: RatioColumn, after: RatioColumn];
}

/** What the name of a row about the time to first output has after that of its step: `gpt first output`. */
export const FIRST_OUTPUT = ' first output';

/**
 * All steps of either window in step order, each followed by its first output if any of its spans has one, `response latency` if
 * any conversation has one, then `conversation`.
 */
export function comparedPairs(
  before: ComparedWindow,
  after: ComparedWindow,
  order: readonly string[] = stepOrderOfBoth([before, after]),
): ComparedPair[] {
  const [columnsBefore, columnsAfter] = [columnsByStep(before.durations), columnsByStep(after.durations)];
  const [sidesBefore, sidesAfter] = [sidesByStep(before.statistics), sidesByStep(after.statistics)];
  const isSeen = (step: string): boolean => sidesBefore.has(step) || sidesAfter.has(step);
  const [outputsBefore, outputsAfter] = [firstOutputSides(before.statistics), firstOutputSides(after.statistics)];
  const [outputColumnsBefore, outputColumnsAfter] = [firstOutputColumns(before), firstOutputColumns(after)];
  const steps = order.filter(isSeen).flatMap((step): ComparedPair[] => {
    const whole = {
      step,
      before: sidesBefore.get(step) ?? { count: 0 },
      after: sidesAfter.get(step) ?? { count: 0 },
      columns: [columnsBefore.get(step) ?? EMPTY_COLUMN, columnsAfter.get(step) ?? EMPTY_COLUMN] as const,
    };
    if (!outputsBefore.has(step) && !outputsAfter.has(step)) return [whole];
    const firstOutput = {
      step: `${step}${FIRST_OUTPUT}`,
      before: outputsBefore.get(step) ?? { count: 0 },
      after: outputsAfter.get(step) ?? { count: 0 },
      columns: [outputColumnsBefore.get(step) ?? EMPTY_COLUMN, outputColumnsAfter.get(step) ?? EMPTY_COLUMN] as const,
    };
    return [whole, firstOutput];
  });
  const durations = [durationsColumn(before.durations), durationsColumn(after.durations)] as const;
  const conversation = {
    step: 'conversation',
    before: conversationSide(before.durations, durations[0]),
    after: conversationSide(after.durations, durations[1]),
    columns: durations,
  };
  const responses = [responseColumn(before.durations), responseColumn(after.durations)] as const;
  const response = {
    step: RESPONSE_LATENCY,
    before: sideOf(responses[0]),
    after: sideOf(responses[1]),
    columns: responses,
  };
  const hasResponse = response.before.count + response.after.count > 0;
  return [...steps, ...(hasResponse ? [response] : []), conversation];
}

/** The column of a step that no conversation has. */
const EMPTY_COLUMN: RatioColumn = { rows: new Uint32Array(), sums: new Float64Array(), counts: new Uint32Array() };

/**
 * The data of one group in a window: its statistics and its conversations. Steps of the group in conversations that are
 * not in it (steps without a value in a conversation whose other steps have one) count only as steps.
 */
export function groupOfWindow(
  { statistics, durations }: ComparedWindow,
  group: string,
  groupBy: GroupBy,
): ComparedWindow {
  const columns = durations.steps.filter((column) => column.group === group);
  const isMember = Uint8Array.from(durations.groupMasks!, (mask) => Number(isInGroup(mask, group, groupBy)));
  const isKept = Uint8Array.from(isMember);
  for (const { rows } of columns) for (const row of rows) isKept[row] = 1;
  const kept = [...isKept.keys()].filter((row) => isKept[row] === 1);
  const newRows = new Map(kept.map((row, newRow) => [row, newRow]));
  return {
    statistics: statistics.filter((row) => row.group === group),
    durations: {
      traceIds: kept.map((row) => durations.traceIds[row]!),
      startTimesUnixNano: BigInt64Array.from(kept, (row) => durations.startTimesUnixNano[row]!),
      startsInWindow: Uint8Array.from(kept, (row) => durations.startsInWindow[row]! * isMember[row]!),
      outcomes: kept.map((row) => durations.outcomes[row]!),
      durationMs: Float64Array.from(kept, (row) => durations.durationMs[row]!),
      stepSumMs: Float64Array.from(kept, (row) => durations.stepSumMs[row]!),
      responseMs: Float64Array.from(kept, (row) => durations.responseMs[row]!),
      steps: columns.map((column) => ({ ...column, rows: column.rows.map((row) => newRows.get(row)!) })),
    },
  };
}

/** The durations of each step as a column: its counted spans in the window, by conversation. */
function columnsByStep({ steps }: StepDurations): Map<string, RatioColumn> {
  return new Map(steps.map(({ step, rows, countedMs, counted }) => [step, { rows, sums: countedMs, counts: counted }]));
}

/** The times to first output of each step as a column. Without traits, there are none. */
function firstOutputColumns({ durations }: ComparedWindow): Map<string, RatioColumn> {
  return new Map(
    durations.steps.flatMap(({ step, rows, traits }) =>
      traits === undefined ? [] : [[step, { rows, sums: traits.firstOutputMs, counts: traits.firstOutputs }]],
    ),
  );
}

/** One side of each row about a first output. */
function firstOutputSides(statistics: readonly StepStatistics[]): Map<string, ComparedSide> {
  return new Map(
    statistics.flatMap(({ step, firstOutput }) => {
      if (firstOutput === undefined) return [];
      const { count, averageMs, quantilesMs } = firstOutput;
      return [[step, { count, averageMs, p50Ms: quantilesMs[0]!, p95Ms: quantilesMs[1]! }]];
    }),
  );
}

/** One side of each step's row. */
function sidesByStep(statistics: readonly StepStatistics[]): Map<string, ComparedSide> {
  return new Map(statistics.map((row) => [row.step, stepSide(row)]));
}

function stepSide(statistics: StepStatistics): ComparedSide {
  const { count, averageMs, quantilesMs, failures, total, retried, finalFailures } = statistics;
  const [p50Ms, p95Ms] = quantilesMs;
  return {
    count,
    ...(averageMs === undefined ? {} : { averageMs }),
    ...(p50Ms === undefined ? {} : { p50Ms }),
    ...(p95Ms === undefined ? {} : { p95Ms }),
    errorRatePct: percentOf(failures, total),
    ...(total > retried && { finalErrorRatePct: percentOf(finalFailures, total - retried) }),
  };
}

/**
 * The durations of conversations as a column: of completed ones that start in the window and take less than 60 s.
 */
function durationsColumn({ startsInWindow, outcomes, durationMs }: StepDurations): RatioColumn {
  return columnOf(
    durationMs,
    (row) =>
      startsInWindow[row] === 1 && outcomes[row] === 'completed' && durationMs[row]! < THRESHOLD.longestCountedStepMs,
  );
}

/** The response latency of conversations that start in the window and have one, as a column. */
function responseColumn({ startsInWindow, responseMs }: StepDurations): RatioColumn {
  return columnOf(responseMs, (row) => startsInWindow[row] === 1 && !Number.isNaN(responseMs[row]));
}

/** The values of the rows that are counted. */
function columnOf(values: Float64Array, isCounted: (row: number) => boolean): RatioColumn {
  const rows = new Uint32Array(values.length);
  let count = 0;
  for (let row = 0; row < values.length; row++) if (isCounted(row)) rows[count++] = row;
  const counted = rows.slice(0, count);
  const sums = new Float64Array(count);
  for (let place = 0; place < count; place++) sums[place] = values[counted[place]!]!;
  return { rows: counted, sums, counts: new Uint32Array(count).fill(1) };
}

/** Count, average, P50 and P95 of a column with one value per row. */
function sideOf({ sums }: RatioColumn): ComparedSide {
  if (sums.length === 0) return { count: 0 };
  let total = 0;
  for (let place = 0; place < sums.length; place++) total += sums[place]!;
  const [p50Ms, p95Ms] = quantilesOf(sums.slice(), COMPARED_PROBABILITIES);
  return { count: sums.length, averageMs: total / sums.length, p50Ms: p50Ms!, p95Ms: p95Ms! };
}

/** One side of the row `conversation`. Its error rate is over all conversations of the window that have ended. */
function conversationSide({ startsInWindow, outcomes }: StepDurations, column: RatioColumn): ComparedSide {
  let [ended, failures] = [0, 0];
  for (let row = 0; row < outcomes.length; row++) {
    const outcome = outcomes[row]!;
    if (startsInWindow[row] !== 1 || outcome === 'open') continue;
    ended += 1;
    if (isFailure(outcome)) failures += 1;
  }
  return { ...sideOf(column), ...(ended === 0 ? {} : { errorRatePct: percentOf(failures, ended) }) };
}

/** Number of newest conversations, of both windows together, that determine the step order. */
const CONVERSATIONS_THAT_ORDER = 500;

/** All steps with a span in either window, in the step order of the newest 500 conversations of both. */
export function stepOrderOfBoth(windows: readonly ComparedWindow[]): string[] {
  const newest = windows
    .flatMap(({ durations }) => newestRows(durations))
    .sort((a, b) => (a.start > b.start ? -1 : a.start < b.start ? 1 : a.traceId < b.traceId ? -1 : 1));
  // Windows may overlap; a conversation in both counts once.
  const byTraceId = new Map<string, Row>();
  for (const each of newest) {
    if (byTraceId.size === CONVERSATIONS_THAT_ORDER) break;
    if (!byTraceId.has(each.traceId)) byTraceId.set(each.traceId, each);
  }
  const oldestRow = new Map<StepDurations, number>();
  for (const { durations, row } of byTraceId.values()) {
    oldestRow.set(durations, Math.min(row, oldestRow.get(durations) ?? row));
  }
  const offsets = new Map(
    [...oldestRow].map(([durations, fromRow]) => [durations, firstOffsetsByRow(durations, fromRow)]),
  );
  const offsetsOf = ({ durations, row }: Row): ReadonlyMap<string, number> =>
    offsets.get(durations)![row - oldestRow.get(durations)!]!;
  const seen = new Set(windows.flatMap(({ statistics }) => statistics.map(({ step }) => step)));
  return appendMissingSteps(orderSteps([...byTraceId.values()].map(offsetsOf)), seen).filter((step) => seen.has(step));
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

/** The first offset in ms of each step in each conversation from `fromRow` on, for `orderSteps`. */
export function firstOffsetsByRow({ traceIds, steps }: StepDurations, fromRow = 0): Map<string, number>[] {
  const offsetsByRow = Array.from({ length: traceIds.length - fromRow }, () => new Map<string, number>());
  for (const { step, rows, firstOffsetMs } of steps) {
    for (let place = rows.length - 1; place >= 0 && rows[place]! >= fromRow; place--) {
      const [offsets, offset] = [offsetsByRow[rows[place]! - fromRow]!, firstOffsetMs[place]!];
      // A step may be in several groups.
      offsets.set(step, Math.min(offset, offsets.get(step) ?? offset));
    }
  }
  return offsetsByRow;
}
