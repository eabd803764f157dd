// The second process: takes questions from the Redis list, asks a tool in a thread, and sends the answer on by HTTP.
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { startTracing } from '@convotel/sdk';
import { joinConversation } from '@convotel/tracing';
import Redis from 'ioredis';
import { report, Stopwatch } from './stopwatch.mjs';

const { count, redisPort, voiceUrl, samplingRatio } = JSON.parse(process.argv[2]);
const tracing = startTracing({ serviceName: 'brain', samplingRatio });
const stopwatch = new Stopwatch();
const thread = new Worker(new URL('tool.mjs', import.meta.url), { workerData: { samplingRatio } });
const answers = new Map();
thread.on('message', ({ id, ...result }) => answers.get(id)?.(result));

/** Asks the thread; the carrier says inside which step its work belongs. */
function askTool(id, carrier) {
  const answer = new Promise((resolve) => answers.set(id, resolve));
  thread.postMessage({ id, carrier });
  return answer.finally(() => answers.delete(id));
}

async function think(message) {
  await joinConversation(message.carrier ?? message.id, async (c) => {
    await stopwatch.step(c, 'gpt', async (step) => {
      await sleep(3);
      await askTool(c.id, step.carrier());
    });
    const isOwner = message.carrier?.['convotel-handed-off-root'] !== undefined;
    const headers = message.carrier === undefined ? { 'x-conversation': c.id } : isOwner ? c.handOff() : c.carrier();
    const response = await fetch(voiceUrl, { method: 'POST', headers });
    if (!response.ok) throw new Error(`voice answered ${response.status}`);
  });
}

let taken = 0;
await Promise.all(
  Array.from({ length: 10 }, async () => {
    const redis = new Redis({ port: redisPort, host: '127.0.0.1' });
    while (taken < count) {
      taken += 1;
      const [, text] = await redis.brpop('questions', 0);
      await think(JSON.parse(text));
    }
    await redis.quit();
  }),
);
const { readings, undeliveredSpans: ofThread } = await askTool('end', undefined);
const { undeliveredSpans } = await tracing.shutdown({ deadlineMs: 30_000 });
await thread.terminate();
await report({ undeliveredSpans: undeliveredSpans + ofThread, readings: [...stopwatch.readings, ...readings] });
