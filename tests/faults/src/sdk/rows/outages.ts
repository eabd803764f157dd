import { readFileSync } from 'node:fs';
import { bySize } from '../../fault.ts';
import type { Fault } from '../../fault.ts';
import { withFolder } from '../journal-rig.ts';
import { startTalker } from '../processes.ts';
import { Sink } from '../sink.ts';
import type { SinkMode } from '../sink.ts';
import type { Random } from '../../random.ts';

const MODES: readonly SinkMode[] = ['refuse', '503', 'hang', 'trickle', 'reset'];
const MAX_DRAIN_SECONDS = 30;
/** For a delivery that never comes, not for a slow machine. */
const PATIENCE_MS = 120_000;

/** A back end that is away for a while in each way of being away, and then back. */
export const fault: Fault = {
  name: 'back end refuses, 503, hangs, trickles, resets in the body; then back',
  async run(run) {
    const { size, isLong, random, measured } = run;
    const seconds = bySize(run, { short: 3, ci: 6, long: 60 });
    const rates = isLong ? [20, 500] : size === 'ci' ? [100] : [500];
    const modes = size === 'short' ? [random.pick(MODES)] : MODES;
    const cases = modes.flatMap((mode) => rates.map((rate) => ({ mode, rate })));
    // Each has a process and a port of its own, so they can be away together.
    const [outcomes, stock] = await Promise.all([
      Promise.all(cases.map(({ mode, rate }) => outage(mode, rate, seconds, random))),
      Promise.all(cases.map(({ mode, rate }) => stockOutage(mode, rate, seconds, random))),
    ]);
    for (const [index, { mode, rate }] of cases.entries()) {
      const { steps, lost, drainSeconds, growthMb } = outcomes[index]!;
      const name = `${mode}, ${rate} steps/s, ${seconds} s`;
      measured({ name: `${name}: steps`, value: steps, atLeast: 1 });
      measured({ name: `${name}: lost`, value: lost, atMost: 0 });
      measured({
        name: `${name}: seconds until drained`,
        value: drainSeconds,
        ...(isLong && { atMost: MAX_DRAIN_SECONDS }),
      });
      measured({ name: `${name}: growth of memory, MB`, value: growthMb, ...(isLong && { atMost: 40 }) });
      measured({ name: `${name}: the stock pipeline lost of ${stock[index]!.steps} steps`, value: stock[index]!.lost });
    }
  },
};

async function outage(
  mode: SinkMode,
  stepsPerSecond: number,
  seconds: number,
  random: Random,
): Promise<{ steps: number; lost: number; drainSeconds: number; growthMb: number }> {
  const sink = new Sink(random);
  await sink.start();
  await sink.setMode(mode);
  const outcome = await withFolder(async (journal) => {
    const talker = startTalker({ endpoint: sink.url, journal, conversations: 4, stepsPerSecond, end: 'natural' });
    await talker.noted(1);
    await sleep(seconds * 500);
    const halfwayMb = residentMb(talker.child.pid!);
    await sleep(seconds * 500);
    const growthMb = residentMb(talker.child.pid!) - halfwayMb;
    const during = new Set(talker.ended);
    await sink.setMode('ok');
    const backMs = performance.now();
    const isDrained = (): boolean => [...during].every((id) => sink.spans.has(id));
    while (!isDrained() && performance.now() - backMs < PATIENCE_MS) await sleep(100);
    const drainSeconds = (performance.now() - backMs) / 1000;
    talker.child.kill('SIGKILL');
    await talker.gone;
    const lost = [...during].filter((id) => !sink.spans.has(id)).length;
    return { steps: during.size, lost, drainSeconds, growthMb };
  });
  await sink.stop();
  return outcome;
}

/** The same with OpenTelemetry's own pipeline, which is shut down in good order when the back end is there again. */
async function stockOutage(
  mode: SinkMode,
  stepsPerSecond: number,
  seconds: number,
  random: Random,
): Promise<{ steps: number; lost: number }> {
  const sink = new Sink(random);
  await sink.start();
  await sink.setMode(mode);
  const steps = stepsPerSecond * seconds;
  const endpoint = sink.url;
  const talker = startTalker({ endpoint, pipeline: 'stock', conversations: 4, steps, stepsPerSecond, end: 'shutdown' });
  await talker.done;
  await sink.setMode('ok');
  await talker.gone;
  await sink.stop();
  return { steps, lost: [...talker.ended].filter((id) => !sink.spans.has(id)).length };
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
