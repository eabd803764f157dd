import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Delivery, OutageWarning } from '@convotel/sdk/internal';
import type { Clock, Transport } from '@convotel/sdk/internal';
import type { Fault } from '../../fault.ts';
import { imbalance, openJournal, stepSpan, withFolder } from '../journal-rig.ts';

const STEPS_PER_SECOND = 20;
/** Waits are random, so one outage of a minute does not tell how long the longest takes to drain. */
const SHORT_OUTAGES = 20;

/** A minute and ten minutes of 503, on a clock that is passed in. */
export const fault: Fault = {
  name: 'a minute, and ten minutes of 503, with a passed-in clock',
  async run({ isLong, measured }) {
    const short = [];
    for (let time = 0; time < SHORT_OUTAGES; time += 1) short.push(await withFolder((folder) => outage(folder, 1)));
    const long = await withFolder((folder) => outage(folder, 10));
    const all = [...short, long];
    measured({ name: 'lost', value: sum(all.map(({ lost }) => lost)), atMost: 0 });
    measured({ name: 'requests during ten minutes', value: long.requests, atMost: 60 });
    measured({
      name: `seconds until drained after a minute, longest of ${SHORT_OUTAGES}`,
      value: Math.max(...short.map(({ drainSeconds }) => drainSeconds)),
      atMost: 30,
    });
    measured({
      name: 'seconds until drained after ten minutes',
      value: long.drainSeconds,
      ...(isLong && { atMost: 35 }),
    });
    measured({ name: 'growth of the heap in the last five minutes, MB', value: long.growthMb, atMost: 3 });
    measured({ name: 'books that do not balance', value: sum(all.map(({ imbalance: off }) => off)), atMost: 0 });
  },
};

interface Outage {
  lost: number;
  requests: number;
  drainSeconds: number;
  growthMb: number;
  imbalance: number;
}

async function outage(folder: string, minutes: number): Promise<Outage> {
  const clock = new FastClock();
  let isBack = false;
  let requests = 0;
  const transport: Transport = {
    send: async () => {
      requests += 1;
      return isBack ? { status: 'success' } : { status: 'retryable', error: new Error('answered 503') };
    },
    shutdown() {},
  };
  const { journal, counts } = openJournal({ folder, maxBytes: 64 * 1024 * 1024 });
  const warn = (): void => {};
  const delivery = new Delivery({
    journal,
    transport,
    outage: new OutageWarning('spans', 'nowhere', () => '', warn),
    clock,
    warn,
    scheduleDelayMs: 1000,
    requestTimeoutMs: 10_000,
  });
  const steps = minutes * 60 * STEPS_PER_SECOND;
  let middleMb = 0;
  for (let step = 1; step <= steps; step += 1) {
    journal.ended(stepSpan(step));
    delivery.wake();
    await clock.pass(1000 / STEPS_PER_SECOND);
    if (step === steps / 2) middleMb = heapMb();
  }
  const growthMb = heapMb() - middleMb;
  const duringOutage = requests;
  isBack = true;
  const backMs = clock.nowMs();
  while (journal.waitingSpans > 0 && clock.nowMs() - backMs < 120_000) {
    await clock.pass(50);
    // Files are read in real time.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const drainSeconds = (clock.nowMs() - backMs) / 1000;
  const lost = steps - counts.deliveredSpans;
  const off = Math.abs(imbalance(journal, counts));
  delivery.stop();
  journal.close();
  return { lost, requests: duringOutage, drainSeconds, growthMb, imbalance: off };
}

/** What is in use, not what waits to be collected. */
function heapMb(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}

/** Time that passes when it is told to. */
class FastClock implements Clock {
  #nowMs = 0;
  readonly #timers: { dueMs: number; work: () => void; handle: NodeJS.Timeout }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  setTimer(work: () => void, delayMs: number): NodeJS.Timeout {
    // A real handle, so that clearing it means something; it is never due by itself.
    const handle = setTimeout(() => {}, 2 ** 30).unref();
    this.#timers.push({ dueMs: this.#nowMs + delayMs, work, handle });
    return handle;
  }

  async pass(ms: number): Promise<void> {
    this.#nowMs += ms;
    for (const timer of this.#timers.filter(({ dueMs }) => dueMs <= this.#nowMs)) {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      const isCleared = (timer.handle as unknown as { _destroyed?: boolean })._destroyed === true;
      clearTimeout(timer.handle);
      if (!isCleared) timer.work();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
