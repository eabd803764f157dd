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
  const path: PathPart[] = [];
  const first = outermost.reduce(
    (start, span) => minOf(start, span.startTimeUnixNano),
    outermost[0]?.startTimeUnixNano ?? 0n,
  );
  let until = outermost.reduce((end, span) => maxOf(end, endOf(span)), first);
  while (until > first) {
    const candidates = outermost.filter((span) => span.startTimeUnixNano < until);
    // There is one: the step that starts first.
    const span = candidates.reduce((best, other) => (isWaitedFor(other, best, until) ? other : best));
    const end = minOf(endOf(span), until);
    if (end < until) path.unshift({ start: end, end: until });
    if (end > span.startTimeUnixNano) path.unshift({ span, start: span.startTimeUnixNano, end });
    until = span.startTimeUnixNano;
  }
  return path;
}

/** Whether the conversation waited for `span` rather than for `other` just before `until`. */
function isWaitedFor(span: SpanRecord, other: SpanRecord, until: bigint): boolean {
  const [end, otherEnd] = [minOf(endOf(span), until), minOf(endOf(other), until)];
  return end === otherEnd ? span.startTimeUnixNano > other.startTimeUnixNano : end > otherEnd;
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
