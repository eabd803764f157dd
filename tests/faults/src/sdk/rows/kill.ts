import { bySize } from '../../fault.ts';
import type { Fault, FaultRun } from '../../fault.ts';
import { tornRecordsIn, withFolder } from '../journal-rig.ts';
import { drainJournal, startTalker } from '../processes.ts';
import type { Talker } from '../processes.ts';
import type { TalkerOptions } from '../programs/talker.ts';
import { Sink } from '../sink.ts';

/** `kill -9` at random times, half of them without a back end; the parent notes each step after its end returned. */
export const fault: Fault = {
  name: 'kill -9 at random times, eight conversations at once, half of the time without a back end',
  async run(run) {
    const { random, measured } = run;
    const kills = bySize(run, { short: 8, ci: 20, long: 200 });
    const sink = new Sink(random);
    await sink.start();
    const started = new Set<string>();
    const ended = new Set<string>();
    let torn = 0;
    let mostTorn = 0;
    await withFolder(async (journal) => {
      for (let kill = 0; kill < kills; kill += 1) {
        const before = tornRecordsIn(journal);
        await sink.setMode(kill % 2 === 0 ? 'ok' : 'refuse');
        const talker = await killedTalker(run, { endpoint: sink.url, journal });
        for (const id of talker.started) started.add(id);
        for (const id of talker.ended) ended.add(id);
        const left = [...tornRecordsIn(journal)].filter(([folder]) => !before.has(folder));
        for (const [, records] of left) {
          torn += records;
          mostTorn = Math.max(mostTorn, records);
        }
      }
      await sink.setMode('ok');
      await drainJournal(sink.url, journal);
    });
    await sink.stop();
    const missing = [...ended].filter((id) => !sink.spans.has(id)).length;
    const neverClosed = [...started].filter((id) => !sink.spans.has(id)).length;
    const different = [...sink.spans.values()].filter(({ contents }) => contents.size > 1).length;
    const wrong = [...ended].filter((id) => sink.spans.get(id)?.isAbandoned === true).length;
    measured({ name: `noted steps after ${kills} kills`, value: ended.size, atLeast: kills });
    measured({ name: 'noted steps missing', value: missing, atMost: 0 });
    measured({ name: 'torn records', value: torn, atMost: kills });
    measured({ name: 'torn records of one kill, at most', value: mostTorn, atMost: 1 });
    measured({ name: 'noted starts that never came, neither whole nor abandoned', value: neverClosed, atMost: 0 });
    measured({
      name: 'abandoned spans',
      value: [...sink.spans.values()].filter((span) => span.isAbandoned).length,
      atLeast: 1,
    });
    measured({ name: 'finished steps sent as abandoned', value: wrong, atMost: 0 });
    measured({ name: 'span ids with different content', value: different, atMost: 0 });
    await killStock(run);
  },
};

async function killedTalker({ random }: FaultRun, options: Partial<TalkerOptions>): Promise<Talker> {
  const talker = startTalker({
    endpoint: '',
    journal: '',
    conversations: 8,
    stepsPerSecond: 2000,
    end: 'natural',
    ...options,
  });
  await talker.noted(1);
  await new Promise((resolve) => setTimeout(resolve, random.whole(1, 400)));
  talker.child.kill('SIGKILL');
  await talker.gone;
  return talker;
}

/** Fewer kills tell enough about a pipeline that keeps nothing. */
async function killStock(run: FaultRun): Promise<void> {
  const kills = bySize(run, { short: 2, ci: 4, long: 20 });
  const sink = new Sink(run.random);
  await sink.start();
  const ended = new Set<string>();
  for (let kill = 0; kill < kills; kill += 1) {
    await sink.setMode(kill % 2 === 0 ? 'ok' : 'refuse');
    const talker = await killedTalker(run, { endpoint: sink.url, pipeline: 'stock' });
    for (const id of talker.ended) ended.add(id);
  }
  await sink.stop();
  const missing = [...ended].filter((id) => !sink.spans.has(id)).length;
  run.measured({ name: `the stock pipeline, ${kills} kills: missing of ${ended.size} steps`, value: missing });
}
