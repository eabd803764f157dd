// The first process: hears the user, and puts the question on a Redis list. It begins every conversation.
import { setTimeout as sleep } from 'node:timers/promises';
import { startTracing } from '@convotel/sdk';
import { conversation } from '@convotel/tracing';
import Redis from 'ioredis';
import { report, Stopwatch } from './stopwatch.mjs';

const { prefix, count, redisPort, samplingRatio } = JSON.parse(process.argv[2]);
const tracing = startTracing({ serviceName: 'front', samplingRatio });
const redis = new Redis({ port: redisPort, host: '127.0.0.1' });
const stopwatch = new Stopwatch();

async function talk(index) {
  const conversationId = `${prefix}-${index}`;
  await conversation({ conversationId, workflow: 'voice', sessionId: `${prefix}-caller` }, async (c) => {
    await stopwatch.step(c, 'request', () => sleep(index % 7));
    await stopwatch.step(c, 'stt', () => sleep(index % 5));
    // Every other conversation travels by its id alone; of the others, half are given away altogether.
    const message = index % 2 === 1 ? { id: c.id } : { carrier: index % 4 === 0 ? c.carrier() : c.handOff() };
    await redis.lpush('questions', JSON.stringify(message));
  });
}

let next = 0;
await Promise.all(
  Array.from({ length: 20 }, async () => {
    while (next < count) await talk(next++);
  }),
);
await redis.quit();
const { undeliveredSpans } = await tracing.shutdown({ deadlineMs: 30_000 });
await report({ undeliveredSpans, readings: stopwatch.readings });
