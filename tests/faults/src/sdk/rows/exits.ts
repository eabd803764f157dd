import type { Fault, FaultRun } from '../../fault.ts';
import { withFolder } from '../journal-rig.ts';
import type { TalkerOptions } from '../programs/talker.ts';
import { drainJournal, startTalker } from '../processes.ts';
import { Sink } from '../sink.ts';

const STEPS = 100;

interface Way {
  end: TalkerOptions['end'];
  signal?: NodeJS.Signals;
  status: number | string;
}

const WAYS: Readonly<Record<string, Way>> = {
  'natural end': { end: 'natural', status: 0 },
  'process.exit': { end: 'exit', status: 3 },
  'uncaught error': { end: 'uncaught', status: 1 },
  'unhandled rejection': { end: 'rejection', status: 1 },
  SIGTERM: { end: 'wait', signal: 'SIGTERM', status: 'SIGTERM' },
  SIGINT: { end: 'wait', signal: 'SIGINT', status: 'SIGINT' },
  'worker terminated': { end: 'worker', status: 0 },
};

/** Each way in which a program ends without `shutdown()`, once with a back end and once without. */
export const fault: Fault = {
  name: 'natural end, process.exit, uncaught error, unhandled rejection, SIGTERM, SIGINT, worker terminated',
  async run(run) {
    const { size, random, measured } = run;
    for (const isListening of size === 'short' ? [random.chance(0.5)] : [true, false]) {
      for (const [way, { end, signal, status }] of Object.entries(WAYS)) {
        const sink = new Sink(random);
        await sink.start();
        await sink.setMode(isListening ? 'ok' : 'refuse');
        const { ended, how } = await withFolder(async (journal) => {
          const talker = startTalker({ endpoint: sink.url, journal, conversations: 1, steps: STEPS, end });
          await talker.done;
          if (signal !== undefined) talker.child.kill(signal);
          const gone = await talker.gone;
          await sink.setMode('ok');
          await drainJournal(sink.url, journal);
          return { ended: [...talker.ended], how: gone };
        });
        await sink.stop();
        const where = isListening ? 'with a back end' : 'without one';
        measured({
          name: `${way}, ${where}: steps that arrived`,
          value: ended.filter((id) => sink.spans.has(id)).length,
          atLeast: STEPS,
        });
        measured({
          name: `${way}, ${where}: status unchanged`,
          value: (how.signal ?? how.code) === status ? 1 : 0,
          atLeast: 1,
        });
        if (isListening) await exitStock(run, way);
      }
    }
  },
};

/** With a back end, which is the best that can happen to it. */
async function exitStock({ random, measured }: FaultRun, way: string): Promise<void> {
  const { end, signal } = WAYS[way]!;
  const sink = new Sink(random);
  await sink.start();
  const talker = startTalker({ endpoint: sink.url, pipeline: 'stock', conversations: 1, steps: STEPS, end });
  await talker.done;
  if (signal !== undefined) talker.child.kill(signal);
  await talker.gone;
  await sink.stop();
  const arrived = [...talker.ended].filter((id) => sink.spans.has(id)).length;
  measured({ name: `the stock pipeline, ${way}: steps that arrived`, value: arrived });
}
