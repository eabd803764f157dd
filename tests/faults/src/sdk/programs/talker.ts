import { writeSync } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { startTracing } from '@convotel/sdk';
import { conversation } from '@convotel/tracing';
import { trace } from '@opentelemetry/api';
import { stockProvider } from '../journal-rig.ts';

/** What a talker is told, as JSON in its first argument. */
export interface TalkerOptions {
  endpoint: string;
  journal?: string;
  /** `stock` sends with OpenTelemetry's own processor and exporter. @defaultValue `convotel` */
  pipeline?: 'convotel' | 'stock';
  /** Conversations at a time. */
  conversations: number;
  /** Steps in all; absent for one that talks until it is killed. */
  steps?: number;
  stepsPerSecond?: number;
  /** Notes no steps, where so many lines would be the test. */
  isQuiet?: boolean;
  /** How the program ends after its steps. */
  end: 'natural' | 'exit' | 'uncaught' | 'rejection' | 'wait' | 'shutdown' | 'worker';
}

const options = (isMainThread ? JSON.parse(process.argv[2] ?? '{}') : workerData) as TalkerOptions;

/** A line that is with the kernel when this returns, whatever becomes of the process. */
function note(line: string): void {
  if (options.isQuiet === true && /^[SE] /.test(line)) return;
  writeSync(1, `${line}\n`);
}

function spanId(): string {
  return trace.getActiveSpan()?.spanContext().spanId ?? '';
}

if (options.end === 'worker' && isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { workerData: options });
  worker.on('message', () => void worker.terminate());
} else {
  await talk();
}

async function talk(): Promise<void> {
  const shutDown = start();
  let left = options.steps ?? Infinity;
  const startMs = performance.now();
  let done = 0;
  const talkOn = async (): Promise<void> => {
    while (left > 0) {
      await conversation({ workflow: 'faults' }, async (c) => {
        note(`S ${spanId()}`);
        for (let step = 0; step < 4 && left > 0; step += 1) {
          left -= 1;
          let id = '';
          await c.step('think', async () => {
            id = spanId();
            // The start of a step whose like have been short is written when the program yields, not before.
            await Promise.resolve();
            note(`S ${id}`);
            await nextTurn();
          });
          note(`E ${id}`);
          done += 1;
          const dueMs = options.stepsPerSecond === undefined ? 0 : (done / options.stepsPerSecond) * 1000;
          const earlyMs = dueMs - (performance.now() - startMs);
          if (earlyMs > 1) await wait(earlyMs);
        }
      });
    }
  };
  await Promise.all(Array.from({ length: options.conversations }, talkOn));
  await end(shutDown);
}

/** Returns what shuts the pipeline down, and says what became of its spans where the pipeline knows. */
function start(): () => Promise<unknown> {
  if (options.pipeline === 'stock') {
    const provider = stockProvider(options.endpoint);
    provider.register();
    return () => provider.shutdown();
  }
  const tracing = startTracing({
    serviceName: 'talker',
    endpoint: options.endpoint,
    journal: { folder: options.journal },
    metrics: false,
    warn: () => {},
  });
  return async () => [await tracing.shutdown({ deadlineMs: 30_000 }), tracing.report()];
}

async function end(shutDown: () => Promise<unknown>): Promise<void> {
  note('DONE');
  switch (options.end) {
    case 'exit':
      return process.exit(3);
    case 'uncaught':
      setTimeout(() => {
        throw new Error('nobody catches this');
      }, 1);
      return;
    case 'rejection':
      void Promise.reject(new Error('nobody handles this'));
      return;
    case 'wait':
      return void setInterval(() => {}, 1000);
    case 'worker':
      (await import('node:worker_threads')).parentPort?.postMessage('done');
      return void setInterval(() => {}, 1000);
    case 'shutdown':
      note(`REPORT ${JSON.stringify((await shutDown()) ?? null)}`);
      return;
    default:
  }
}
