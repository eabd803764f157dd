import { compareBigint } from './order.ts';
import type { SpanRecord } from './span-record.ts';

/** Sorts the earlier start first, equal ones by span id. */
export function compareByStart(a: SpanRecord, b: SpanRecord): number {
  return (
    compareBigint(a.startTimeUnixNano, b.startTimeUnixNano) || (a.spanId < b.spanId ? -1 : Number(a.spanId > b.spanId))
  );
}

/** The spans of one step of which one may have been retried by the other: attempt k, not completed, and attempt k + 1. */
interface Attempts {
  unsuccessful: SpanRecord[];
  retries: SpanRecord[];
}

/**
 * The spans of one conversation that were retried. Within a step name, in order of start, then span id, each span with
 * attempt k + 1 retries the latest span of attempt k that is not completed, has not been retried yet, and started at or
 * before it.
 */
export function findRetried(spans: readonly SpanRecord[]): ReadonlySet<SpanRecord> {
  const retried = new Set<SpanRecord>();
  if (!spans.some(({ attempt = 1 }) => attempt > 1)) return retried;
  for (const { unsuccessful, retries } of groupAttempts(spans)) {
    unsuccessful.sort(compareByStart);
    // The latest one that is left is on top.
    const left: SpanRecord[] = [];
    let next = 0;
    for (const retry of retries.sort(compareByStart)) {
      while (next < unsuccessful.length && unsuccessful[next]!.startTimeUnixNano <= retry.startTimeUnixNano) {
        left.push(unsuccessful[next++]!);
      }
      const latest = left.pop();
      if (latest !== undefined) retried.add(latest);
    }
  }
  return retried;
}

function groupAttempts(spans: readonly SpanRecord[]): Iterable<Attempts> {
  const groups = new Map<string, Attempts>();
  const groupOf = (step: string, attempt: number): Attempts => {
    const key = `${attempt} ${step}`;
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { unsuccessful: [], retries: [] }));
    return group;
  };
  for (const span of spans) {
    const { step, attempt = 1, outcome } = span;
    if (step === undefined) continue;
    if (outcome !== 'completed') groupOf(step, attempt).unsuccessful.push(span);
    if (attempt > 1) groupOf(step, attempt - 1).retries.push(span);
  }
  return groups.values();
}
