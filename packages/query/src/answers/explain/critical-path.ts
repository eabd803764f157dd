import { compareBigint } from '../../model/order.ts';
import type { SpanRecord } from '../../model/span-record.ts';

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
