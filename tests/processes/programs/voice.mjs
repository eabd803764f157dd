// The third process: an HTTP server that speaks the answer. It ends the conversations that were given away to it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTracing } from '@convotel/sdk';
import { joinConversation } from '@convotel/tracing';
import { report, Stopwatch } from './stopwatch.mjs';

const { count, samplingRatio } = JSON.parse(process.argv[2]);
const tracing = startTracing({ serviceName: 'voice', samplingRatio });
const stopwatch = new Stopwatch();
let answered = 0;

async function speak({ headers }, response) {
  await joinConversation(headers['x-conversation'] ?? headers, { workflow: 'voice' }, async (c) => {
    await stopwatch.step(c, 'tts', () => sleep(2));
    await stopwatch.step(c, 'response', () => sleep(1));
  });
  response.end();
  answered += 1;
  if (answered < count) return;
  server.close();
  const { undeliveredSpans } = await tracing.shutdown({ deadlineMs: 30_000 });
  await report({ undeliveredSpans, readings: stopwatch.readings });
}

const server = createServer((request, response) => void speak(request, response));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
await report({ port: server.address().port });
