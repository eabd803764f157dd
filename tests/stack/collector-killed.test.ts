import { setTimeout as sleep } from 'node:timers/promises';
import { averages, errors, JaegerSource } from '@convotel/query';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NaiveSource } from '@convotel/suite';
import { readJaegerSpans } from './reading/jaeger-spans.ts';
import { queryNumber } from './reading/prometheus.ts';
import { startStack } from './src/start-stack.ts';
import type { Stack } from './src/start-stack.ts';
import { planConversations } from './src/traffic/plan-conversations.ts';
import { sendPlan } from './src/traffic/run-program.ts';
import { waitUntil } from './src/wait-until.ts';
import { differencesOfAnswers } from './truth/compare-answers.ts';
import { spansOfPlan } from './truth/spans-of-plan.ts';
import { SPAN_METRIC } from '../../grafana/src/queries/prometheus-names.ts';

const SERVICE = 'voice-bot';
const plan = { prefix: 'killed', seed: 99, count: 2000, firstStartUnixMs: Date.now() - 14_400_000 };
const planned = planConversations(plan);
const truth = spansOfPlan(planned, SERVICE);
const sinceUnixMs = plan.firstStartUnixMs;
const untilUnixMs = planned.at(-1)!.startUnixMs + 3_600_000;
/** Of one step, so that one series has them all. */
const REQUESTS = `${SPAN_METRIC.calls}{span_name="request"}`;

let stack: Stack;
let countedBeforeKill: number;
let undeliveredSpans: number;

beforeAll(async () => {
  stack = await startStack();
  const sending = sendPlan({ endpoint: stack.otlpUrl, serviceName: SERVICE, plan, pauseMs: 500 });
  await waitUntil('a part to be counted', async () => ((await queryNumber(stack.prometheusUrl, REQUESTS)) ?? 0) >= 500);
  await stack.kill('collector');
  countedBeforeKill = (await queryNumber(stack.prometheusUrl, REQUESTS))!;
  await sleep(1000);
  await stack.restart('collector');
  [{ undeliveredSpans } = { undeliveredSpans: -1 }] = await sending;
  await waitUntil('Jaeger to have every conversation', async () => new Set(await spanKeys()).size === truth.length);
  await waitUntil('Prometheus to have the last of them', async () => {
    const received = await queryNumber(stack.prometheusUrl, 'sum(otelcol_receiver_accepted_spans)');
    return received !== undefined && received === (await queryNumber(stack.prometheusUrl, `sum(${SPAN_METRIC.calls})`));
  });
});

afterAll(async () => {
  await stack?.stop();
});

async function spanKeys(): Promise<string[]> {
  const spans = await readJaegerSpans(stack.jaegerUrl, { service: SERVICE, sinceUnixMs, untilUnixMs });
  return spans.map(({ traceId, spanId }) => `${traceId} ${spanId}`);
}

test('the collector was killed in the middle, and the program lost nothing by it', () => {
  expect(countedBeforeKill).toBeGreaterThanOrEqual(500);
  expect(countedBeforeKill).toBeLessThan(1900);
  expect(undeliveredSpans).toBe(0);
});

test('no step is missing in Jaeger, and none is counted twice', async () => {
  const source = new JaegerSource(stack.jaegerUrl);
  const window = { sinceUnixNano: BigInt(sinceUnixMs) * 1_000_000n, untilUnixNano: BigInt(untilUnixMs) * 1_000_000n };
  const options = { window, timeZone: 'UTC' };
  const naive = new NaiveSource(truth);
  expect(differencesOfAnswers(await averages(source, options), await averages(naive, options))).toEqual([]);
  expect(differencesOfAnswers(await errors(source, options), await errors(naive, options))).toEqual([]);
  await source.close();
});

test('Prometheus sees one reset of the same series, and goes on from there', async () => {
  expect(await queryNumber(stack.prometheusUrl, `count(${REQUESTS})`)).toBe(1);
  expect(await queryNumber(stack.prometheusUrl, `resets(${REQUESTS}[10m])`)).toBe(1);
  const countedSince = (await queryNumber(stack.prometheusUrl, REQUESTS))!;
  expect(countedSince).toBeLessThan(plan.count);
  // What came after the last look of Prometheus and before the kill is in neither: at most three seconds of sending
  // (the collector hands over every two, Prometheus looks every one), at two hundred conversations a second.
  expect(countedBeforeKill + countedSince).toBeGreaterThanOrEqual(plan.count - 700);
  // Prometheus reckons beyond the samples at both ends of the ten minutes, so this is a rough figure by design.
  const increase = (await queryNumber(stack.prometheusUrl, `increase(${REQUESTS}[10m])`))!;
  expect(increase).toBeGreaterThan(plan.count * 0.5);
  expect(increase).toBeLessThan(plan.count * 1.3);
});
