import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TelemetryReport } from '@convotel/sdk';
import { bySize } from '../../fault.ts';
import type { Fault } from '../../fault.ts';
import { withFolder } from '../journal-rig.ts';
import { drainJournal, startTalker } from '../processes.ts';
import { Sink } from '../sink.ts';

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
      const samples: { residentMb: number; diskMb: number }[] = [];
      let isOver = false;
      void talker.gone.then(() => (isOver = true));
      for (let phase = 0; !isOver; phase += 1) {
        await sink.setMode(phase % 2 === 0 ? 'ok' : random.pick(['refuse', '503'] as const));
        for (let waitedMs = 0; waitedMs < phaseMs && !isOver; waitedMs += 250)
          await new Promise((resolve) => setTimeout(resolve, 250));
        if (phase % 2 === 0 && !isOver)
          samples.push({ residentMb: residentMb(talker.child.pid!), diskMb: sizeOf(journal) / 2 ** 20 });
      }
      const [, report] = talker.report() as [unknown, TelemetryReport];
      // The end may have come while the back end was away: the next start sends the rest.
      await sink.setMode('ok');
      await drainJournal(sink.url, journal);
      const { finishedSpans, deliveredSpans, waitingSpans } = report;
      measured({ name: 'spans finished', value: finishedSpans, atLeast: steps });
      measured({ name: 'spans lost', value: finishedSpans - deliveredSpans - waitingSpans, atMost: 0 });
      measured({ name: 'spans left to the next start, and sent by it', value: waitingSpans });
      const middle = samples[Math.floor(samples.length / 2)];
      const last = samples.at(-1);
      if (isLong && middle !== undefined && last !== undefined) {
        measured({
          name: 'growth of memory in the second half, MB',
          value: last.residentMb - middle.residentMb,
          atMost: 20,
        });
        measured({
          name: 'growth of the journal in the second half, MB',
          value: last.diskMb - middle.diskMb,
          atMost: 20,
        });
      }
    });
    await sink.stop();
  },
};

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
      const { size, isFile } = {
        size: statSync(join(folder, entry)).size,
        isFile: statSync(join(folder, entry)).isFile(),
      };
      if (isFile) bytes += size;
    } catch {
      // Deleted meanwhile.
    }
  }
  return bytes;
}
