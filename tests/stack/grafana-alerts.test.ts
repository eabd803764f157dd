import { startTracing } from '@convotel/sdk';
import type { Tracing } from '@convotel/sdk';
import { conversation } from '@convotel/tracing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startStack } from './src/start-stack.ts';
import type { Stack } from './src/start-stack.ts';
import { waitUntil } from './src/wait-until.ts';

const SERVICE = 'alerted-bot';
const ALERT = 'ConversationErrorsPage';

interface Alert {
  state: 'pending' | 'firing';
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

let stack: Stack;
let tracing: Tracing;

beforeAll(async () => {
  stack = await startStack({ programs: ['collector', 'prometheus'] });
  tracing = startTracing({ serviceName: SERVICE, endpoint: stack.otlpUrl });
});

afterAll(async () => {
  await tracing?.shutdown();
  await stack?.stop();
});

/** Has conversations, one after the other, whose only step answers or fails, and waits until they are delivered. */
async function converse(count: number, answer: () => string): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await conversation({ workflow: 'voice' }, (c) => c.step('gpt', async () => answer())).catch((error: unknown) => {
      expect(error).toMatchObject({ message: 'API rate limit exceeded' });
    });
    // What waits to be sent has bounds.
    if (index % 500 === 499) await tracing.flush();
  }
  await tracing.flush();
}

function fail(): never {
  throw new Error('API rate limit exceeded');
}

/** The alerts of the service, those that wait to fire too. */
async function readAlerts(): Promise<Alert[]> {
  const response = await fetch(`${stack.prometheusUrl}/api/v1/alerts`);
  const { data } = (await response.json()) as { data: { alerts: Alert[] } };
  return data.alerts.filter(({ labels }) => labels['service_name'] === SERVICE);
}

test('an alert fires when a burst of conversations fails, says what to do, and ends when they succeed again', async () => {
  await converse(100, () => 'hello');
  await waitUntil('Prometheus to have seen the good ones', async () => {
    const response = await fetch(
      `${stack.prometheusUrl}/api/v1/query?${new URLSearchParams({ query: 'service_name:conversations:increase5m > 0' })}`,
    );
    return ((await response.json()) as { data: { result: unknown[] } }).data.result.length === 1;
  });
  expect(await readAlerts()).toEqual([]);

  await converse(50, fail);
  const firing = await waitUntil('the alert to fire', async () => {
    return (await readAlerts()).find(({ labels, state }) => labels['alertname'] === ALERT && state === 'firing');
  });
  expect(firing.labels).toMatchObject({ service_name: SERVICE, severity: 'page' });
  expect(firing.annotations['summary']).toBe(`Conversations of ${SERVICE} fail`);
  expect(firing.annotations['description']).toMatch(/^\d+(\.\d+)?% of the conversations of alerted-bot failed/);
  expect(firing.annotations['runbook_url']).toBe('docs/runbooks/conversation-errors.md');

  // Among so many good ones the fifty are less than the budget allows, over every window.
  await converse(5000, () => 'hello');
  await waitUntil('the alert to end', async () => {
    return (await readAlerts()).every(({ labels }) => labels['alertname'] !== ALERT);
  });
});
