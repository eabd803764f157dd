import { isFailure, THRESHOLD } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';
import type { ConversationOutcome } from '../../model/conversation.ts';
import { millisecondsOf } from '../../model/numbers.ts';
import { compareBigint } from '../../model/order.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import type { StepStatistics } from '../../questions.ts';
import { percentOf } from '../intervals.ts';

/** A stretch of the critical path. */
export interface ExplainedPart {
  /** Absent in a gap, during which no outermost step ran. */
  step?: string;
  spanId?: string;
  /** Its start − the conversation's start. */
  offsetMs: number;
  durationMs: number;
}

/** An outermost step of the conversation, and its place among the same step's calls. */
export interface ExplainedStep {
  step: string;
  spanId: string;
  outcome: Outcome;
  attempt?: number;
  durationMs: number;
  /** How long the conversation waited for it: its part of the critical path. */
  onPathMs: number;
  /** `onPathMs` as a share of the conversation's duration. */
  sharePct: number;
  /**
   * How many per cent of the calls compared with took less, a whole number. Absent with `calls` and `usualMs` where the
   * step is not counted (not completed, or 60 s and longer) or has no call to compare with.
   */
  percentile?: number;
  /** Counted calls of the same step in the seven days before the conversation's end, its own among them. */
  calls?: number;
  /** The median of those calls. */
  usualMs?: number;
}

/** Attempts of one step that had to be made again. */
export interface ExplainedRetry {
  step: string;
  attempts: number;
  /** What the attempts that failed took, together. */
  failedMs: number;
}

/** What the conversation would have taken without what it waited for longest. */
export interface WorstStep {
  step: string;
  spanId: string;
  onPathMs: number;
  /** The conversation's duration without the step: other steps that ran at the same time stay. */
  withoutMs: number;
  /** The conversation's duration had the step taken its usual time; absent where it took no more than that. */
  asUsualMs?: number;
}

/** The data of `explain`. */
export interface Explanation {
  conversationId: string;
  traceId: string;
  startTime: string;
  endTime: string;
  outcome: ConversationOutcome;
  /** By the clock. */
  durationMs: number;
  /** Steps and gaps from start to end, which add up to `durationMs`. */
  path: ExplainedPart[];
  /** Time during which no outermost step ran. */
  gapMs: number;
  /** The outermost steps, by start. */
  steps: ExplainedStep[];
  retries: ExplainedRetry[];
  /** Absent where no step took any time. */
  worst?: WorstStep;
}

/** Quantiles of a step's calls that its own is placed among: every per cent. */
export const PLACES = Array.from({ length: 99 }, (_none, index) => (index + 1) / 100);

/** Everything about a conversation that follows from its outermost steps and their `path`. */
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

/** How many of `ascending` are less than `value`. */
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

/** Of the steps on the path the one that was waited for longest. */
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
  // Time beyond the usual is saved only as far as nothing else ran meanwhile.
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

/** A stretch of a conversation: what it was waiting for at that time. */
export interface PathPart {
  /** The step that the conversation waited for; absent in a gap, during which no outermost step ran. */
  span?: SpanRecord;
  /** Unix nanoseconds. */
  start: bigint;
  end: bigint;
}

/**
 * What determined how long a conversation took: a chain of outermost steps and gaps from its first start to its last end,
 * in that order, without overlaps and without holes.
 *
 * Found backwards from the end. The step that ends last is on the path back to its start; before that, the step that was
 * running when it started, and of several the one that started last, because it is what the other one was waiting for;
 * where none was running, a gap back to the latest end.
 */
export function criticalPath(outermost: readonly SpanRecord[]): PathPart[] {
  // Of steps that start together, the first one comes last here, where it is met first.
  const byStart = outermost.toReversed().sort((a, b) => compareBigint(a.startTimeUnixNano, b.startTimeUnixNano));
  const endingLast = runningLatestEnd(byStart);
  const first = byStart[0]?.startTimeUnixNano ?? 0n;
  const path: PathPart[] = [];
  let until = endingLast.length === 0 ? first : endOf(endingLast.at(-1)!);
  let place = byStart.length - 1;
  while (until > first) {
    while (byStart[place]!.startTimeUnixNano >= until) place -= 1;
    // Where one was running, those that are passed over start after it, so that none is looked at twice.
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

/** At each place, which of the spans up to there ends last; of several, the one that starts last. */
function runningLatestEnd(byStart: readonly SpanRecord[]): SpanRecord[] {
  let latest = byStart[0]!;
  return byStart.map((span) => (latest = endOf(span) >= endOf(latest) ? span : latest));
}

/** How much of `part` no outermost step but its own covers, in nanoseconds: what would be gone without that step. */
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
