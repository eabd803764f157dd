import { compareText, orderStatisticInterval } from '@convotel/query/engine';
import type { ConversationRecord, Coverage, QuantileInterval, SpanRecord, Warning, Window } from '@convotel/query';

// What `NaiveSource` builds on: definitions of the conventions, one by one.

export function cover(spans: readonly SpanRecord[]): Coverage {
  const ratios = spans.filter(({ samplingRatio = 1 }) => samplingRatio < 1);
  const warnings = ratios.map(({ serviceName, samplingRatio }) => {
    const program = serviceName === undefined ? 'A program without a name' : `The program "${serviceName}"`;
    return `${program} samples its conversations at a ratio of ${samplingRatio}: counts are of the sampled ones, not of all.`;
  });
  return {
    conversations: new Set(spans.filter(({ role }) => role !== 'other').map(({ traceId }) => traceId)).size,
    spans: spans.length,
    complete: true,
    warnings: [...new Set(warnings)].sort(compareText).map((text) => ({ code: 'sampled', text })),
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

/** Between which of the sorted values the quantile of each rank lies, with a confidence of 95 %. */
export function intervalsIn(sorted: readonly number[], ranks: readonly number[]): QuantileInterval[] {
  if (sorted.length === 0) return [];
  return ranks.map((rank) => {
    const [low, high] = orderStatisticInterval(sorted.length, rank);
    return {
      ...(low !== undefined && { lowMs: sorted[low]! }),
      ...(high !== undefined && { highMs: sorted[high]! }),
    };
  });
}

/** Spans that were retried, straight from the definition: each retry in turn looks at everything before it. */
export function retriedAmong(spans: readonly SpanRecord[]): SpanRecord[] {
  if (!spans.some(({ attempt = 1 }) => attempt > 1)) return [];
  const inOrder = spans.filter(({ step }) => step !== undefined).sort((a, b) => compareText(sortKey(a), sortKey(b)));
  const retried: SpanRecord[] = [];
  for (const retry of inOrder) {
    const { attempt = 1 } = retry;
    const waiting = inOrder.filter(
      (span) =>
        span.step === retry.step &&
        (span.attempt ?? 1) + 1 === attempt &&
        span.outcome !== 'completed' &&
        span.startTimeUnixNano <= retry.startTimeUnixNano &&
        !retried.includes(span),
    );
    retried.push(...waiting.slice(-1));
  }
  return retried;
}

/** The warning of conversations with several roots. */
export function reuseWarnings(conversations: readonly { id: string; spans: readonly SpanRecord[] }[]): Warning[] {
  const ids = conversations
    .filter(({ spans }) => spans.filter(({ role }) => role === 'root').length >= 2)
    .map(({ id }) => id);
  const distinct = [...new Set(ids)].sort(compareText);
  const quoted = distinct.map((id) => `"${id}"`);
  const rest = 'shown as one conversation, with the worst outcome.';
  if (distinct.length === 0) return [];
  if (distinct.length === 1) {
    const text = `The conversation id ${quoted[0]} was used more than once: everything recorded under it is ${rest}`;
    return [{ code: 'conversation-id-reused', text }];
  }
  const named = [...quoted.slice(0, 3), ...(distinct.length > 3 ? ['…'] : [])].join(', ');
  const text = `${distinct.length} conversation ids (${named}) were used more than once: everything recorded under each is ${rest}`;
  return [{ code: 'conversation-id-reused', text }];
}

/** The warning of spans without a step or a root among them. */
export function unrecognisedWarnings(spans: readonly SpanRecord[]): Warning[] {
  if (spans.length === 0 || spans.some(({ role }) => role !== 'other')) return [];
  const list = (texts: readonly string[]): string => {
    const count = (text: string): number => texts.filter((other) => other === text).length;
    const ranked = [...new Set(texts)].sort((a, b) => count(b) - count(a) || compareText(a, b));
    return ranked.length > 3 ? `"${ranked.slice(0, 3).join('", "')}", …` : `"${ranked.join('", "')}"`;
  };
  const services = spans.flatMap(({ serviceName }) => (serviceName === undefined ? [] : [serviceName]));
  const from = services.length > 0 ? list(services) : 'no named service';
  const names = list(spans.map(({ name }) => name));
  const text = `No step or root of a conversation was recognised. Spans read: ${spans.length}, from ${from}, named ${names}. A step has the attribute conversation.step.name.`;
  return [{ code: 'no-steps-recognised', text }];
}

const REPLACED: readonly RegExp[] = [
  /\b[a-z][a-z\d+.-]*:\/\/[^\0- "'<>`]*/gi,
  /[a-z\d._%+-]+@[a-z\d-]+(?:\.[a-z\d-]+)+/gi,
  /\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/gi,
  /\b(?=[a-f]*\d)[\da-f]{8,}\b/gi,
  /"[^"]*"|(?<!\w)'[^']*'(?!\w)|`[^`]*`|“[^“”]*”/g,
  /\d+(?:[.,:]\d+)*/g,
];

/** The pattern of an error's message, with look-around that engines over SQL do not have. */
export function patternOf(message: string): string {
  return REPLACED.reduce((text, part) => text.replace(part, '…'), message);
}

/** What becomes of step names where there are more than a thousand. */
export interface FoldedNames {
  /** The span with the name that the answer has for its step; the same object for the same span. */
  renamed(span: SpanRecord): SpanRecord;
  /** The span that was renamed. */
  original(span: SpanRecord): SpanRecord;
  warned(coverage: Coverage): Coverage;
}

/** Keeps the thousand names that most of `spans` have, of those that start in the window, then by code point. */
export function foldedNames(spans: readonly SpanRecord[], window: Window): FoldedNames {
  const count = new Map<string, number>();
  for (const { step = '', startTimeUnixNano } of spans) {
    const isSeen = contains(window, startTimeUnixNano);
    if (step !== '(other)') count.set(step, (count.get(step) ?? 0) + (isSeen ? 1 : 0));
  }
  const names = [...count.keys()].sort((a, b) => count.get(b)! - count.get(a)! || compareText(a, b));
  const others = new Set(names.slice(1000));
  const copies = new Map<SpanRecord, SpanRecord>();
  return {
    renamed: (span) => {
      if (!others.has(span.step ?? '')) return span;
      if (!copies.has(span)) copies.set(span, { ...span, step: '(other)' });
      return copies.get(span)!;
    },
    original: (span) => [...copies].find(([, copy]) => copy === span)?.[0] ?? span,
    warned: (coverage) => {
      if (others.size === 0) return coverage;
      const text = `${names.length} step names occur. The 1000 most frequent are listed separately, and the other ${others.size} are counted together as "(other)". Give a step the same name in every conversation (such as "tool"), and put ids and other values that change into attributes of the span.`;
      return { ...coverage, warnings: [...coverage.warnings, { code: 'step-names-folded', text }] };
    },
  };
}
