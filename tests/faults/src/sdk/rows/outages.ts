import type { Fault } from '../../fault.ts';
import { withFolder } from '../journal-rig.ts';
import { startTalker } from '../processes.ts';
import { Sink } from '../sink.ts';
import type { SinkMode } from '../sink.ts';
import type { Random } from '../../random.ts';
import { readFileSync } from 'node:fs';

const MODES: readonly SinkMode[] = ['refuse', '503', 'hang', 'trickle', 'reset'];
const MAX_DRAIN_SECONDS = 30;

/** A back end that is away for a while in each way of being away, and then back. */
export const fault: Fault = {
  name: 'back end refuses, 503, hangs, trickles, resets in the body; then back',
  async run({ isLong, random, measured }) {
    const seconds = isLong ? 60 : 3;
    const cases = isLong
      ? MODES.flatMap((mode) => [20, 500].map((rate) => ({ mode, rate })))
      : [{ mode: random.pick(MODES), rate: 500 }];
    // Each has a process and a port of its own, so they can be away together.
    const outcomes = await Promise.all(cases.map(({ mode, rate }) => outage(mode, rate, seconds, random)));
    for (const [index, { mode, rate }] of cases.entries()) {
      const { lost, drainSeconds, growthMb } = outcomes[index]!;
      const name = `${mode}, ${rate} steps/s, ${seconds} s`;
      measured({ name: `${name}: lost`, value: lost, atMost: 0 });
      measured({ name: `${name}: seconds until drained`, value: drainSeconds, atMost: MAX_DRAIN_SECONDS });
      measured({ name: `${name}: growth of memory, MB`, value: growthMb, ...(isLong && { atMost: 40 }) });
    }
  },
};

async function outage(
  mode: SinkMode,
  stepsPerSecond: number,
  seconds: number,
  random: Random,
): Promise<{ lost: number; drainSeconds: number; growthMb: number }> {
  const sink = new Sink(random);
  await sink.start();
  await sink.setMode(mode);
  const outcome = await withFolder(async (journal) => {
    const talker = startTalker({ endpoint: sink.url, journal, conversations: 4, stepsPerSecond, end: 'natural' });
    await sleep(seconds * 500);
    const halfwayMb = residentMb(talker.child.pid!);
    await sleep(seconds * 500);
    const growthMb = residentMb(talker.child.pid!) - halfwayMb;
    const during = new Set(talker.ended);
    await sink.setMode('ok');
    const backMs = performance.now();
    const isDrained = (): boolean => [...during].every((id) => sink.spans.has(id));
    while (!isDrained() && performance.now() - backMs < MAX_DRAIN_SECONDS * 1500) await sleep(100);
    const drainSeconds = (performance.now() - backMs) / 1000;
    talker.child.kill('SIGKILL');
    await talker.gone;
    return { lost: [...during].filter((id) => !sink.spans.has(id)).length, drainSeconds, growthMb };
  });
  await sink.stop();
  return outcome;
}

/** As Linux tells it; 0 elsewhere. */
function residentMb(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
