import type { StepColumn, StepDurations, StepTraits, Window } from '@convotel/query';
import { groupName, windowValues, withoutNoGroup } from '@convotel/query/engine';
import type { DurationsTable } from '@convotel/query/engine';
import { OUTCOMES, WORD } from './span-sums.ts';
import type { SpanSums } from './span-sums.ts';
import { pick, pickWide, quotients, textsAt } from './typed-arrays.ts';

const TRACE_IDS_AT_ONCE = 10_000;

type Sums = SpanSums['sums'];

/** The table of what was added up. @param nameOf - returns the name of a step by its number */
export function durationsTable({ asked, sums }: SpanSums, nameOf: (stepId: number) => string): DurationsTable {
  const { groupBy, traits } = asked;
  const { of, in: cellsIn } = sums;
  const { first, last, responseMs } = timesOf(sums);
  const { starts, isStarting } = startsOf(sums, first, asked.window);
  const order = orderOf(sums, starts, isStarting);
  const durationMs = new Float64Array(order.length);
  for (let place = 0; place < order.length; place++) {
    durationMs[place] = (last[order[place]!]! - first[order[place]!]!) / 1e6;
  }
  const conversations: Omit<StepDurations, 'steps'> = {
    traceIds: traceIdsOf(sums, order),
    startTimesUnixNano: pickWide(starts, order),
    startsInWindow: pick(isStarting, order, new Uint8Array(order.length)),
    outcomes: textsAt(order, of.outcome, OUTCOMES),
    durationMs,
    stepSumMs: quotients(of.outermostSteps, order, 1e6),
    responseMs: pick(responseMs, order, new Float64Array(order.length)),
    ...(groupBy && {
      groupMasks: Uint32Array.from(order, (row) =>
        withoutNoGroup(of.firstStep[row]! < Infinity ? of.stepGroups[row]! : of.rootGroups[row]!, groupBy),
      ),
    }),
  };
  const columns = columnsOf(sums, order).map(({ stepId, group, rows, cells }) => ({
    group,
    column: {
      ...(groupBy && { group: groupName(group, groupBy) }),
      step: nameOf(stepId),
      rows,
      countedMs: quotients(cellsIn.countedNano, cells, 1e6),
      counted: pick(cellsIn.counted, cells, new Uint32Array(cells.length)),
      completedMs: quotients(cellsIn.completedNano, cells, 1e6),
      firstOffsetMs: firstOffsetsOf(sums, cells, first),
      ...(traits && { traits: traitsOf(sums, cells) }),
    },
  }));
  return {
    conversations,
    steps: [...new Set(columns.map(({ column: { step } }) => step))],
    columns: (steps) => {
      const places = new Map(steps.map((step, place) => [step, place]));
      const placeOfColumn = ({ step }: StepColumn): number => places.get(step)!;
      return columns
        .sort((a, b) => a.group - b.group || placeOfColumn(a.column) - placeOfColumn(b.column))
        .map(({ column }) => column);
    },
  };
}

function traitsOf({ traitsIn: traits, models }: Sums, cells: Uint32Array): StepTraits {
  return {
    models: textsAt(cells, traits.model, models),
    retries: pick(traits.retries, cells, new Uint32Array(cells.length)),
    inputChars: pick(traits.inputChars, cells, new Float64Array(cells.length)),
    firstOutputMs: quotients(traits.firstOutputSeconds, cells, 1 / 1000),
    firstOutputs: pick(traits.firstOutputs, cells, new Uint32Array(cells.length)),
  };
}

function firstOffsetsOf({ in: cellsIn }: Sums, cells: Uint32Array, first: Float64Array): Float64Array {
  const offsets = new Float64Array(cells.length);
  for (let place = 0; place < cells.length; place++) {
    const cell = cells[place]!;
    offsets[place] = (cellsIn.first[cell]! - first[cellsIn.row[cell]!]!) / 1e6;
  }
  return offsets;
}

/** The start and end of each conversation, and its response latency: of its steps, else of its roots. */
function timesOf({ of, conversations }: Sums): { first: Float64Array; last: Float64Array; responseMs: Float64Array } {
  const first = new Float64Array(conversations);
  const last = new Float64Array(conversations);
  const responseMs = new Float64Array(conversations);
  for (let row = 0; row < first.length; row++) {
    const hasSteps = of.firstStep[row]! < Infinity;
    first[row] = hasSteps ? of.firstStep[row]! : of.firstRoot[row]!;
    last[row] = hasSteps ? of.lastStep[row]! : of.lastRoot[row]!;
    const response = of.stepResponse[row]! < Infinity ? of.stepResponse[row]! : of.rootResponse[row]!;
    responseMs[row] = response < Infinity ? response * 1000 : Number.NaN;
  }
  return { first, last, responseMs };
}

/** The start of each conversation in Unix nanoseconds, and whether it is in the window. */
function startsOf(
  { of, conversations }: Sums,
  first: Float64Array,
  window: Window,
): { starts: BigInt64Array; isStarting: Uint8Array } {
  const { since_ns: since, until_ns: until } = windowValues(window);
  const starts = new BigInt64Array(conversations);
  // Numbers of 64 bits take several times as long as their halves.
  const lows = new Uint32Array(starts.buffer);
  const highs = new Int32Array(starts.buffer);
  const isStarting = new Uint8Array(conversations);
  const [sinceLow, sinceHigh] = halvesOf(since);
  const [untilLow, untilHigh] = halvesOf(until);
  for (let row = 0; row < starts.length; row++) {
    const low = of.baseLow[row]! + first[row]!;
    const carry = Math.floor(low / WORD);
    const high = of.baseHigh[row]! + carry;
    lows[row * 2] = low - carry * WORD;
    highs[row * 2 + 1] = high;
    const isSince = high > sinceHigh || (high === sinceHigh && lows[row * 2]! >= sinceLow);
    const isUntil = high < untilHigh || (high === untilHigh && lows[row * 2]! < untilLow);
    isStarting[row] = Number(isSince && isUntil);
  }
  return { starts, isStarting };
}

/** The conversations that start in the window or have a step in it, by start, then trace id. */
function orderOf({ of: { traceId, hasStepWithin } }: Sums, starts: BigInt64Array, isStarting: Uint8Array): Uint32Array {
  const lows = new Uint32Array(starts.buffer);
  const highs = new Int32Array(starts.buffer);
  const compare = (a: number, b: number): number => {
    const byStart = highs[a * 2 + 1]! - highs[b * 2 + 1]! || lows[a * 2]! - lows[b * 2]!;
    if (byStart !== 0) return byStart;
    for (let word = 3; word > 0; word--) {
      const byWord = traceId[a * 4 + word]! - traceId[b * 4 + word]!;
      if (byWord !== 0) return byWord;
    }
    return traceId[a * 4]! - traceId[b * 4]!;
  };
  const rows: number[] = [];
  let isSorted = true;
  for (let row = 0; row < starts.length; row++) {
    if (isStarting[row] !== 1 && hasStepWithin[row] !== 1) continue;
    if (rows.length > 0 && compare(rows[rows.length - 1]!, row) > 0) isSorted = false;
    rows.push(row);
  }
  // Spans mostly arrive in the order of their conversations, which the sorting of arrays makes use of.
  return Uint32Array.from(isSorted ? rows : rows.sort(compare));
}

function traceIdsOf({ of: { traceId } }: Sums, order: Uint32Array): string[] {
  const traceIds: string[] = [];
  for (let from = 0; from < order.length; from += TRACE_IDS_AT_ONCE) {
    const some = order.subarray(from, from + TRACE_IDS_AT_ONCE);
    const words = new Uint32Array(some.length * 4);
    for (let place = 0; place < some.length; place++) {
      for (let word = 0; word < 4; word++) words[place * 4 + word] = traceId[some[place]! * 4 + 3 - word]!;
    }
    const hex = Buffer.from(words.buffer).swap32().toString('hex');
    for (let place = 0; place < some.length; place++) traceIds.push(hex.slice(place * 32, place * 32 + 32));
  }
  return traceIds;
}

/** The columns with a cell in a conversation of `order`: their cells, and the places of these conversations. */
function columnsOf(
  sums: Sums,
  order: Uint32Array,
): { stepId: number; group: number; rows: Uint32Array; cells: Uint32Array }[] {
  const columns = sums.columns.map(({ stepId, group, cells }) => ({
    stepId,
    group,
    rows: new Uint32Array(cells),
    cells: new Uint32Array(cells),
    length: 0,
  }));
  const { previous, column: columnOf } = sums.in;
  for (let place = 0; place < order.length; place++) {
    for (let next = sums.of.lastCell[order[place]!]!; next !== 0; next = previous[next - 1]!) {
      const column = columns[columnOf[next - 1]!]!;
      column.rows[column.length] = place;
      column.cells[column.length++] = next - 1;
    }
  }
  return columns
    .filter(({ length }) => length > 0)
    .map(({ rows, cells, length, ...column }) => ({
      ...column,
      rows: rows.subarray(0, length),
      cells: cells.subarray(0, length),
    }));
}

/** The lower and the upper half of 64 bits. */
function halvesOf(value: bigint): [low: number, high: number] {
  return [Number(BigInt.asUintN(32, value)), Number(value >> 32n)];
}
