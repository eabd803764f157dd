import { isFailure } from '@convotel/conventions';
import { isCounted, millisecondsOf, quantileOfSorted, sumOf } from '../../model/numbers.ts';
import { compareBigint, compareText } from '../../model/order.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { findRetried } from '../../model/retries.ts';
import { CONVERSATIONS_THAT_DECIDE, orderAllSteps } from '../../model/step-order.ts';
import { isInWindow } from '../../model/window.ts';
import type { Window } from '../../model/window.ts';
import { emptyStepColumn } from '../../questions.ts';
import type {
  Engine,
  StepColumn,
  StepDurations,
  StepDurationsQuestion,
  StepStatistics,
  StepStatisticsQuestion,
} from '../../questions.ts';
import { compareNewestFirst, isConversation, overWindow } from './traces.ts';
import type { ConversationTrace, Trace } from './traces.ts';

/** The questions about steps. */
export const stepAnswers = {
  'step-statistics': overWindow(gatherStepStatistics),
  'step-durations': overWindow(gatherStepDurations),
} satisfies Partial<Engine<readonly Trace[]>>;

function gatherStepStatistics(traces: readonly Trace[], question: StepStatisticsQuestion): StepStatistics[] {
  const conversations = traces.filter(isConversation);
  const spansByStep = new Map<string, SpanRecord[]>();
  const retried = new Set<SpanRecord>();
  for (const { spans } of conversations) {
    for (const span of findRetried(spans)) retried.add(span);
    for (const span of spans) {
      if (span.step === undefined || !isInWindow(span.startTimeUnixNano, question.window)) continue;
      if (question.step !== undefined && span.step !== question.step) continue;
      const known = spansByStep.get(span.step);
      if (known === undefined) spansByStep.set(span.step, [span]);
      else known.push(span);
    }
  }
  const order = orderStepsOf(conversations, question.window, new Set(spansByStep.keys()));
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

function gatherStepDurations(traces: readonly Trace[], { window }: StepDurationsQuestion): StepDurations {
  const conversations = traces.filter(isConversation);
  const rows = conversations.filter((trace) => isRow(trace, window)).sort(compareOldestFirst);
  const steps = new Set(rows.flatMap(({ spans }) => spans.flatMap(({ step }) => step ?? [])));
  const columns = new Map(
    orderStepsOf(conversations, window, steps).map((step) => [step, emptyStepColumn(step, rows.length)]),
  );
  rows.forEach((trace, row) => fillRow(columns, row, trace, window));
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

function fillRow(
  columns: ReadonlyMap<string, StepColumn>,
  row: number,
  trace: ConversationTrace,
  window: Window,
): void {
  for (const span of trace.spans) {
    if (span.step === undefined || span.outcome !== 'completed') continue;
    const column = columns.get(span.step)!;
    const durationMs = millisecondsOf(span.durationNano);
    const known = column.completedMs[row]!;
    column.completedMs[row] = Number.isNaN(known) ? durationMs : known + durationMs;
    if (isCounted(span) && isInWindow(span.startTimeUnixNano, window)) {
      column.countedMs[row]! += durationMs;
      column.counted[row]! += 1;
    }
  }
  for (const [step, offsetMs] of firstOffsetsMs(trace)) columns.get(step)!.firstOffsetMs[row] = offsetMs;
}

/** `steps` in step order, by the newest conversations that start in `window`. */
function orderStepsOf(
  conversations: readonly ConversationTrace[],
  window: Window,
  steps: ReadonlySet<string>,
): string[] {
  const newest = conversations
    .filter(({ conversation }) => isInWindow(conversation.startTimeUnixNano, window))
    .sort(compareNewestFirst)
    .slice(0, CONVERSATIONS_THAT_DECIDE);
  return orderAllSteps(newest.map(firstOffsetsMs), steps);
}

/** First start of each step − start of the conversation, in ms. */
function firstOffsetsMs({ spans, conversation }: ConversationTrace): Map<string, number> {
  const offsets = new Map<string, number>();
  for (const { step, startTimeUnixNano } of spans) {
    if (step === undefined) continue;
    const offsetMs = millisecondsOf(startTimeUnixNano - conversation.startTimeUnixNano);
    const known = offsets.get(step);
    if (known === undefined || offsetMs < known) offsets.set(step, offsetMs);
  }
  return offsets;
}
