import { afterAll } from '@jest/globals';
import { JaegerSource } from '@convotel/query';
import type { JaegerSourceOptions, SpanRecord } from '@convotel/query';
import { describeConversationSource } from '@convotel/suite';
import { JaegerStandIn } from './jaeger-stand-in.ts';
import type { StandInTraits } from './jaeger-stand-in.ts';

/** The clock stands after all data sets, and everything before it is looked at, so that nothing stays unread. */
const EVERYTHING: JaegerSourceOptions = {
  clock: () => new Date('2160-01-01T00:00:00Z'),
  lookBackMs: [Number.POSITIVE_INFINITY],
  findsOtherTraces: true,
};

const standIns: JaegerStandIn[] = [];
afterAll(async () => {
  await Promise.all(standIns.map((standIn) => standIn.stop()));
});

describeConversationSource('JaegerSource, whole windows in one search', opening({}, {}), { rounds: 1 });
describeConversationSource(
  'JaegerSource, by service, 50 traces a search',
  opening({ needsServiceName: true, choice: 'oldest' }, { searchDepth: 50 }),
  { rounds: 1 },
);

function opening(traits: StandInTraits, options: JaegerSourceOptions): (spans: SpanRecord[]) => Promise<JaegerSource> {
  return async (spans) => {
    const standIn = await JaegerStandIn.start(spans, traits);
    standIns.push(standIn);
    const source = new JaegerSource(standIn.address, { ...EVERYTHING, ...options });
    // Questions about one conversation find everything read already.
    await source.ask({ name: 'conversations', order: 'longest', limit: 1 });
    return source;
  };
}
