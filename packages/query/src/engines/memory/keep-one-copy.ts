import type { SpanRecord } from '../../model/span-record.ts';

/**
 * The spans of each trace, each span once, however often it was delivered. `spans` is in the order of reading.
 * Of two copies the one that ends later counts, then the one that is not recovered, then the one read last.
 */
export function keepOneCopy(spans: Iterable<SpanRecord>): Map<string, SpanRecord[]> {
  const copiesByTrace = new Map<string, Map<string, SpanRecord>>();
  for (const span of spans) {
    let copies = copiesByTrace.get(span.traceId);
    if (copies === undefined) copiesByTrace.set(span.traceId, (copies = new Map()));
    const earlier = copies.get(span.spanId);
    if (earlier === undefined || !outweighs(earlier, span)) copies.set(span.spanId, span);
  }
  return new Map([...copiesByTrace].map(([traceId, copies]) => [traceId, [...copies.values()]]));
}

/** Whether the copy read earlier counts although `later` was read after it. */
function outweighs(earlier: SpanRecord, later: SpanRecord): boolean {
  const earlierEnd = earlier.startTimeUnixNano + earlier.durationNano;
  const laterEnd = later.startTimeUnixNano + later.durationNano;
  if (earlierEnd !== laterEnd) return earlierEnd > laterEnd;
  return !earlier.isRecovered && later.isRecovered;
}
