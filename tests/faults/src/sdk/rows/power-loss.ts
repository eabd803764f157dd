import { join } from 'node:path';
import type { Journal } from '@convotel/sdk/internal';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { bySize } from '../../fault.ts';
import type { Fault } from '../../fault.ts';
import { drain, imbalance, openJournal, stepSpan } from '../journal-rig.ts';
import { ModelDisk } from '../model-disk.ts';
import { seededRandom } from '../../random.ts';
import type { Random } from '../../random.ts';

const FOLDER = '/state/faults';
const AT_ONCE = 40;
const FLUSH_DEADLINE_MS = 30_000;
const POLICIES = ['never', 'interval', 'conversation', 'step'] as const;

/** Writes after the last flush are dropped, reordered and torn. */
export const fault: Fault = {
  name: 'power loss, modelled: unflushed writes dropped, reordered, torn',
  async run(run) {
    const { random, measured } = run;
    const seeds = bySize(run, { short: 60, ci: 200, long: 1000 });
    const lostOutside = { never: 0, interval: 0, conversation: 0, step: 0 };
    let broken = 0;
    for (let round = 0; round < seeds; round += AT_ONCE) {
      const together = Array.from({ length: Math.min(AT_ONCE, seeds - round) }, async (_, index) => {
        const own = seededRandom(random.whole(1, 2 ** 31));
        const policy = POLICIES[index % POLICIES.length]!;
        try {
          lostOutside[policy] += await loseAndReopen(policy, own);
        } catch {
          broken += 1;
        }
      });
      await Promise.all(together);
    }
    measured({ name: `of ${seeds} journals, those that did not open or balance`, value: broken, atMost: 0 });
    measured({
      name: "spans lost although promised by sync 'interval'",
      value: lostOutside.interval,
      atMost: 0,
    });
    measured({ name: "spans lost although promised by sync 'step'", value: lostOutside.step, atMost: 0 });
    measured({
      name: "spans lost although promised by sync 'conversation'",
      value: lostOutside.conversation,
      atMost: 0,
    });
  },
};

/** Returns how many spans are gone that the policy had promised. */
async function loseAndReopen(sync: (typeof POLICIES)[number], random: Random): Promise<number> {
  const disk = new ModelDisk();
  const { journal } = openJournal({ folder: FOLDER, files: disk, sync, maxBytes: 1024 * 1024 });
  try {
    return await loseAndReopenOn(disk, journal, sync, random);
  } finally {
    // Its lock is a real socket.
    journal.close();
  }
}

async function loseAndReopenOn(
  disk: ModelDisk,
  journal: Journal,
  sync: (typeof POLICIES)[number],
  random: Random,
): Promise<number> {
  await journal.adoption;
  const promised = new Set<number>();
  const finished: number[] = [];
  const end = (number: number): void => {
    const isRoot = random.chance(0.2);
    journal.ended(isRoot ? rootSpan(number) : stepSpan(number));
    finished.push(number);
    if (sync === 'step') promised.add(number);
    if (sync === 'conversation' && isRoot) for (const each of finished) promised.add(each);
  };
  for (let number = 1; number <= random.whole(1, 900); number += 1) end(number);
  if (sync === 'interval') {
    await flushOf(disk);
    for (const each of finished) promised.add(each);
    for (let more = random.whole(0, 100); more > 0; more -= 1) end(finished.length + 1);
  }
  disk.losePower(random);
  if (!isThere(disk, FOLDER)) return promised.size;
  for (const process of disk.list(FOLDER)) {
    // The process of this test lives on; in the model it died.
    disk.writeText(join(FOLDER, process, 'process.json'), JSON.stringify({ version: 1, isClosed: true }));
  }
  const next = openJournal({ folder: FOLDER, files: disk, sync });
  const sent = new Set(await drain(next.journal));
  if (imbalance(next.journal, next.counts) !== 0) throw new Error('the books do not balance');
  for (const number of sent) {
    if (!finished.includes(number)) throw new Error(`span ${number} was never written`);
  }
  next.journal.close();
  return [...promised].filter((number) => !sent.has(number)).length;
}

/** What was written before the next flush that the policy makes by itself is on the disk after it. */
async function flushOf(disk: ModelDisk): Promise<void> {
  const before = disk.flushes;
  const deadlineMs = performance.now() + FLUSH_DEADLINE_MS;
  while (disk.flushes === before) {
    if (performance.now() > deadlineMs) throw new Error('nothing was flushed');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isThere(disk: ModelDisk, folder: string): boolean {
  try {
    return disk.list(folder).length > 0;
  } catch {
    return false;
  }
}

function rootSpan(number: number): ReadableSpan {
  const { parentSpanContext: _, ...span } = stepSpan(number);
  return { ...span, name: 'conversation' };
}
