import type { SpanRecord } from './span-record.ts';

/** What two spans must share to be copies of one another: trace id, span id and start. */
export function copyKeyOf({ traceId, spanId, startTimeUnixNano }: SpanRecord): string {
  return `${traceId}${spanId}${startTimeUnixNano}`;
}

/**
 * Whether `later`, read after `earlier`, is the copy of the same span that counts: the one that ends later, then the one
 * that is not recovered, then the one read last.
 */
export function supersedes(later: SpanRecord, earlier: SpanRecord): boolean {
  const laterEnd = later.startTimeUnixNano + later.durationNano;
  const earlierEnd = earlier.startTimeUnixNano + earlier.durationNano;
  if (laterEnd !== earlierEnd) return laterEnd > earlierEnd;
  return earlier.isRecovered || !later.isRecovered;
}

/** The spans of each trace, each once, however often it was delivered. `spans` is in the order of reading. */
export function keepOneCopy(spans: Iterable<SpanRecord>): Map<string, SpanRecord[]> {
  const copiesByTrace = new Map<string, Map<string, SpanRecord>>();
  for (const span of spans) {
    let copies = copiesByTrace.get(span.traceId);
    if (copies === undefined) copiesByTrace.set(span.traceId, (copies = new Map()));
    // Hardly ever are two spans with equal ids no copies, so that most need no key of their own.
    const first = copies.get(span.spanId);
    const isFirstStart = first === undefined || first.startTimeUnixNano === span.startTimeUnixNano;
    const key = isFirstStart ? span.spanId : `${span.spanId} ${span.startTimeUnixNano}`;
    const earlier = copies.get(key);
    if (earlier === undefined || supersedes(span, earlier)) copies.set(key, span);
  }
  return new Map([...copiesByTrace].map(([traceId, copies]) => [traceId, [...copies.values()]]));
}
