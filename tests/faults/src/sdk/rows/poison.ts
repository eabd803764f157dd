import { startTracing } from '@convotel/sdk';
import { startConversation } from '@convotel/tracing';
import type { Fault } from '../../fault.ts';
import { stockProvider, withFolder } from '../journal-rig.ts';
import { Sink } from '../sink.ts';

/** One span of 512 for which a back end refuses the whole batch. */
export const fault: Fault = {
  name: '400 for a batch that holds one poison span of 512',
  async run({ random, measured }) {
    const sink = new Sink(random);
    await sink.start();
    const poisonAt = random.whole(0, 511);
    sink.poison = (span) => span.attributes.some(({ key }) => key === 'poison');
    await withFolder(async (folder) => {
      const tracing = startTracing({ endpoint: sink.url, metrics: false, journal: { folder }, warn: () => {} });
      const conversation = startConversation();
      for (let step = 0; step < 512; step += 1) {
        conversation.step('think', (s) => (step === poisonAt ? s.set({ poison: true }) : undefined));
      }
      await tracing.flush({ deadlineMs: 30_000 });
      const { deliveredSpans, droppedSpans } = tracing.report();
      measured({ name: 'delivered', value: deliveredSpans, atLeast: 511 });
      measured({ name: 'set aside and counted', value: droppedSpans['refused'] ?? 0, atLeast: 1, atMost: 1 });
      measured({ name: 'requests', value: sink.requests, atMost: 20 });
      conversation.end();
      await tracing.shutdown();
    });
    const before = sink.spans.size;
    const provider = stockProvider(sink.url);
    const tracer = provider.getTracer('poison');
    for (let step = 0; step < 512; step += 1) {
      tracer.startSpan('think', step === poisonAt ? { attributes: { poison: true } } : {}).end();
    }
    await provider.shutdown();
    measured({ name: 'the stock pipeline: delivered', value: sink.spans.size - before });
    await sink.stop();
  },
};
