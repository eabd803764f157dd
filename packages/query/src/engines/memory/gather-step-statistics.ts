import { isFailure, THRESHOLD } from '@convotel/conventions';
import { compareText } from '../../model/compare-text.ts';
import { quantileOfSorted } from '../../model/numbers.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { isInWindow } from '../../model/window.ts';
import type { StepStatistics, StepStatisticsQuestion } from '../../questions.ts';
import { orderStepsOf } from './order-steps-of.ts';
import { isConversation } from './trace.ts';
import type { Trace } from './trace.ts';

const LONGEST_COUNTED_NANO = BigInt(THRESHOLD.longestCountedStepMs) * 1_000_000n;

/** Whether averages count a step: completed and shorter than 60 s. */
export function isCounted(span: SpanRecord): boolean {
  return span.outcome === 'completed' && span.durationNano < LONGEST_COUNTED_NANO;
}

/** `ConversationSource.stepStatistics` over the traces that its filters choose. */
export function gatherStepStatistics(traces: readonly Trace[], question: StepStatisticsQuestion): StepStatistics[] {
  const conversations = traces.filter(isConversation);
  const spansByStep = new Map<string, SpanRecord[]>();
  for (const { spans } of conversations) {
    for (const span of spans) {
      if (span.step === undefined || !isInWindow(span.startTimeUnixNano, question.window)) continue;
      if (question.step !== undefined && span.step !== question.step) continue;
      const known = spansByStep.get(span.step);
      if (known === undefined) spansByStep.set(span.step, [span]);
      else known.push(span);
    }
  }
  const order = orderStepsOf(conversations, question.window, new Set(spansByStep.keys()));
  return order.map((step) => statisticsOf(step, spansByStep.get(step)!, question));
}

function statisticsOf(
  step: string,
  spans: readonly SpanRecord[],
  { quantiles = [], timings = true }: StepStatisticsQuestion,
): StepStatistics {
  const counted = spans.filter(isCounted);
  const durationsMs = Float64Array.from(counted, (span) => Number(span.durationNano) / 1e6).sort();
  const outermost = counted.filter((span) => span.depth === 0);
  const completed = spans.filter((span) => span.outcome === 'completed').length;
  return {
    step,
    total: spans.length,
    completed,
    failures: spans.filter((span) => isFailure(span.outcome)).length,
    count: counted.length,
    ...(durationsMs.length > 0 && {
      averageMs: sumOf(durationsMs) / durationsMs.length,
      minMs: durationsMs[0]!,
      maxMs: durationsMs[durationsMs.length - 1]!,
    }),
    outermostMs: sumOf(outermost.map((span) => Number(span.durationNano) / 1e6)),
    leftOut: { tooLong: completed - counted.length, notCompleted: spans.length - completed },
    timings: timings ? meanTimingsMs(counted) : {},
    quantilesMs: durationsMs.length === 0 ? [] : quantiles.map((rank) => quantileOfSorted(durationsMs, rank)!),
  };
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

function sumOf(values: Float64Array | readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
