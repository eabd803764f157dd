import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readJaegerSpans } from './reading/jaeger-spans.ts';
import { startStack } from './src/start-stack.ts';
import type { Stack } from './src/start-stack.ts';
import { planConversations } from './src/traffic/plan-conversations.ts';
import { sendPlan } from './src/traffic/run-program.ts';
import { waitUntil } from './src/wait-until.ts';
import { spansOfPlan } from './truth/spans-of-plan.ts';

const SERVICE = 'voice-bot';
const firstStartUnixMs = Date.now() - 7_200_000;
const before = { prefix: 'before', seed: 1, count: 100, firstStartUnixMs };
const meanwhile = { prefix: 'meanwhile', seed: 2, count: 300, firstStartUnixMs };
const truth = [before, meanwhile].flatMap((plan) => spansOfPlan(planConversations(plan), SERVICE));

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ programs: ['collector', 'jaeger'], storage: 'badger' });
});

afterAll(async () => {
  await stack?.stop();
});

async function countSpans(): Promise<number> {
  const search = { service: SERVICE, sinceUnixMs: firstStartUnixMs, untilUnixMs: firstStartUnixMs + 3_600_000 };
  const spans = await readJaegerSpans(stack.jaegerUrl, search);
  return new Set(spans.map(({ traceId, spanId }) => `${traceId} ${spanId}`)).size;
}

test('what Jaeger has survives its death, and what it misses waits on disk, though the collector dies too', async () => {
  const endpoint = stack.otlpUrl;
  await sendPlan({ endpoint, serviceName: SERVICE, plan: before });
  const spansBefore = spansOfPlan(planConversations(before), SERVICE).length;
  await waitUntil('Jaeger to have the first part', async () => (await countSpans()) === spansBefore);

  await stack.kill('jaeger');
  const [report] = await sendPlan({ endpoint, serviceName: SERVICE, plan: meanwhile });
  // The program does not notice: the collector took everything.
  expect(report).toMatchObject({ undeliveredSpans: 0 });
  await stack.kill('collector');

  await stack.restart('jaeger');
  expect(await countSpans()).toBe(spansBefore);
  await stack.restart('collector');
  await waitUntil('Jaeger to have everything', async () => (await countSpans()) === truth.length, {
    timeoutMs: 60_000,
  });
});
