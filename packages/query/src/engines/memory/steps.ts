import { isFailure } from '@convotel/conventions';
import { findRetried, isInWindow } from '../../model/conversation.ts';
import type { Window } from '../../model/conversation.ts';
import { groupingValues, groupMask, groupsIn, namedGroup, StepCells } from '../../model/groups.ts';
import type { StepCell } from '../../model/groups.ts';
import { isCounted, millisecondsOf, sumOf } from '../../model/numbers.ts';
import { quantilesOfSorted } from '../../model/order-statistics.ts';
import { compareBigint, compareText, CONVERSATIONS_THAT_DECIDE, orderAllSteps } from '../../model/order.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import type {
  AttributeCount,
  AttributeValuesQuestion,
  Engine,
  StepDurations,
  StepDurationsQuestion,
  StepStatistics,
  StepStatisticsQuestion,
} from '../../questions.ts';
import { compareNewestFirst, foldingNames, overWindow } from './traces.ts';
import type { ConversationTrace, NameOf, Trace } from './traces.ts';

/** Answers to the questions about steps. */
export const stepAnswers = {
  'step-statistics': foldingNames(gatherStepStatistics, ({ spans }, window) =>
    spans.filter(({ startTimeUnixNano }) => isInWindow(startTimeUnixNano, window)),
  ),
  'step-durations': foldingNames(gatherStepDurations, (trace, window) => (isRow(trace, window) ? trace.spans : [])),
  'attribute-values': overWindow(countValues),
} satisfies Partial<Engine<readonly Trace[]>>;

function gatherStepStatistics(
  conversations: readonly ConversationTrace[],
  question: StepStatisticsQuestion,
  nameOf: NameOf,
): StepStatistics[] {
  const spansByGroup = new Map<number, Map<string, SpanRecord[]>>();
  const steps = new Set<string>();
  const retried = new Set<SpanRecord>();
  for (const { spans } of conversations) {
    for (const span of findRetried(spans)) retried.add(span);
    const groupOf = groupsIn(spans, question.groupBy);
    for (const span of spans) {
      if (span.step === undefined || !isInWindow(span.startTimeUnixNano, question.window)) continue;
      if (question.step !== undefined && span.step !== question.step) continue;
      const name = nameOf(span.step);
      const group = groupOf(span);
      const spansByStep = spansByGroup.get(group) ?? new Map<string, SpanRecord[]>();
      const known = spansByStep.get(name);
      if (known === undefined) spansByStep.set(name, [span]);
      else known.push(span);
      spansByGroup.set(group, spansByStep);
      steps.add(name);
    }
  }
  const order = orderStepsOf(conversations, question.window, steps, nameOf);
  return [...spansByGroup]
    .sort(([a], [b]) => a - b)
    .flatMap(([group, spansByStep]) =>
      order
        .filter((step) => spansByStep.has(step))
        .map((step) => ({
          ...namedGroup(group, question.groupBy),
          ...statisticsOf(step, spansByStep.get(step)!, retried, question),
        })),
    );
}

function countValues(
  traces: readonly Trace[],
  { window, attribute, step: wanted, limit }: AttributeValuesQuestion,
): AttributeCount[] {
  const counts = new Map<string, number>();
  for (const { spans } of traces) {
    const valueOf = groupingValues(spans, attribute);
    for (const span of spans) {
      if (span.step === undefined || !isInWindow(span.startTimeUnixNano, window)) continue;
      const value = wanted === undefined || span.step === wanted ? valueOf(span) : undefined;
      if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
  }
  return [...counts]
    .map(([value, spans]) => ({ value, spans }))
    .sort((a, b) => b.spans - a.spans || compareText(a.value, b.value))
    .slice(0, limit);
}

function statisticsOf(
  step: string,
  spans: readonly SpanRecord[],
  retried: ReadonlySet<SpanRecord>,
  question: StepStatisticsQuestion,
): StepStatistics {
  const { quantiles = [], quantileIntervals = false, durationQuantiles = true } = question;
  const { timings = true, firstOutput = false } = question;
  const counted = spans.filter(isCounted);
  const durationsMs = sortedFloats(counted.map((span) => millisecondsOf(span.durationNano)));
  const firstOutputsMs = firstOutput
    ? sortedFloats(
        counted.flatMap(({ timeToFirstOutputSeconds: seconds }) => (seconds === undefined ? [] : seconds * 1000)),
      )
    : new Float64Array();
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
    ...quantilesOfSorted(durationsMs, durationQuantiles ? quantiles : [], quantileIntervals),
    ...(firstOutputsMs.length > 0 && {
      firstOutput: {
        count: firstOutputsMs.length,
        averageMs: sumOf(firstOutputsMs) / firstOutputsMs.length,
        ...quantilesOfSorted(firstOutputsMs, quantiles, quantileIntervals),
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
  { window, groupBy, traits = false, steps = true }: StepDurationsQuestion,
  nameOf: NameOf,
): StepDurations {
  const rows = conversations.filter((trace) => isRow(trace, window)).sort(compareOldestFirst);
  const cells = new StepCells({ groupBy, traits });
  if (steps) {
    rows.forEach((trace, row) =>
      addCells(cells, { trace, row, window, nameOf, groupOf: groupsIn(trace.spans, groupBy) }),
    );
  }
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
    ...(groupBy && { groupMasks: Uint32Array.from(rows, ({ spans }) => groupMask(spans, groupBy)) }),
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

/** Adds a cell for each step and group of one conversation. */
function addCells(
  cells: StepCells,
  {
    trace: { spans, conversation },
    row,
    window,
    nameOf,
    groupOf,
  }: {
    trace: ConversationTrace;
    row: number;
    window: Window;
    nameOf: NameOf;
    groupOf: (span: SpanRecord) => number;
  },
): void {
  const byColumn = new Map<string, StepCell & { step: string; group: number }>();
  for (const span of spans) {
    if (span.step === undefined) continue;
    const [step, group] = [nameOf(span.step), groupOf(span)];
    const key = `${group} ${step}`;
    const firstOffsetMs = millisecondsOf(span.startTimeUnixNano - conversation.startTimeUnixNano);
    let cell = byColumn.get(key);
    if (cell === undefined) {
      const nothing = {
        countedMs: 0,
        counted: 0,
        completedMs: Number.NaN,
        model: '',
        retries: 0,
        inputChars: Number.NaN,
        firstOutputMs: 0,
        firstOutputs: 0,
      };
      cell = { step, group, row, ...nothing, firstOffsetMs };
      byColumn.set(key, cell);
    }
    cell.firstOffsetMs = Math.min(cell.firstOffsetMs, firstOffsetMs);
    const { model = '', attempt = 1, inputChars } = span;
    if (model !== '' && (cell.model === '' || compareText(model, cell.model) < 0)) cell.model = model;
    if (attempt > 1) cell.retries += 1;
    if (inputChars !== undefined) cell.inputChars = inputChars + (Number.isNaN(cell.inputChars) ? 0 : cell.inputChars);
    if (span.outcome !== 'completed') continue;
    const durationMs = millisecondsOf(span.durationNano);
    cell.completedMs = durationMs + (Number.isNaN(cell.completedMs) ? 0 : cell.completedMs);
    if (isCounted(span) && isInWindow(span.startTimeUnixNano, window)) {
      cell.countedMs += durationMs;
      cell.counted += 1;
      if (span.timeToFirstOutputSeconds !== undefined) {
        cell.firstOutputMs += span.timeToFirstOutputSeconds * 1000;
        cell.firstOutputs += 1;
      }
    }
  }
  for (const { step, group, ...cell } of byColumn.values()) cells.add(step, cell, group);
}

/** `steps` in step order, computed from the newest conversations that start in `window`. */
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

/** First start of each step minus start of the conversation, in ms. */
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
