import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TelemetryReport } from '@convotel/sdk';
import { bySize } from '../../fault.ts';
import type { Fault } from '../../fault.ts';
import { withFolder } from '../journal-rig.ts';
import { drainJournal, startTalker } from '../processes.ts';
import { Sink } from '../sink.ts';

interface Sample {
  residentMb: number;
  diskMb: number;
}

/** Many steps while the back end is away half of the time. */
export const fault: Fault = {
  name: 'steps over minutes with the back end away half of the time',
  async run(run) {
    const { isLong, random, measured } = run;
    const stepsPerSecond = isLong ? 3400 : 1000;
    const steps = bySize(run, { short: 6000, ci: 15_000, long: 2_000_000 });
    const phaseMs = isLong ? 15_000 : 1000;
    const sink = new Sink(random, isLong ? 'counts' : 'spans');
    await sink.start();
    await withFolder(async (journal) => {
      const talker = startTalker({
        endpoint: sink.url,
        journal,
        conversations: 4,
        steps,
        stepsPerSecond,
        isQuiet: isLong,
        end: 'shutdown',
      });
      const samples: Sample[] = [];
      let isOver = false;
      void talker.gone.then(() => (isOver = true));
      for (let phase = 0; !isOver; phase += 1) {
        await sink.setMode(phase % 2 === 0 ? 'ok' : random.pick(['refuse', '503'] as const));
        for (let waitedMs = 0; waitedMs < phaseMs && !isOver; waitedMs += 250) {
          await new Promise((resolve) => setTimeout(resolve, 250));
          if (!isOver) samples.push({ residentMb: residentMb(talker.child.pid!), diskMb: sizeOf(journal) / 2 ** 20 });
        }
      }
      const [, report] = talker.report() as [unknown, TelemetryReport];
      // The end may have come while the back end was away: the next start sends the rest.
      await sink.setMode('ok');
      await drainJournal(sink.url, journal);
      const { finishedSpans, deliveredSpans, waitingSpans } = report;
      measured({ name: 'spans finished', value: finishedSpans, atLeast: steps });
      measured({ name: 'spans lost', value: finishedSpans - deliveredSpans - waitingSpans, atMost: 0 });
      measured({ name: 'spans left to the next start, and sent by it', value: waitingSpans });
      if (isLong) {
        // Both go up and down with each phase, and memory with each collection: a growth moves the middle of them.
        const third = Math.floor(samples.length / 3);
        const growthOf = (read: (sample: Sample) => number): number =>
          median(samples.slice(2 * third).map(read)) - median(samples.slice(third, 2 * third).map(read));
        measured({
          name: 'growth of memory from the middle third to the last, MB',
          value: growthOf((sample) => sample.residentMb),
          atMost: 20,
        });
        measured({
          name: 'growth of the journal from the middle third to the last, MB',
          value: growthOf((sample) => sample.diskMb),
          atMost: 20,
        });
      }
    });
    await sink.stop();
  },
};

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function residentMb(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

function sizeOf(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    try {
      const file = statSync(join(folder, entry));
      if (file.isFile()) bytes += file.size;
    } catch {
      // Deleted meanwhile.
    }
  }
  return bytes;
}
