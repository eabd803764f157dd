import { isFailure, THRESHOLD } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';
import type { ConversationOutcome } from '../../model/conversation.ts';
import { millisecondsOf } from '../../model/numbers.ts';
import { compareBigint } from '../../model/order.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import type { StepStatistics } from '../../questions.ts';
import { percentOf } from '../intervals.ts';

/** A part of the critical path. */
export interface ExplainedPart {
  /** Absent for a gap, in which no outermost step was running. */
  step?: string;
  spanId?: string;
  /** Its start − the conversation's start. */
  offsetMs: number;
  durationMs: number;
}

/** An outermost step of the conversation, compared with other calls of the same step. */
export interface ExplainedStep {
  step: string;
  spanId: string;
  outcome: Outcome;
  attempt?: number;
  durationMs: number;
  /** How long the conversation waited for it, on the critical path. */
  onPathMs: number;
  /** `onPathMs` as a percentage of the conversation's duration. */
  sharePct: number;
  /**
   * Percentage of the compared calls that took less, as an integer. Absent, with `calls` and `usualMs`, if the step is
   * not counted (not completed, or 60 s or longer) or there are no calls to compare with.
   */
  percentile?: number;
  /** Number of counted calls of the same step in the seven days before the conversation's end, including its own. */
  calls?: number;
  /** The median of those calls. */
  usualMs?: number;
}

/** Attempts of one step that were retried. */
export interface ExplainedRetry {
  step: string;
  attempts: number;
  /** Total duration of the failed attempts. */
  failedMs: number;
}

/** The step that the conversation waited for longest, and its duration without it. */
export interface WorstStep {
  step: string;
  spanId: string;
  onPathMs: number;
  /** The conversation's duration without the step; time in which other steps were running remains. */
  withoutMs: number;
  /** The conversation's duration if the step had taken its usual time; absent if it did not take longer. */
  asUsualMs?: number;
}

/** The data of `explain`. */
export interface Explanation {
  conversationId: string;
  traceId: string;
  startTime: string;
  endTime: string;
  outcome: ConversationOutcome;
  /** Wall-clock duration. */
  durationMs: number;
  /** Steps and gaps on the critical path, from start to end; they add up to `durationMs`. Empty without outermost steps. */
  path: ExplainedPart[];
  /** Total time in which no outermost step was running. */
  gapMs: number;
  /** The outermost steps, by start. */
  steps: ExplainedStep[];
  retries: ExplainedRetry[];
  /** Absent if no step took any time. */
  worst?: WorstStep;
}

/** The quantiles, one per percent, from which the percentile of a call is determined. */
export const PLACES = Array.from({ length: 99 }, (_none, index) => (index + 1) / 100);

/** Builds the explanation from the outermost steps of a conversation and their critical path. */
export function explainPath(
  path: readonly PathPart[],
  outermost: readonly SpanRecord[],
  statistics: readonly StepStatistics[],
): Pick<Explanation, 'durationMs' | 'path' | 'gapMs' | 'steps' | 'retries' | 'worst'> {
  const start = path[0]?.start ?? 0n;
  const durationMs = millisecondsOf((path.at(-1)?.end ?? 0n) - start);
  const onPathMs = new Map<SpanRecord, number>();
  for (const part of path) {
    if (part.span !== undefined) onPathMs.set(part.span, (onPathMs.get(part.span) ?? 0) + lengthMs(part));
  }
  const statisticsByName = new Map(statistics.map((row) => [row.step, row]));
  const steps = outermost.map((span) =>
    explainStep(span, onPathMs.get(span) ?? 0, durationMs, statisticsByName.get(nameOf(span))),
  );
  const worst = findWorst(path, outermost, steps, durationMs);
  return {
    durationMs,
    path: path.map((part) => {
      const { span } = part;
      const [offsetMs, partMs] = [millisecondsOf(part.start - start), lengthMs(part)];
      if (span === undefined) return { offsetMs, durationMs: partMs };
      return { step: nameOf(span), spanId: span.spanId, offsetMs, durationMs: partMs };
    }),
    gapMs: path.reduce((sum, part) => sum + (part.span === undefined ? lengthMs(part) : 0), 0),
    steps,
    retries: findRetries(steps),
    ...(worst === undefined ? {} : { worst }),
  };
}

function explainStep(
  span: SpanRecord,
  onPathMs: number,
  wholeMs: number,
  { count = 0, quantilesMs = [] }: Partial<StepStatistics> = {},
): ExplainedStep {
  const { spanId, outcome, attempt } = span;
  const durationMs = millisecondsOf(span.durationNano);
  const isCounted = outcome === 'completed' && durationMs < THRESHOLD.longestCountedStepMs && count > 0;
  return {
    step: nameOf(span),
    spanId,
    outcome,
    ...(attempt === undefined ? {} : { attempt }),
    durationMs,
    onPathMs,
    sharePct: percentOf(onPathMs, wholeMs),
    ...(isCounted
      ? {
          percentile: countBelow(quantilesMs, durationMs),
          calls: count,
          usualMs: quantilesMs[PLACES.indexOf(0.5)]!,
        }
      : {}),
  };
}

/** Number of elements of `ascending` that are less than `value`. */
function countBelow(ascending: readonly number[], value: number): number {
  let [from, to] = [0, ascending.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (ascending[middle]! < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

function findRetries(steps: readonly ExplainedStep[]): ExplainedRetry[] {
  const callsByName = new Map<string, ExplainedStep[]>();
  for (const { step, attempt = 1 } of steps) if (attempt > 1) callsByName.set(step, []);
  for (const call of steps) callsByName.get(call.step)?.push(call);
  return [...callsByName].map(([name, calls]) => {
    const failed = calls.filter(({ outcome }) => isFailure(outcome));
    const failedMs = failed.reduce((sum, { durationMs }) => sum + durationMs, 0);
    return { step: name, attempts: calls.length, failedMs };
  });
}

/** The step on the path that the conversation waited for longest. */
function findWorst(
  path: readonly PathPart[],
  outermost: readonly SpanRecord[],
  steps: readonly ExplainedStep[],
  durationMs: number,
): WorstStep | undefined {
  const [longest] = steps.toSorted((a, b) => b.onPathMs - a.onPathMs);
  if (longest === undefined || longest.onPathMs <= 0) return undefined;
  const { step, spanId, onPathMs, usualMs } = longest;
  const exclusiveMs = path
    .filter(({ span }) => span?.spanId === spanId)
    .reduce((sum, part) => sum + millisecondsOf(exclusiveNano(part, outermost)), 0);
  // Only time in which no other step was running can be saved.
  const savedMs = usualMs === undefined ? 0 : Math.min(longest.durationMs - usualMs, exclusiveMs);
  return {
    step,
    spanId,
    onPathMs,
    withoutMs: durationMs - exclusiveMs,
    ...(savedMs > 0 ? { asUsualMs: durationMs - savedMs } : {}),
  };
}

function nameOf(span: SpanRecord): string {
  return span.step ?? span.name;
}

function lengthMs(part: PathPart): number {
  return millisecondsOf(part.end - part.start);
}

/** A part of a conversation, and what it was waiting for during that time. */
export interface PathPart {
  /** The step that the conversation waited for; absent for a gap, in which no outermost step was running. */
  span?: SpanRecord;
  /** Unix nanoseconds. */
  start: bigint;
  end: bigint;
}

/**
 * What determined the duration of a conversation: a contiguous chain of outermost steps and gaps, from the first start
 * to the last end.
 *
 * It is found backwards from the end. The step that ends last is on the path. Before its start, the path continues with
 * the step that was running at that time; if there are several, with the one that started last, because the later step
 * was waiting for it. If no step was running, there is a gap back to the latest end.
 */
export function criticalPath(outermost: readonly SpanRecord[]): PathPart[] {
  // Of steps with the same start, the first one is last here, so that it is found first from the end.
  const byStart = outermost.toReversed().sort((a, b) => compareBigint(a.startTimeUnixNano, b.startTimeUnixNano));
  const endingLast = runningLatestEnd(byStart);
  const first = byStart[0]?.startTimeUnixNano ?? 0n;
  const path: PathPart[] = [];
  let until = endingLast.length === 0 ? first : endOf(endingLast.at(-1)!);
  let place = byStart.length - 1;
  while (until > first) {
    while (byStart[place]!.startTimeUnixNano >= until) place -= 1;
    // The skipped steps start after the one that was running, so that each step is visited only once.
    const wasRunning = endOf(endingLast[place]!) >= until;
    if (wasRunning) while (endOf(byStart[place]!) < until) place -= 1;
    const span = wasRunning ? byStart[place]! : endingLast[place]!;
    const end = minOf(endOf(span), until);
    if (end < until) path.push({ start: end, end: until });
    if (end > span.startTimeUnixNano) path.push({ span, start: span.startTimeUnixNano, end });
    until = span.startTimeUnixNano;
  }
  return path.reverse();
}

/** For each index, the span up to it that ends last; if there are several, the one that starts last. */
function runningLatestEnd(byStart: readonly SpanRecord[]): SpanRecord[] {
  let latest = byStart[0]!;
  return byStart.map((span) => (latest = endOf(span) >= endOf(latest) ? span : latest));
}

/** How much of `part`, in nanoseconds, is covered by no other outermost step than its own. */
export function exclusiveNano(part: PathPart, outermost: readonly SpanRecord[]): bigint {
  const others = outermost
    .filter((span) => span !== part.span)
    .map((span) => [maxOf(span.startTimeUnixNano, part.start), minOf(endOf(span), part.end)] as const)
    .filter(([start, end]) => start < end)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  let exclusive = 0n;
  let reached = part.start;
  for (const [start, end] of others) {
    if (start > reached) exclusive += start - reached;
    reached = maxOf(reached, end);
  }
  return exclusive + maxOf(part.end - reached, 0n);
}

/** Unix nanoseconds. */
function endOf(span: SpanRecord): bigint {
  return span.startTimeUnixNano + span.durationNano;
}

function minOf(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function maxOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
