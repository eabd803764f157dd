import { join } from 'node:path';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { bySize } from '../../fault.ts';
import type { Fault } from '../../fault.ts';
import { drain, imbalance, openJournal, stepSpan } from '../journal-rig.ts';
import { ModelDisk } from '../model-disk.ts';
import { seededRandom } from '../../random.ts';
import type { Random } from '../../random.ts';

const FOLDER = '/state/faults';
const POLICIES = ['never', 'interval', 'conversation', 'step'] as const;

/** Writes after the last flush are dropped, reordered and torn. */
export const fault: Fault = {
  name: 'power loss, modelled: unflushed writes dropped, reordered, torn',
  async run(run) {
    const { random, measured } = run;
    const seeds = bySize(run, { short: 60, ci: 200, long: 1000 });
    const lostOutside = { never: 0, interval: 0, conversation: 0, step: 0 };
    let broken = 0;
    for (let round = 0; round < seeds; round += 1) {
      const own = seededRandom(random.whole(1, 2 ** 31));
      const policy = POLICIES[round % POLICIES.length]!;
      try {
        lostOutside[policy] += await loseAndReopen(policy, own);
      } catch {
        broken += 1;
      }
    }
    measured({ name: `of ${seeds} journals, those that did not open or balance`, value: broken, atMost: 0 });
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
  await journal.adoption;
  const promised = new Set<number>();
  const finished: number[] = [];
  for (let number = 1; number <= random.whole(1, 900); number += 1) {
    const isRoot = random.chance(0.2);
    journal.ended(isRoot ? rootSpan(number) : stepSpan(number));
    finished.push(number);
    if (sync === 'step') promised.add(number);
    if (sync === 'conversation' && isRoot) for (const each of finished) promised.add(each);
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
