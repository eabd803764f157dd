import { cpSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DISK, readHeartbeat, readRecords, RECORD_KIND } from '@convotel/sdk/internal';
import { bySize } from '../../fault.ts';
import type { Fault } from '../../fault.ts';
import { drain, imbalance, numberOf, openJournal, stepSpan, withFolder } from '../journal-rig.ts';
import { seededRandom } from '../../random.ts';
import type { Random } from '../../random.ts';

const SPANS = 60;
const AT_ONCE = 50;
/** The smallest journal has the smallest segments, of 64 KiB. */
const SMALL_SEGMENTS = 512 * 1024;
/** Older than any heartbeat of a living process. */
const LONG_AGO_MS = 11 * 60_000;
const HEARTBEAT_DEADLINE_MS = 30_000;

/** What became of one damaged journal. */
interface Outcome {
  hasCrashed: boolean;
  unused: number;
  isUncounted: boolean;
  isUnbalanced: boolean;
}

/**
 * One flip, cut, insertion or removal in a file that an ended or killed process has left; what is whole around it is
 * sent, and what is not is counted.
 */
export const fault: Fault = {
  name: 'random bit flips, cuts and insertions in journal files',
  async run(run) {
    const { random, measured } = run;
    const damages = bySize(run, { short: 150, ci: 1000, long: 10_000 });
    const outcomes: Outcome[] = [];
    while (outcomes.length < damages) {
      // A seed each, so that a run repeats however they overlap.
      const seeds = Array.from({ length: AT_ONCE }, () => random.whole(1, 2 ** 31));
      outcomes.push(...(await Promise.all(seeds.map((seed) => withFolder((folder) => damageOnce(folder, seed))))));
    }
    const count = (isMeant: (outcome: Outcome) => boolean): number => outcomes.filter(isMeant).length;
    const unused = outcomes.reduce((sum, outcome) => sum + outcome.unused, 0);
    measured({ name: `crashes of ${damages} damaged journals`, value: count((each) => each.hasCrashed), atMost: 0 });
    measured({ name: 'intact records that were not sent', value: unused, atMost: 0 });
    measured({ name: 'journals whose loss was not counted', value: count((each) => each.isUncounted), atMost: 0 });
    measured({ name: 'journals whose books do not balance', value: count((each) => each.isUnbalanced), atMost: 0 });
  },
};

async function damageOnce(parent: string, seed: number): Promise<Outcome> {
  const random = seededRandom(seed);
  const encoding = random.pick(['json', 'protobuf'] as const);
  const folder = join(parent, 'left');
  const delivered = await leaveBehind(parent, folder, random, encoding);
  const intact = damageOneFile(folder, random);
  try {
    const { journal, counts } = openJournal({ folder, encoding });
    const sent = new Set(await drain(journal));
    const lost = counts.droppedSpans['damaged'] ?? 0;
    const outcome = {
      hasCrashed: false,
      unused: [...intact].filter((number) => number > delivered && !sent.has(number)).length,
      isUncounted: delivered + sent.size + lost !== SPANS,
      isUnbalanced: imbalance(journal, counts) !== 0,
    };
    if (outcome.isUncounted) console.error(`    not counted: seed ${seed}, ${sent.size} sent, ${lost} counted as lost`);
    journal.close();
    return outcome;
  } catch {
    return { hasCrashed: true, unused: 0, isUncounted: false, isUnbalanced: false };
  }
}

/** Writes a journal of one or several segments, of which some may be delivered; returns how many spans were. */
async function leaveBehind(
  parent: string,
  folder: string,
  random: Random,
  encoding: 'json' | 'protobuf',
): Promise<number> {
  const written = join(parent, 'written');
  const { journal, counts } = openJournal({ folder: written, encoding, maxBytes: SMALL_SEGMENTS });
  const padding = random.pick([40, 4000]);
  for (let number = 1; number <= SPANS; number += 1) journal.ended(stepSpan(number, padding));
  if (padding > 40) {
    for (let batches = random.whole(0, 2); batches > 0; batches -= 1) {
      const batch = await journal.next();
      batch?.settle(batch.spans.length);
    }
  }
  const isKilled = random.chance(0.5);
  if (!isKilled) journal.close();
  else await heartbeatOf(written);
  // As a kill leaves it; the lock of the copy is not there.
  cpSync(written, folder, { recursive: true, filter: (path) => basename(path) !== 'lock' });
  if (isKilled) journal.close();
  return counts.deliveredSpans;
}

/** Waits until the process has said how many spans it had written. */
async function heartbeatOf(folder: string): Promise<void> {
  const [process] = readdirSync(folder);
  const deadlineMs = performance.now() + HEARTBEAT_DEADLINE_MS;
  while (readHeartbeat(DISK, join(folder, process!))?.spans !== SPANS) {
    if (performance.now() > deadlineMs) throw new Error('no heartbeat counted the spans');
    await sleep(20);
  }
}

/** Returns the numbers of the spans that are still whole, by the places of their records before the damage. */
function damageOneFile(folder: string, random: Random): Set<number> {
  const [process] = readdirSync(folder);
  const files = readdirSync(join(folder, process!));
  const segments = files.filter((name) => name.endsWith('.seg')).toSorted();
  const target = random.chance(0.9) ? random.pick(segments) : random.pick(['heartbeat', 'process.json']);
  const numbers = new Set<number>();
  for (const file of segments) {
    const path = join(folder, process!, file);
    const bytes = readFileSync(path);
    const records = [...readRecords(bytes, Number.parseInt(file.slice(-12, -4), 16))];
    const [from, to] = file === target ? damage(path, bytes, random, records) : [Infinity, Infinity];
    let start = 0;
    for (const { kind, payload, end } of records) {
      const isUntouched = from === to ? from <= start || from >= end : to <= start || from >= end;
      if (isUntouched && kind === RECORD_KIND.span) numbers.add(numberOf(payload));
      start = end;
    }
  }
  if (!segments.includes(target)) {
    const path = join(folder, process!, target);
    damage(path, readFileSync(path), random, []);
  }
  // A damaged process.json does not say that the process has ended.
  const longAgo = new Date(Date.now() - LONG_AGO_MS);
  for (const file of files) utimesSync(join(folder, process!, file), longAgo, longAgo);
  return numbers;
}

/** Returns where the file no longer holds what it held; an empty range for an insertion. */
function damage(path: string, bytes: Buffer, random: Random, records: readonly { end: number }[]): [number, number] {
  const kind = random.pick(['flip', 'cut', 'insert', 'remove'] as const);
  // Headers are a small part of a file, and the part that matters most.
  const nearHeader = (): number => random.pick([0, ...records.map(({ end }) => end)]) + random.whole(0, 24);
  const at = Math.min(
    records.length > 0 && random.chance(0.5) ? nearHeader() : random.whole(0, bytes.length - 2),
    bytes.length - 2,
  );
  const length = random.whole(1, Math.min(200, bytes.length - at - 1));
  writeFileSync(path, damagedBytes(bytes, kind, at, length, random));
  if (kind === 'flip') return [at, at + 1];
  if (kind === 'insert') return [at, at];
  return kind === 'cut' ? [at, Infinity] : [at, at + length];
}

function damagedBytes(bytes: Buffer, kind: string, at: number, length: number, random: Random): Buffer {
  const before = bytes.subarray(0, at);
  switch (kind) {
    case 'flip': {
      const flipped = Buffer.from(bytes);
      flipped[at] = flipped[at]! ^ (1 << random.whole(0, 7));
      return flipped;
    }
    case 'cut':
      return Buffer.from(before);
    case 'insert':
      return Buffer.concat([
        before,
        Buffer.from(Array.from({ length }, () => random.whole(0, 255))),
        bytes.subarray(at),
      ]);
    default:
      return Buffer.concat([before, bytes.subarray(at + length)]);
  }
}
