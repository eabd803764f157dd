import { Delivery, Journal, JsonSpanEncoder, OutageWarning, Redactor, SpanCounts } from '@convotel/sdk/internal';
import type { Clock, Transport } from '@convotel/sdk/internal';
import type { Fault } from '../../fault.ts';
import { imbalance, stepSpan, withFolder } from '../journal-rig.ts';

const MINUTES = 10;

/** Ten minutes of 503, on a clock that is passed in. */
export const fault: Fault = {
  name: 'ten minutes of 503, with a passed-in clock',
  async run({ isLong, measured }) {
    await withFolder(async (folder) => {
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
      const warn = (): void => {};
      const counts = new SpanCounts();
      const redactor = new Redactor({ captureContent: 'none', otherContent: 'drop', errorMessages: 'redacted', warn });
      const journal = new Journal({
        encoder: new JsonSpanEncoder(redactor),
        counts,
        warn,
        serviceName: 'faults',
        folder,
        maxBytes: 64 * 1024 * 1024,
        maxMemoryBytes: 96 * 1024 * 1024,
        maxBatchSpans: 512,
        maxQueueSpans: Infinity,
        sync: 'never',
      });
      const outage = new OutageWarning('spans', 'nowhere', () => '', warn);
      const delivery = new Delivery({
        journal,
        transport,
        outage,
        clock,
        warn,
        scheduleDelayMs: 1000,
        requestTimeoutMs: 10_000,
      });
      const steps = MINUTES * 60 * 20;
      for (let step = 1; step <= steps; step += 1) {
        journal.ended(stepSpan(step));
        delivery.wake();
        await clock.pass(50);
      }
      const duringOutage = requests;
      isBack = true;
      const backMs = clock.nowMs();
      while (journal.waitingSpans > 0 && clock.nowMs() - backMs < 120_000) {
        await clock.pass(50);
        // Files are read in real time.
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      measured({ name: 'lost', value: steps - counts.deliveredSpans, atMost: 0 });
      measured({ name: 'requests during the outage', value: duringOutage, atMost: 60 });
      measured({
        name: 'seconds until drained',
        value: (clock.nowMs() - backMs) / 1000,
        ...(isLong && { atMost: 35 }),
      });
      measured({ name: 'books that do not balance', value: Math.abs(imbalance(journal, counts)), atMost: 0 });
      delivery.stop();
      journal.close();
    });
  },
};

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
