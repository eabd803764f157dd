import { isFailure } from '@convotel/conventions';
import { isCounted, millisecondsOf, quantileOfSorted, sumOf } from '../../model/numbers.ts';
import { compareBigint, compareText } from '../../model/order.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { findRetried } from '../../model/retries.ts';
import { StepCells } from '../../model/step-columns.ts';
import type { StepCell } from '../../model/step-columns.ts';
import { CONVERSATIONS_THAT_DECIDE, orderAllSteps } from '../../model/step-order.ts';
import { isInWindow } from '../../model/window.ts';
import type { Window } from '../../model/window.ts';
import type {
  Engine,
  StepDurations,
  StepDurationsQuestion,
  StepStatistics,
  StepStatisticsQuestion,
} from '../../questions.ts';
import { foldingNames } from './fold-step-names.ts';
import type { NameOf } from './fold-step-names.ts';
import { compareNewestFirst } from './traces.ts';
import type { ConversationTrace, Trace } from './traces.ts';

/** The questions about steps. */
export const stepAnswers = {
  'step-statistics': foldingNames(gatherStepStatistics, ({ spans }, window) =>
    spans.filter(({ startTimeUnixNano }) => isInWindow(startTimeUnixNano, window)),
  ),
  'step-durations': foldingNames(gatherStepDurations, (trace, window) => (isRow(trace, window) ? trace.spans : [])),
} satisfies Partial<Engine<readonly Trace[]>>;

function gatherStepStatistics(
  conversations: readonly ConversationTrace[],
  question: StepStatisticsQuestion,
  nameOf: NameOf,
): StepStatistics[] {
  const spansByStep = new Map<string, SpanRecord[]>();
  const retried = new Set<SpanRecord>();
  for (const { spans } of conversations) {
    for (const span of findRetried(spans)) retried.add(span);
    for (const span of spans) {
      if (span.step === undefined || !isInWindow(span.startTimeUnixNano, question.window)) continue;
      if (question.step !== undefined && span.step !== question.step) continue;
      const name = nameOf(span.step);
      const known = spansByStep.get(name);
      if (known === undefined) spansByStep.set(name, [span]);
      else known.push(span);
    }
  }
  const order = orderStepsOf(conversations, question.window, spansByStep.keys(), nameOf);
  return order.map((step) => statisticsOf(step, spansByStep.get(step)!, retried, question));
}

function statisticsOf(
  step: string,
  spans: readonly SpanRecord[],
  retried: ReadonlySet<SpanRecord>,
  { quantiles = [], timings = true, firstOutput = false }: StepStatisticsQuestion,
): StepStatistics {
  const counted = spans.filter(isCounted);
  const durationsMs = sortedFloats(counted.map((span) => millisecondsOf(span.durationNano)));
  const firstOutputsMs = firstOutput
    ? sortedFloats(
        counted.flatMap(({ timeToFirstOutputSeconds: seconds }) => (seconds === undefined ? [] : seconds * 1000)),
      )
    : new Float64Array();
  const quantilesOf = (sorted: Float64Array): number[] =>
    sorted.length === 0 ? [] : quantiles.map((probability) => quantileOfSorted(sorted, probability)!);
  const outermost = counted.filter((span) => span.depth === 0);
  const completed = spans.filter((span) => span.outcome === 'completed').length;
  const failures = spans.filter((span) => isFailure(span.outcome));
  return {
    step,
    total: spans.length,
    completed,
    failures: failures.length,
    retried: spans.filter((span) => retried.has(span)).length,
    finalFailures: failures.filter((span) => !retried.has(span)).length,
    count: counted.length,
    ...(durationsMs.length > 0 && {
      averageMs: sumOf(durationsMs) / durationsMs.length,
      minMs: durationsMs[0]!,
      maxMs: durationsMs[durationsMs.length - 1]!,
    }),
    outermostMs: sumOf(outermost.map((span) => millisecondsOf(span.durationNano))),
    leftOut: { tooLong: completed - counted.length, notCompleted: spans.length - completed },
    timings: timings ? meanTimingsMs(counted) : {},
    quantilesMs: quantilesOf(durationsMs),
    ...(firstOutputsMs.length > 0 && {
      firstOutput: {
        count: firstOutputsMs.length,
        averageMs: sumOf(firstOutputsMs) / firstOutputsMs.length,
        quantilesMs: quantilesOf(firstOutputsMs),
      },
    }),
  };
}

function sortedFloats(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}

function meanTimingsMs(spans: readonly SpanRecord[]): Record<string, number> {
  const secondsByPart = new Map<string, number[]>();
  for (const { timingsSeconds = {} } of spans) {
    for (const [part, seconds] of Object.entries(timingsSeconds)) {
      const known = secondsByPart.get(part);
      if (known === undefined) secondsByPart.set(part, [seconds]);
      else known.push(seconds);
    }
  }
  return Object.fromEntries(
    [...secondsByPart]
      .sort(([a], [b]) => compareText(a, b))
      .map(([part, seconds]) => [part, (sumOf(seconds) / seconds.length) * 1000]),
  );
}

function gatherStepDurations(
  conversations: readonly ConversationTrace[],
  { window }: StepDurationsQuestion,
  nameOf: NameOf,
): StepDurations {
  const rows = conversations.filter((trace) => isRow(trace, window)).sort(compareOldestFirst);
  const cells = new StepCells();
  rows.forEach((trace, row) => {
    for (const [step, cell] of cellsOf(trace, row, window, nameOf)) cells.add(step, cell);
  });
  return {
    traceIds: rows.map(({ traceId }) => traceId),
    startTimesUnixNano: BigInt64Array.from(rows, ({ conversation }) => conversation.startTimeUnixNano),
    startsInWindow: Uint8Array.from(rows, (trace) => Number(startsIn(trace, window))),
    outcomes: rows.map(({ conversation }) => conversation.outcome),
    durationMs: Float64Array.from(rows, ({ conversation: { startTimeUnixNano, endTimeUnixNano } }) =>
      millisecondsOf(endTimeUnixNano - startTimeUnixNano),
    ),
    stepSumMs: Float64Array.from(rows, ({ conversation }) => millisecondsOf(conversation.stepSumNano)),
    responseMs: Float64Array.from(rows, ({ conversation }) => conversation.responseMs ?? Number.NaN),
    steps: cells.columns(orderStepsOf(conversations, window, cells.steps, nameOf)),
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

/** What one conversation has of each of its steps. */
function cellsOf(trace: ConversationTrace, row: number, window: Window, nameOf: NameOf): Map<string, StepCell> {
  const cells = new Map<string, StepCell>();
  for (const [step, firstOffsetMs] of firstOffsetsMs(trace, nameOf)) {
    cells.set(step, { row, countedMs: 0, counted: 0, completedMs: Number.NaN, firstOffsetMs });
  }
  for (const span of trace.spans) {
    if (span.step === undefined || span.outcome !== 'completed') continue;
    const cell = cells.get(nameOf(span.step))!;
    const durationMs = millisecondsOf(span.durationNano);
    cell.completedMs = Number.isNaN(cell.completedMs) ? durationMs : cell.completedMs + durationMs;
    if (isCounted(span) && isInWindow(span.startTimeUnixNano, window)) {
      cell.countedMs += durationMs;
      cell.counted += 1;
    }
  }
  return cells;
}

/** `steps` in step order, by the newest conversations that start in `window`. */
function orderStepsOf(
  conversations: readonly ConversationTrace[],
  window: Window,
  steps: Iterable<string>,
  nameOf: NameOf,
): string[] {
  const newest = conversations
    .filter(({ conversation }) => isInWindow(conversation.startTimeUnixNano, window))
    .sort(compareNewestFirst)
    .slice(0, CONVERSATIONS_THAT_DECIDE);
  return orderAllSteps(
    newest.map((trace) => firstOffsetsMs(trace, nameOf)),
    steps,
  );
}

/** First start of each step − start of the conversation, in ms. */
function firstOffsetsMs({ spans, conversation }: ConversationTrace, nameOf: NameOf): Map<string, number> {
  const offsets = new Map<string, number>();
  for (const { step, startTimeUnixNano } of spans) {
    if (step === undefined) continue;
    const offsetMs = millisecondsOf(startTimeUnixNano - conversation.startTimeUnixNano);
    const name = nameOf(step);
    const known = offsets.get(name);
    if (known === undefined || offsetMs < known) offsets.set(name, offsetMs);
  }
  return offsets;
}
