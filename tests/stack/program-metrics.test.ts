import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { queryNumber, queryPrometheus } from './reading/prometheus.ts';
import { startStack } from './src/start-stack.ts';
import type { Stack } from './src/start-stack.ts';
import type { LiveProgramOptions } from './src/traffic/live-program.ts';
import { runProgram } from './src/traffic/run-program.ts';
import { waitUntil } from './src/wait-until.ts';

const SERVICE = 'voice-bot';
const OF_SERVICE = `{service_name="${SERVICE}"}`;

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ programs: ['collector', 'prometheus'] });
});

afterAll(async () => {
  await stack?.stop();
});

test('two processes of one service are counted side by side while they work, and return to 0', async () => {
  const programs = ['first', 'second'].map((conversationId) => {
    const options: LiveProgramOptions = {
      endpoint: stack.otlpUrl,
      serviceName: SERVICE,
      conversationIds: [conversationId],
      captureContent: false,
      thinkMs: 15_000,
      writesContentElsewhere: false,
    };
    return runProgram('live-program', options, { OTEL_METRIC_EXPORT_INTERVAL: '300' });
  });

  const ask = (expression: string): Promise<number | undefined> => queryNumber(stack.prometheusUrl, expression);
  await waitUntil(
    'both to be in a conversation',
    async () => (await ask(`sum(conversation_active${OF_SERVICE})`)) === 2,
  );
  const active = await waitUntil('both to be in a step', async () => {
    const found = await queryPrometheus(stack.prometheusUrl, `conversation_step_active{service_name="${SERVICE}"} > 0`);
    return found.length === 2 && found;
  });
  expect(active.map(({ labels, value }) => [labels['conversation_step_name'], value])).toEqual([
    ['gpt', 1],
    ['gpt', 1],
  ]);
  expect(new Set(active.map(({ labels }) => labels['instance'])).size).toBe(2);

  await Promise.all(programs);
  // Prometheus may have fetched from one of the two only, so each number is waited for.
  const waitFor = (expression: string, isRight: (value: number) => boolean): Promise<unknown> =>
    waitUntil(`${expression} to be right`, async () => isRight((await ask(expression)) ?? Number.NaN));
  await waitFor(`sum(conversation_active${OF_SERVICE})`, (active) => active === 0);
  await waitFor(`sum(conversation_step_active${OF_SERVICE})`, (active) => active === 0);
  await waitFor(`sum(conversation_step_time_to_first_output_seconds_count${OF_SERVICE})`, (count) => count === 2);
  await waitFor(`sum(conversation_step_timing_seconds_count${OF_SERVICE})`, (count) => count === 2);
  await waitFor(`sum(conversation_step_timing_seconds_sum${OF_SERVICE})`, (sum) => Math.abs(sum - 0.16) < 0.001);
});
