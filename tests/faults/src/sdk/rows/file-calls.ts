import { DISK } from '@convotel/sdk/internal';
import type { JournalFiles } from '@convotel/sdk/internal';
import { bySize } from '../../fault.ts';
import type { Fault } from '../../fault.ts';
import { drain, imbalance, openJournal, stepSpan, withFolder } from '../journal-rig.ts';

const CODES = ['EIO', 'ENOSPC', 'EACCES', 'EMFILE', 'EROFS'];
const SPANS = 60;

/** Every file-system call fails, one after the other, once and for ever. */
export const fault: Fault = {
  name: 'every file-system call fails in turn, once and for ever',
  async run(run) {
    const { size, random, measured } = run;
    let noticed = 0;
    let lost = 0;
    let unbalanced = 0;
    let runs = 0;
    const codes = size === 'short' ? [random.pick(CODES)] : CODES;
    const every = bySize(run, { short: 23, ci: 7, long: 1 });
    for (const code of codes) {
      for (const isForEver of [false, true]) {
        const calls = await callsOfOneRun();
        for (let failing = 0; failing < calls; failing += every) {
          runs += 1;
          const outcome = await runWith(failing, isForEver, code);
          if (outcome.hasThrown) noticed += 1;
          lost += outcome.lostUncounted;
          if (outcome.imbalance !== 0) unbalanced += 1;
        }
      }
    }
    measured({ name: `of ${runs} runs, those in which the program noticed`, value: noticed, atMost: 0 });
    measured({ name: 'spans lost without being counted', value: lost, atMost: 0 });
    measured({ name: 'runs whose books do not balance', value: unbalanced, atMost: 0 });
  },
};

async function callsOfOneRun(): Promise<number> {
  const { count } = await runWith(Infinity, false, 'EIO');
  return count;
}

interface Outcome {
  hasThrown: boolean;
  lostUncounted: number;
  imbalance: number;
  count: number;
}

/** Writes, reads and closes a journal, after an earlier one has left spans behind. */
function runWith(failing: number, isForEver: boolean, code: string): Promise<Outcome> {
  return withFolder(async (folder) => {
    const before = openJournal({ folder, maxBytes: 1024 * 1024 });
    for (let number = 1; number <= 10; number += 1) before.journal.ended(stepSpan(number));
    before.journal.close();
    const { files, count } = failingFiles(failing, isForEver, code);
    let hasThrown = false;
    let lostUncounted = 0;
    let difference = 0;
    try {
      const { journal, counts } = openJournal({ folder, files, maxBytes: 1024 * 1024, sync: 'step' });
      const open = stepSpan(9_999_999);
      journal.started(open);
      for (let number = 100; number < 100 + SPANS; number += 1) journal.ended(stepSpan(number, 4000));
      const delivered = (await drain(journal)).length;
      const { finishedSpans, inheritedSpans, allDroppedSpans } = counts;
      lostUncounted = Math.max(0, finishedSpans + inheritedSpans - delivered - allDroppedSpans - journal.waitingSpans);
      difference = imbalance(journal, counts);
      journal.close();
    } catch {
      hasThrown = true;
    }
    return { hasThrown, lostUncounted, imbalance: difference, count: count() };
  });
}

/** The real file system, but for one call, or all calls from it on. */
export function failingFiles(
  failing: number,
  isForEver: boolean,
  code: string,
): { files: JournalFiles; count: () => number } {
  let calls = 0;
  const fails = (): boolean => {
    const number = calls;
    calls += 1;
    return isForEver ? number >= failing : number === failing;
  };
  const failure = (): Error => Object.assign(new Error(`${code}: made to fail`), { code });
  const entries = Object.entries(DISK).map(([name, call]) => {
    const failed = (...given: unknown[]): unknown => {
      if (!fails()) return (call as (...each: unknown[]) => unknown)(...given);
      if (name === 'sync') return (given[1] as (error: Error) => void)(failure());
      if (name === 'read' || name === 'readWhole') return Promise.reject(failure());
      if (name === 'syncFolder') return undefined;
      throw failure();
    };
    return [name, failed];
  });
  return { files: Object.fromEntries(entries) as JournalFiles, count: () => calls };
}
