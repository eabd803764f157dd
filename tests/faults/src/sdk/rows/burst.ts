import { startTracing } from '@convotel/sdk';
import { startConversation } from '@convotel/tracing';
import type { Fault } from '../../fault.ts';
import { withFolder } from '../journal-rig.ts';
import { Sink } from '../sink.ts';

/** Steps that end in one synchronous go, so that nothing can be sent meanwhile. */
export const fault: Fault = {
  name: 'steps in one synchronous burst',
  async run({ isLong, random, measured }) {
    const steps = isLong ? 100_000 : 20_000;
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
  },
};
