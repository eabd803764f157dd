import { execFileSync } from 'node:child_process';
import { statfsSync, writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from '../../fault.ts';
import { drain, imbalance, openJournal, stepSpan, withFolder } from '../journal-rig.ts';

const MEGABYTES = 8;

/** A file system that really is full, and then is not; where this user may not mount one, a journal at its cap. */
export const fault: Fault = {
  name: 'a full file system, and a journal at its cap',
  async run({ measured }) {
    const capped = await withFolder(fillToCap);
    measured({ name: 'largest excess over maxBytes, bytes', value: capped.excess, atMost: 0 });
    measured({ name: 'spans lost without being counted at the cap', value: capped.uncounted, atMost: 0 });
    measured({ name: 'spans dropped and counted at the cap', value: capped.dropped, atLeast: 1 });
    const shared = await withFolder(fillTogether);
    measured({ name: 'three processes and a dead one: largest excess, bytes', value: shared.excess, atMost: 0 });
    measured({ name: 'three processes and a dead one: spans lost uncounted', value: shared.uncounted, atMost: 0 });
    measured({ name: 'three processes and a dead one: spans dropped', value: shared.dropped, atLeast: 1 });
    await withFolder(async (folder) => {
      const isMounted = mount(folder);
      measured({ name: 'full file system: a small one could be mounted', value: isMounted ? 1 : 0 });
      if (!isMounted) return;
      try {
        const { thrown, lost, recovers } = await fillFileSystem(folder);
        measured({ name: 'full file system: exceptions in the program', value: thrown, atMost: 0 });
        measured({ name: 'full file system: spans lost without being counted', value: lost, atMost: 0 });
        measured({ name: 'full file system: bytes left while full', value: recovers.freeWhileFull, atMost: 64 * 1024 });
        measured({
          name: 'full file system: writes files again afterwards',
          value: recovers.writesAgain ? 1 : 0,
          atLeast: 1,
        });
      } finally {
        execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
      }
    });
  },
};

function mount(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${MEGABYTES}m`, 'convotel-faults', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function fillToCap(folder: string): Promise<{ excess: number; uncounted: number; dropped: number }> {
  const maxBytes = 1024 * 1024;
  const { journal, counts } = openJournal({ folder, maxBytes });
  let excess = 0;
  for (let number = 1; number <= 8000; number += 1) {
    journal.ended(stepSpan(number, 600));
    if (number % 50 === 0) excess = Math.max(excess, segmentBytes(folder) - maxBytes);
  }
  const uncounted = Math.abs(imbalance(journal, counts));
  const delivered = (await drain(journal)).length;
  const lost = counts.finishedSpans - delivered - counts.allDroppedSpans;
  journal.close();
  return { excess, uncounted: uncounted + Math.abs(lost), dropped: counts.droppedSpans['journal_full'] ?? 0 };
}

/** `maxBytes` is for the service: for all its processes, and for what a dead one has left. */
async function fillTogether(folder: string): Promise<{ excess: number; uncounted: number; dropped: number }> {
  const maxBytes = 2 * 1024 * 1024;
  const dead = openJournal({ folder, maxBytes });
  for (let number = 1; number <= 1000; number += 1) dead.journal.ended(stepSpan(number, 600));
  dead.journal.close();
  const alive = Array.from({ length: 3 }, () => openJournal({ folder, maxBytes }));
  await Promise.all(alive.map(({ journal }) => journal.adoption));
  let excess = 0;
  for (let number = 1001; number <= 7000; number += 1) {
    alive[number % alive.length]!.journal.ended(stepSpan(number, 600));
    if (number % 50 === 0) excess = Math.max(excess, segmentBytes(folder) - maxBytes);
  }
  let uncounted = 0;
  let dropped = 0;
  for (const { journal, counts } of alive) {
    uncounted += Math.abs(imbalance(journal, counts));
    const delivered = (await drain(journal)).length;
    uncounted += Math.abs(counts.finishedSpans + counts.inheritedSpans - delivered - counts.allDroppedSpans);
    dropped += counts.droppedSpans['journal_full'] ?? 0;
    journal.close();
  }
  return { excess, uncounted, dropped };
}

function segmentBytes(folder: string): number {
  const listing = execFileSync('find', [folder, '-name', '*.seg', '-printf', '%s\n'], { encoding: 'utf8' });
  return listing.split('\n').reduce((sum, size) => sum + Number(size), 0);
}

async function fillFileSystem(folder: string): Promise<{
  thrown: number;
  lost: number;
  recovers: { freeWhileFull: number; writesAgain: boolean };
}> {
  let thrown = 0;
  const { journal, counts, warnings } = openJournal({ folder: join(folder, 'journal'), maxBytes: 64 * 1024 * 1024 });
  for (let number = 1; number <= 1000; number += 1) journal.ended(stepSpan(number, 400));
  const filler = join(folder, 'filler');
  try {
    for (let part = 0; ; part += 1) writeFileSync(`${filler}${part}`, Buffer.alloc(part < 100 ? 64 * 1024 : 4096));
  } catch {
    // Full now.
  }
  const { bavail, bsize } = statfsSync(folder);
  try {
    for (let number = 1001; number <= 4000; number += 1) journal.ended(stepSpan(number, 400));
  } catch {
    thrown += 1;
  }
  const told = warnings.length;
  execFileSync('sh', ['-c', `rm -f ${filler}*`]);
  // A file is tried again after five seconds.
  const deadlineMs = performance.now() + 120_000;
  const before = segmentBytes(folder);
  let number = 4001;
  while (segmentBytes(folder) <= before && performance.now() < deadlineMs) {
    journal.ended(stepSpan(number, 400));
    number += 1;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const writesAgain = segmentBytes(folder) > before;
  const delivered = (await drain(journal)).length;
  const lost = counts.finishedSpans - delivered - counts.allDroppedSpans;
  journal.close();
  rmSync(join(folder, 'journal'), { recursive: true, force: true });
  return {
    thrown,
    lost: Math.abs(lost) + (told === 1 ? 0 : 1),
    recovers: { freeWhileFull: bavail * bsize, writesAgain },
  };
}
