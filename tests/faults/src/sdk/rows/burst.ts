import { startTracing } from '@convotel/sdk';
import { startConversation } from '@convotel/tracing';
import { bySize } from '../../fault.ts';
import type { Fault } from '../../fault.ts';
import { stockProvider, withFolder } from '../journal-rig.ts';
import { Sink } from '../sink.ts';

/** Steps that end in one synchronous go, so that nothing can be sent meanwhile. */
export const fault: Fault = {
  name: 'steps in one synchronous burst',
  async run(run) {
    const { isLong, random, measured } = run;
    const steps = bySize(run, { short: 20_000, ci: 100_000, long: 100_000 });
    const sink = new Sink(random, 'counts');
    await sink.start();
    await withFolder(async (folder) => {
      const tracing = startTracing({ endpoint: sink.url, metrics: false, journal: { folder } });
      const conversation = startConversation();
      conversation.step('warm-up', () => 1);
      await tracing.flush();
      globalThis.gc?.();
      const beforeMb = process.memoryUsage().rss / 2 ** 20;
      let peakMb = 0;
      for (let step = 0; step < steps; step += 1) conversation.step('think', () => step);
      peakMb = Math.max(peakMb, process.memoryUsage().rss / 2 ** 20);
      const watching = setInterval(() => (peakMb = Math.max(peakMb, process.memoryUsage().rss / 2 ** 20)), 50);
      conversation.end();
      const { deliveredSpans } = await tracing.shutdown({ deadlineMs: 60_000 });
      clearInterval(watching);
      measured({
        name: `delivered of ${steps} steps, a conversation and a warm-up`,
        value: deliveredSpans,
        atLeast: steps + 2,
      });
      measured({ name: 'resident memory, above before, MB', value: peakMb - beforeMb, ...(isLong && { atMost: 150 }) });
    });
    await sink.stop();
    const stockSink = new Sink(random);
    await stockSink.start();
    const provider = stockProvider(stockSink.url);
    const tracer = provider.getTracer('burst');
    for (let step = 0; step < steps; step += 1) tracer.startSpan('think').end();
    await provider.shutdown();
    await stockSink.stop();
    measured({ name: `the stock pipeline: delivered of ${steps} steps`, value: stockSink.spans.size });
  },
};
