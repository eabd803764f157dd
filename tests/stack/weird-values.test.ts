import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { traceIdOf } from '@convotel/conventions';
import { startTracing } from '@convotel/sdk';
import { conversation } from '@convotel/tracing';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { seededRandom, seedOfRun } from '../faults/src/random.ts';
import { useEverywhere, weirdValue } from '../faults/src/sdk/weird-program.ts';
import { readJaegerTrace } from './reading/jaeger-spans.ts';
import { startStack } from './src/start-stack.ts';
import type { Stack } from './src/start-stack.ts';
import { waitUntil } from './src/wait-until.ts';

const VALUES = 2000;
const PROTOCOL = 'OTEL_EXPORTER_OTLP_PROTOCOL';
const seed = seedOfRun();

let stack: Stack;
let folder: string;

beforeEach(async () => {
  stack = await startStack({ programs: ['collector', 'jaeger'] });
  folder = await mkdtemp(join(tmpdir(), 'convotel-weird-'));
});

afterEach(async () => {
  delete process.env[PROTOCOL];
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The sum of all series of one of the collector's own counters; 0 where it has counted nothing yet. */
function counted(metrics: string, name: string): number {
  const lines = metrics.split('\n').filter((line) => new RegExp(`^${name}(?:__spans_|_total)*(?:\\{|\\s)`).test(line));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

test.each(['http/json', 'http/protobuf'])(
  `the collector and Jaeger take every span of ${VALUES} weird values: %s (seed ${seed})`,
  async (protocol) => {
    process.env[PROTOCOL] = protocol;
    const random = seededRandom(seed);
    const warnings: string[] = [];
    const tracing = startTracing({
      endpoint: stack.otlpUrl,
      serviceName: 'weird',
      metrics: false,
      journal: { folder },
      captureContent: 'full',
      shutdownOnSignals: false,
      warn: (message) => void warnings.push(message),
    });
    let thrown = 0;
    for (let index = 0; index < VALUES; index += 1) thrown += await useEverywhere(weirdValue(random), random);
    // The collector hands spans on in the order in which they came: none of those before may hold this one up.
    conversation({ conversationId: 'the last one' }, (c) => c.step('tts', () => 1));
    const { undeliveredSpans } = await tracing.shutdown({ deadlineMs: 120_000 });
    const { finishedSpans, deliveredSpans, droppedSpans } = tracing.report();
    expect(thrown).toBe(0);
    expect({ undeliveredSpans, deliveredSpans, droppedSpans }).toEqual({
      undeliveredSpans: 0,
      deliveredSpans: finishedSpans,
      droppedSpans: {},
    });
    expect(finishedSpans).toBeGreaterThan(VALUES * 5);
    expect(warnings.filter((warning) => /refused|lost|rejected/.test(warning))).toEqual([]);

    const read = async (): Promise<string> => (await fetch(stack.collectorMetricsUrl)).text();
    const metrics = await waitUntil(
      'the collector to have handed every span to Jaeger',
      async () => {
        const text = await read();
        return counted(text, 'otelcol_exporter_sent_spans') >= finishedSpans && text;
      },
      { timeoutMs: 90_000 },
    );
    expect(counted(metrics, 'otelcol_receiver_accepted_spans')).toBe(finishedSpans);
    for (const name of ['receiver_refused', 'receiver_failed', 'exporter_send_failed', 'exporter_enqueue_failed']) {
      expect([name, counted(metrics, `otelcol_${name}_spans`)]).toEqual([name, 0]);
    }
    await waitUntil('Jaeger to have the last conversation', async () => {
      return (await readJaegerTrace(stack.jaegerUrl, traceIdOf('the last one'))).length === 2;
    });
  },
);
