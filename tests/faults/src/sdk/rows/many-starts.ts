import { readdirSync, renameSync, utimesSync, writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bySize } from '../../fault.ts';
import type { Fault } from '../../fault.ts';
import { drain, imbalance, openJournal, stepSpan, withFolder } from '../journal-rig.ts';
import { drainJournal, startTalker } from '../processes.ts';
import type { Random } from '../../random.ts';
import { Sink } from '../sink.ts';

const DEAD = 4;
const STARTS = 3;
const SPANS = 500;

/** Folders of dead processes, and several starts that want them. */
export const fault: Fault = {
  name: 'four dead processes and three starts at once; a reused pid; another host; another version',
  async run(run) {
    const { random, measured } = run;
    const rounds = bySize(run, { short: 10, ci: 30, long: 100 });
    const kills = bySize(run, { short: 1, ci: 3, long: 10 });
    let missing = 0;
    let twice = 0;
    let unbalanced = 0;
    for (let round = 0; round < rounds; round += 1) {
      const { sent, imbalances } = await withFolder((folder) => adoptAtOnce(folder, random));
      const distinct = new Set(sent);
      missing += DEAD * SPANS - distinct.size;
      twice += sent.length - distinct.size;
      unbalanced += imbalances;
    }
    measured({ name: `spans missing after ${rounds} × ${STARTS} starts`, value: missing, atMost: 0 });
    measured({ name: 'spans adopted twice', value: twice, atMost: 0 });
    measured({ name: 'books that do not balance', value: unbalanced, atMost: 0 });
    const real = await withFolder((folder) => killAndStartAtOnce(folder, random, kills));
    measured({ name: 'real processes: noted steps missing', value: real.missing, atMost: 0 });
    measured({ name: 'real processes: spans sent twice by two starts', value: real.twice, atMost: 0 });
    const reused = await withFolder((folder) => meetReusedPid(folder, random));
    measured({ name: 'noted steps missing of a process whose pid another one has', value: reused, atMost: 0 });
    const foreign = await withFolder(adoptFromAnotherHost);
    measured({ name: 'spans taken from another host that has a heartbeat', value: foreign.early, atMost: 0 });
    measured({ name: 'spans taken when the heartbeat was ten minutes old', value: foreign.late, atLeast: SPANS });
    const other = await withFolder(meetAnotherVersion);
    measured({ name: 'segments of an unknown version that are kept', value: other.kept, atLeast: 1 });
    measured({ name: 'spans of our version beside it', value: other.sent, atLeast: SPANS });
  },
};

function leaveBehind(folder: string, from: number): void {
  const { journal } = openJournal({ folder });
  for (let number = from; number < from + SPANS; number += 1) journal.ended(stepSpan(number));
  journal.close();
}

async function adoptAtOnce(folder: string, random: Random): Promise<{ sent: number[]; imbalances: number }> {
  // Spans left by one process, adopted by a second that leaves them behind too, are found as well.
  for (let dead = 0; dead < DEAD; dead += 1) leaveBehind(folder, 1 + dead * SPANS);
  if (random.chance(0.5)) {
    const { journal } = openJournal({ folder });
    await journal.adoption;
    journal.close();
  }
  const starts = Array.from({ length: STARTS }, () => openJournal({ folder }));
  await Promise.all(starts.map(({ journal }) => journal.adoption));
  const sent = (await Promise.all(starts.map(({ journal }) => drain(journal)))).flat();
  const imbalances = starts.filter(({ journal, counts }) => imbalance(journal, counts) !== 0).length;
  for (const { journal } of starts) journal.close();
  return { sent, imbalances };
}

/** Four programs of one service run at once and are killed without a back end; three starts then come together. */
async function killAndStartAtOnce(
  folder: string,
  random: Random,
  rounds: number,
): Promise<{ missing: number; twice: number }> {
  const sink = new Sink(random);
  await sink.start();
  const ended = new Set<string>();
  for (let round = 0; round < rounds; round += 1) {
    await sink.setMode('refuse');
    const talk = {
      endpoint: sink.url,
      journal: folder,
      conversations: 4,
      stepsPerSecond: 500,
      end: 'natural',
    } as const;
    const talkers = Array.from({ length: DEAD }, () => startTalker(talk));
    await Promise.all(talkers.map((talker) => talker.noted(20)));
    for (const { child } of talkers) child.kill('SIGKILL');
    for (const talker of talkers) {
      await talker.gone;
      for (const id of talker.ended) ended.add(id);
    }
    await sink.setMode('ok');
    await Promise.all(Array.from({ length: STARTS }, () => drainJournal(sink.url, folder)));
  }
  await sink.stop();
  const missing = [...ended].filter((id) => !sink.spans.has(id)).length;
  return { missing, twice: [...sink.spans.values()].filter(({ copies }) => copies > 1).length };
}

/** A killed process whose pid belongs to another one, which is alive: this one. Returns how many noted steps are missing. */
async function meetReusedPid(folder: string, random: Random): Promise<number> {
  const sink = new Sink(random);
  await sink.start();
  await sink.setMode('refuse');
  const endpoint = sink.url;
  const talker = startTalker({ endpoint, journal: folder, conversations: 4, stepsPerSecond: 500, end: 'natural' });
  await talker.noted(20);
  talker.child.kill('SIGKILL');
  await talker.gone;
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('process.json')) continue;
    const identity = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>;
    writeFileSync(join(folder, file), JSON.stringify({ ...identity, pid: process.pid }));
  }
  await sink.setMode('ok');
  await drainJournal(sink.url, folder);
  await sink.stop();
  return [...talker.ended].filter((id) => !sink.spans.has(id)).length;
}

async function adoptFromAnotherHost(folder: string): Promise<{ early: number; late: number }> {
  leaveBehind(folder, 1);
  const [process] = readdirSync(folder);
  const identity = join(folder, process!, 'process.json');
  const { isClosed: _, ...written } = JSON.parse(readFileSync(identity, 'utf8')) as Record<string, unknown>;
  writeFileSync(identity, JSON.stringify({ ...written, host: 'elsewhere' }));
  const early = await adoptedBy(folder);
  const elevenMinutesAgo = Date.now() / 1000 - 11 * 60;
  for (const file of readdirSync(join(folder, process!))) {
    utimesSync(join(folder, process!, file), elevenMinutesAgo, elevenMinutesAgo);
  }
  return { early, late: await adoptedBy(folder) };
}

async function adoptedBy(folder: string): Promise<number> {
  const { journal } = openJournal({ folder });
  const sent = await drain(journal);
  journal.close();
  return sent.length;
}

async function meetAnotherVersion(folder: string): Promise<{ kept: number; sent: number }> {
  leaveBehind(folder, 1);
  leaveBehind(folder, 1 + SPANS);
  const [process] = readdirSync(folder).toSorted();
  const segment = readdirSync(join(folder, process!)).find((file) => file.endsWith('.seg'))!;
  renameSync(join(folder, process!, segment), join(folder, process!, segment.replace(/-1-/, '-99-')));
  const sent = await adoptedBy(folder);
  return { kept: readdirSync(join(folder, 'unknown')).length, sent };
}
