import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RECORD_KIND, readRecords } from '@convotel/sdk/internal';
import { bySize } from '../../fault.ts';
import type { Fault } from '../../fault.ts';
import { drain, imbalance, numberOf, openJournal, stepSpan, withFolder } from '../journal-rig.ts';
import type { Random } from '../../random.ts';

const SPANS = 60;

/** Flips, cuts and insertions in the files of a journal; what is whole around them is sent. */
export const fault: Fault = {
  name: 'random bit flips, cuts and insertions in journal files',
  async run(run) {
    const { random, measured } = run;
    const damages = bySize(run, { short: 400, ci: 1000, long: 10_000 });
    let crashes = 0;
    let unused = 0;
    let uncounted = 0;
    let unbalanced = 0;
    for (let round = 0; round < damages; round += 1) {
      await withFolder(async (folder) => {
        const encoding = random.pick(['json', 'protobuf'] as const);
        const written = openJournal({ folder, encoding });
        for (let number = 1; number <= SPANS; number += 1) written.journal.ended(stepSpan(number));
        written.journal.close();
        const intact = damageOneFile(folder, random);
        try {
          const { journal, counts } = openJournal({ folder, encoding });
          const sent = new Set(await drain(journal));
          unused += [...intact.numbers].filter((number) => !sent.has(number)).length;
          // A cut takes away what would tell how many spans there were.
          const told = counts.droppedSpans['damaged'] ?? 0;
          if (!intact.isCut && sent.size + told !== SPANS) uncounted += 1;
          if (imbalance(journal, counts) !== 0) unbalanced += 1;
          journal.close();
        } catch {
          crashes += 1;
        }
      });
    }
    measured({ name: `crashes of ${damages} damaged journals`, value: crashes, atMost: 0 });
    measured({ name: 'intact records that were not sent', value: unused, atMost: 0 });
    measured({ name: 'journals whose loss was not counted', value: uncounted, atMost: Math.ceil(damages / 50) });
    measured({ name: 'journals whose books do not balance', value: unbalanced, atMost: 0 });
  },
};

/** Returns what is still whole, found out by looking for each span's bytes rather than by reading records. */
function damageOneFile(folder: string, random: Random): { numbers: Set<number>; isCut: boolean } {
  const [process] = readdirSync(folder);
  const file = readdirSync(join(folder, process!)).find((name) => name.endsWith('.seg'))!;
  const path = join(folder, process!, file);
  const salt = Number.parseInt(file.split('-')[2]!.slice(0, 8), 16);
  const bytes = readFileSync(path);
  const records = [...readRecords(bytes, salt)];
  const kind = random.pick(['flip', 'cut', 'insert', 'remove'] as const);
  const at = random.whole(0, bytes.length - 2);
  const length = random.whole(1, Math.min(200, bytes.length - at - 1));
  const damaged = damagedBytes(bytes, kind, at, length, random);
  writeFileSync(path, damaged);
  const [from, to] =
    kind === 'flip' ? [at, at + 1] : kind === 'insert' ? [at, at] : kind === 'cut' ? [at, Infinity] : [at, at + length];
  const numbers = new Set<number>();
  let start = 0;
  for (const { kind: recordKind, payload, end } of records) {
    const isUntouched = kind === 'insert' ? at <= start || at >= end : to <= start || from >= end;
    if (isUntouched && recordKind === RECORD_KIND.span) numbers.add(numberOf(payload));
    start = end;
  }
  return { numbers, isCut: kind === 'cut' || (kind === 'remove' && at + length > bytes.length - 600) };
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
