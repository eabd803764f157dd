import type { Fault } from '../../fault.ts';
import { withFolder } from '../journal-rig.ts';
import { drainJournal, startTalker } from '../processes.ts';
import { Sink } from '../sink.ts';

/** `kill -9` at random times, half of them without a back end; the parent notes each step after its end returned. */
export const fault: Fault = {
  name: 'kill -9 at random times, eight conversations at once, half of the time without a back end',
  async run({ isLong, random, measured }) {
    const kills = isLong ? 200 : 8;
    const sink = new Sink(random);
    await sink.start();
    const started = new Set<string>();
    const ended = new Set<string>();
    await withFolder(async (journal) => {
      for (let kill = 0; kill < kills; kill += 1) {
        await sink.setMode(kill % 2 === 0 ? 'ok' : 'refuse');
        const talker = startTalker({
          endpoint: sink.url,
          journal,
          conversations: 8,
          stepsPerSecond: 2000,
          end: 'natural',
        });
        while (talker.ended.size === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        await new Promise((resolve) => setTimeout(resolve, random.whole(1, 400)));
        talker.child.kill('SIGKILL');
        await talker.gone;
        for (const id of talker.started) started.add(id);
        for (const id of talker.ended) ended.add(id);
      }
      await sink.setMode('ok');
      await drainJournal(sink.url, journal);
    });
    await sink.stop();
    const missing = [...ended].filter((id) => !sink.spans.has(id)).length;
    const neverClosed = [...started].filter((id) => !sink.spans.has(id)).length;
    const different = [...sink.spans.values()].filter(({ contents }) => contents.size > 1).length;
    const wrong = [...ended].filter((id) => sink.spans.get(id)?.isAbandoned === true).length;
    measured({ name: `noted steps after ${kills} kills`, value: ended.size, atLeast: kills * 10 });
    measured({ name: 'noted steps missing', value: missing, atMost: 0 });
    measured({ name: 'noted starts that never came, neither whole nor abandoned', value: neverClosed, atMost: 0 });
    measured({
      name: 'abandoned spans',
      value: [...sink.spans.values()].filter((span) => span.isAbandoned).length,
      atLeast: 1,
    });
    measured({ name: 'finished steps sent as abandoned', value: wrong, atMost: 0 });
    measured({ name: 'span ids with different content', value: different, atMost: 0 });
  },
};
