import type { Fault } from '../../fault.ts';
import { withFolder } from '../journal-rig.ts';
import { drainJournal, startTalker } from '../processes.ts';
import { Sink } from '../sink.ts';

/** Seven of ten requests fail, by status or by a cut connection. */
export const fault: Fault = {
  name: '70 % of requests fail at random',
  async run({ isLong, random, measured }) {
    const seconds = isLong ? 60 : 4;
    const sink = new Sink(random);
    await sink.start();
    await sink.setMode('flaky');
    const ended = await withFolder(async (journal) => {
      const stepsPerSecond = 100;
      const steps = seconds * stepsPerSecond;
      const talker = startTalker({
        endpoint: sink.url,
        journal,
        conversations: 4,
        steps,
        stepsPerSecond,
        end: 'shutdown',
      });
      await talker.done;
      await sink.setMode('ok');
      await talker.gone;
      await drainJournal(sink.url, journal);
      return talker.started;
    });
    await sink.stop();
    measured({ name: 'ids sent', value: ended.size, atLeast: seconds * 100 });
    measured({
      name: 'ids sent that were not received',
      value: [...ended].filter((id) => !sink.spans.has(id)).length,
      atMost: 0,
    });
  },
};
