import { bySize } from '../../fault.ts';
import type { Fault } from '../../fault.ts';
import { withFolder } from '../journal-rig.ts';
import { drainJournal, startTalker } from '../processes.ts';
import type { TalkerOptions } from '../programs/talker.ts';
import type { Random } from '../../random.ts';
import { Sink } from '../sink.ts';

const STEPS_PER_SECOND = 100;

/** Seven of ten requests fail, by status or by a cut connection. */
export const fault: Fault = {
  name: '70 % of requests fail at random',
  async run(run) {
    const { random, measured } = run;
    const steps = bySize(run, { short: 4, ci: 8, long: 60 }) * STEPS_PER_SECOND;
    const [ours, stock] = await Promise.all([
      withFolder((journal) => talkToFlakyBackEnd(random, steps, { journal })),
      talkToFlakyBackEnd(random, steps, { pipeline: 'stock' }),
    ]);
    measured({ name: 'ids sent', value: ours.sent, atLeast: steps });
    measured({ name: 'ids sent that were not received', value: ours.missing, atMost: 0 });
    measured({ name: `the stock pipeline: not received of ${stock.sent} ids`, value: stock.missing });
  },
};

async function talkToFlakyBackEnd(
  random: Random,
  steps: number,
  options: Partial<TalkerOptions>,
): Promise<{ sent: number; missing: number }> {
  const sink = new Sink(random);
  await sink.start();
  await sink.setMode('flaky');
  const talker = startTalker({
    endpoint: sink.url,
    conversations: 4,
    steps,
    stepsPerSecond: STEPS_PER_SECOND,
    end: 'shutdown',
    ...options,
  });
  await talker.done;
  await sink.setMode('ok');
  await talker.gone;
  if (options.journal !== undefined) await drainJournal(sink.url, options.journal);
  await sink.stop();
  return { sent: talker.started.size, missing: [...talker.started].filter((id) => !sink.spans.has(id)).length };
}
