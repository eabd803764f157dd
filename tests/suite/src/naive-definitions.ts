import { compareText } from '@convotel/query/engine';
import type { ConversationRecord, Coverage, SpanRecord, Window } from '@convotel/query';

// What `NaiveSource` builds on: definitions of the conventions, one by one.

export function cover(spans: readonly SpanRecord[]): Coverage {
  const ratios = spans.filter(({ samplingRatio = 1 }) => samplingRatio < 1);
  const warnings = ratios.map(({ serviceName, samplingRatio }) => {
    const program = serviceName === undefined ? 'A program without a name' : `The program "${serviceName}"`;
    return `${program} keeps only a share of ${samplingRatio} of its conversations: counts are of those kept, not of all.`;
  });
  return {
    conversations: new Set(spans.filter(({ role }) => role !== 'other').map(({ traceId }) => traceId)).size,
    spans: spans.length,
    complete: true,
    warnings: [...new Set(warnings)].sort(compareText),
  };
}

export function contains({ sinceUnixNano, untilUnixNano }: Window, unixNano: bigint): boolean {
  return sinceUnixNano <= unixNano && unixNano < untilUnixNano;
}

export function endOf(span: SpanRecord): bigint {
  return span.startTimeUnixNano + span.durationNano;
}

export function msOf(span: SpanRecord): number {
  return Number(span.durationNano) / 1e6;
}

export function firstOffsetMs(steps: readonly SpanRecord[], { startTimeUnixNano }: ConversationRecord): number {
  const offsets = steps.map((span) => Number(span.startTimeUnixNano - startTimeUnixNano) / 1e6);
  return offsets.length === 0 ? Number.NaN : Math.min(...offsets);
}

export function newestFirst(conversations: ConversationRecord[]): ConversationRecord[] {
  return conversations
    .sort((a, b) => compareText(a.traceId, b.traceId))
    .sort((a, b) => ascending(b.startTimeUnixNano, a.startTimeUnixNano));
}

export function ascending(a: bigint, b: bigint): number {
  return Number(a > b) - Number(a < b);
}

export function sortKey({ startTimeUnixNano, spanId }: SpanRecord): string {
  return `${pad(startTimeUnixNano)} ${spanId}`;
}

export function pad(unixNano: bigint): string {
  return String(unixNano).padStart(20, '0');
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** At index (n−1)·rank, between the neighbours in proportion. */
export function interpolate(sorted: readonly number[], rank: number): number {
  const index = (sorted.length - 1) * rank;
  return sorted
    .map((value, place) => value * Math.max(0, 1 - Math.abs(place - index)))
    .reduce((total, share) => total + share, 0);
}
