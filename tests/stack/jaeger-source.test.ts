import { JaegerSource } from '@convotel/query';
import type { JaegerSourceOptions, SpanRecord } from '@convotel/query';
import { deliverSpans } from '@convotel/suite';
import { describeConversationSource } from '@convotel/suite';
import { startJaeger } from './src/start-jaeger.ts';
import type { Jaeger, JaegerOptions } from './src/start-jaeger.ts';

/** The clock stands after all data sets, and everything before it is looked at, so that nothing stays unread. */
const EVERYTHING: JaegerSourceOptions = {
  clock: () => new Date('2160-01-01T00:00:00Z'),
  lookBackMs: [Number.POSITIVE_INFINITY],
  findsOtherTraces: true,
};

/** Ends its Jaeger when it is closed. */
class OwningSource extends JaegerSource {
  readonly #jaeger: Jaeger;

  constructor(jaeger: Jaeger) {
    super(jaeger.queryUrl, { ...EVERYTHING, searchDepth: 100 });
    this.#jaeger = jaeger;
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#jaeger.stop();
  }
}

describeConversationSource(
  'JaegerSource on memory storage',
  opening('memory', (spans) => spans),
  { rounds: 2 },
);
describeConversationSource('JaegerSource on Badger', opening('badger', withoutCopies), {
  holdable: withoutSecondStarts,
  rounds: 1,
});

function opening(
  storage: JaegerOptions['storage'],
  prepare: (spans: SpanRecord[]) => readonly SpanRecord[],
): (spans: SpanRecord[]) => Promise<JaegerSource> {
  return async (spans) => {
    const jaeger = await startJaeger({ storage, maxTraces: 5_000 });
    await deliverSpans(jaeger.otlpUrl, prepare(spans));
    const source = new OwningSource(jaeger);
    // Questions about one conversation find everything read already.
    await source.ask({ name: 'conversations', order: 'longest', limit: 1 });
    return source;
  };
}

/**
 * Of each span the copy that counts. Badger keeps one span a trace, start and span id, the one written last, and hands
 * spans over in order of start, so that which copy was read last cannot be told.
 */
function withoutCopies(spans: SpanRecord[]): SpanRecord[] {
  const copies = new Map<string, SpanRecord[]>();
  for (const span of spans) {
    const key = `${span.traceId} ${span.spanId} ${span.startTimeUnixNano}`;
    copies.set(key, [...(copies.get(key) ?? []), span]);
  }
  return [...copies.values()].map((ofOneSpan) => {
    const [best] = [...ofOneSpan].sort((a, b) => compareCopies(b, a) || ofOneSpan.indexOf(b) - ofOneSpan.indexOf(a));
    return best!;
  });
}

/**
 * Of each span id of a trace the spans of one start. With several, Jaeger answers some searches of Badger with
 * status 500.
 */
function withoutSecondStarts(spans: SpanRecord[]): SpanRecord[] {
  const starts = new Map<string, bigint>();
  return spans.filter(({ traceId, spanId, startTimeUnixNano }) => {
    const key = `${traceId} ${spanId}`;
    const start = starts.get(key) ?? startTimeUnixNano;
    starts.set(key, start);
    return start === startTimeUnixNano;
  });
}

function compareCopies(a: SpanRecord, b: SpanRecord): number {
  const [endOfA, endOfB] = [a, b].map(({ startTimeUnixNano, durationNano }) => startTimeUnixNano + durationNano);
  if (endOfA! !== endOfB!) return endOfA! < endOfB! ? -1 : 1;
  return Number(b.isRecovered) - Number(a.isRecovered);
}
