import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { COLLECTOR_LABEL, COLLECTOR_METRIC } from '../../grafana/src/queries/collector-metrics.ts';
import { findFreePorts } from './src/free-ports.ts';
import { startStack } from './src/start-stack.ts';
import type { Stack } from './src/start-stack.ts';
import { waitUntil } from './src/wait-until.ts';

/** The least that the batches of `collector.yaml` allow. */
const QUEUE_BYTES = 1_000_000;

let stack: Stack;

beforeAll(async () => {
  // A collector in trouble: it sends to a port of Jaeger that knows nothing of OTLP, and its queue is small.
  const [wrongPort] = await findFreePorts(1);
  stack = await startStack({
    programs: ['jaeger', 'collector'],
    ports: { jaegerQueryGrpc: wrongPort! },
    environment: { JAEGER_OTLP_ADDRESS: `127.0.0.1:${wrongPort}`, COLLECTOR_QUEUE_BYTES: String(QUEUE_BYTES) },
  });
  expect((await sendSpan('x')).status).toBe(200);
  // Larger than the whole queue.
  expect((await sendSpan('x'.repeat(2 * QUEUE_BYTES))).ok).toBe(false);
});

afterAll(async () => {
  await stack?.stop();
});

function sendSpan(text: string): Promise<Response> {
  const span = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    name: 'gpt',
    kind: 1,
    startTimeUnixNano: '1795375000000000000',
    endTimeUnixNano: '1795375001000000000',
    attributes: [{ key: 'text', value: { stringValue: text } }],
  };
  return fetch(`${stack.otlpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
  });
}

/** Names and values of the series that the collector shows of itself, with labels as they stand there. */
async function readSeries(): Promise<Map<string, number>> {
  const page = await (await fetch(stack.collectorMetricsUrl)).text();
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

function valueOf(series: Map<string, number>, metric: string): number | undefined {
  return [...series].find(([name]) => name === metric || name.startsWith(`${metric}{`))?.[1];
}

test.each(Object.entries(COLLECTOR_METRIC))('the collector has %s under the name %s', async (_, metric) => {
  await waitUntil(`the collector to show ${metric}`, async () => valueOf(await readSeries(), metric) !== undefined);
});

test('spans are counted where the dashboards look for them', async () => {
  // Both counts of failures have settled when the one that takes longest has.
  await waitUntil('a span to be given up on', async () => {
    return valueOf(await readSeries(), COLLECTOR_METRIC.sendFailedSpans) === 1;
  });
  const series = await readSeries();
  expect(valueOf(series, COLLECTOR_METRIC.acceptedSpans)).toBe(1);
  expect(valueOf(series, COLLECTOR_METRIC.enqueueFailedSpans)).toBe(1);
  const turnedAway = valueOf(series, COLLECTOR_METRIC.refusedSpans)! + valueOf(series, COLLECTOR_METRIC.failedSpans)!;
  expect(turnedAway).toBe(1);
  expect(valueOf(series, COLLECTOR_METRIC.queueCapacity)).toBe(QUEUE_BYTES);
});

test('series have the labels by which the dashboards tell them apart', async () => {
  const names = [...(await readSeries()).keys()];
  const of = (metric: string): string => names.find((name) => name.startsWith(`${metric}{`))!;
  for (const label of [COLLECTOR_LABEL.receiver, COLLECTOR_LABEL.transport]) {
    expect(of(COLLECTOR_METRIC.acceptedSpans)).toContain(`${label}="`);
    expect(of(COLLECTOR_METRIC.refusedSpans)).toContain(`${label}="`);
  }
  for (const metric of [COLLECTOR_METRIC.queueSize, COLLECTOR_METRIC.sendFailedSpans]) {
    expect(of(metric)).toContain(`${COLLECTOR_LABEL.exporter}="`);
  }
});
