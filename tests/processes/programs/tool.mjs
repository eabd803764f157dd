// A thread of the second process, with a tracing setup of its own: works inside the step that asked for it.
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { startTracing } from '@convotel/sdk';
import { joinConversation } from '@convotel/tracing';
import { Stopwatch } from './stopwatch.mjs';

const tracing = startTracing({ serviceName: 'tool', samplingRatio: workerData.samplingRatio });
const stopwatch = new Stopwatch();

async function work({ id, carrier }) {
  if (id === 'end') {
    const { undeliveredSpans } = await tracing.shutdown({ deadlineMs: 30_000 });
    parentPort.postMessage({ id, undeliveredSpans, readings: stopwatch.readings });
    return;
  }
  await joinConversation(carrier, (c) => stopwatch.step(c, 'tool', () => sleep(2)));
  parentPort.postMessage({ id });
}

parentPort.on('message', (message) => void work(message));
