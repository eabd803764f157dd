import type { SpanRecord } from './span-record.ts';

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
    const earlier = copies.get(span.spanId);
    if (earlier === undefined || supersedes(span, earlier)) copies.set(span.spanId, span);
  }
  return new Map([...copiesByTrace].map(([traceId, copies]) => [traceId, [...copies.values()]]));
}
