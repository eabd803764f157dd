import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { conversationIdsOf } from '@convotel/conventions';
import { startRedis } from './redis-server.ts';
import type { RedisServer } from './redis-server.ts';
import { startSpanReceiver } from './span-receiver.ts';
import type { ReceivedSpan, SpanReceiver } from './span-receiver.ts';

const PROGRAMS = join(dirname(fileURLToPath(import.meta.url)), 'programs');
const TIMEOUT_MS = 240_000;
const STEPS = ['request', 'stt', 'gpt', 'tool', 'tts', 'response'];

let redis: RedisServer;
let receiver: SpanReceiver;
const children: ChildProcess[] = [];

beforeAll(async () => {
  redis = await startRedis();
}, TIMEOUT_MS);

afterAll(() => redis?.stop());

beforeEach(async () => {
  receiver = await startSpanReceiver();
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await receiver.stop();
});

/** One step by the stopwatch of the program that ran it. */
interface Reading {
  id: string;
  name: string;
  insideMs: number;
  outsideMs: number;
}

interface Report {
  undeliveredSpans: number;
  readings: Reading[];
}

interface Program {
  /** The next line of JSON that the program prints; rejects when it ends without. */
  next<Line>(): Promise<Line>;
}

function start(name: string, settings: object): Program {
  const child = spawn(process.execPath, [join(PROGRAMS, name), JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_METRICS_EXPORTER: 'none',
    },
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async next<Line>() {
      const { value, done } = (await lines.next()) as { value: string; done?: boolean };
      if (done === true) throw new Error(`${name} ended (${child.exitCode ?? child.signalCode}) without a report`);
      return JSON.parse(value) as Line;
    },
  };
}

/** Sends `count` conversations through the three processes and the thread; the stopwatches of all of them. */
async function converse(prefix: string, count: number, samplingRatio?: number): Promise<Reading[]> {
  const shared = { prefix, count, samplingRatio, redisPort: redis.port };
  const voice = start('voice.mjs', shared);
  const { port } = await voice.next<{ port: number }>();
  const brain = start('brain.mjs', { ...shared, voiceUrl: `http://127.0.0.1:${port}/` });
  const front = start('front.mjs', shared);
  const reports = await Promise.all([front, brain, voice].map((program) => program.next<Report>()));
  expect(reports.map(({ undeliveredSpans }) => undeliveredSpans)).toEqual([0, 0, 0]);
  return reports.flatMap(({ readings }) => readings);
}

function byTrace(): Map<string, ReceivedSpan[]> {
  const traces = new Map<string, ReceivedSpan[]>();
  for (const span of receiver.spans) traces.set(span.traceId, [...(traces.get(span.traceId) ?? []), span]);
  return traces;
}

const newPrefix = (): string => `p${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;

describe('three processes and a thread, over Redis and HTTP', () => {
  test(
    'make one conversation of 1,000 each, half of them by carrier and half by id alone',
    async () => {
      const count = 1000;
      const prefix = newPrefix();
      const readings = await converse(prefix, count);
      const traces = byTrace();
      const wrong: string[] = [];
      for (let index = 0; index < count; index += 1) {
        const id = `${prefix}-${index}`;
        const { traceId, rootSpanId } = conversationIdsOf(id);
        const fault = faultIn(traces.get(traceId) ?? [], rootSpanId, index);
        if (fault !== undefined) wrong.push(`${id}: ${fault}`);
      }
      expect(wrong).toEqual([]);
      expect(traces.size).toBe(count);
      expect(receiver.spans).toHaveLength(count * 7);
      expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size).toBe(count * 7);
      expectDurationsOf(readings, count);
    },
    TIMEOUT_MS,
  );

  test(
    'agree on which conversations are kept',
    async () => {
      const count = 200;
      await converse(newPrefix(), count, 0.5);
      const traces = byTrace();
      const sizes = new Set([...traces.values()].map((spans) => spans.length));
      expect(sizes).toEqual(new Set([7]));
      // Of 200 fair coins, fewer than 50 or more than 150 heads come up once in 10^12 runs.
      expect(traces.size).toBeGreaterThan(50);
      expect(traces.size).toBeLessThan(150);
    },
    TIMEOUT_MS,
  );
});

/** What is wrong with the trace of the conversation number `index`; undefined when all is as it should be. */
function faultIn(spans: readonly ReceivedSpan[], rootSpanId: string, index: number): string | undefined {
  const names = spans.map(({ name }) => name).toSorted();
  if (names.join() !== [...STEPS, 'conversation'].toSorted().join()) return `has the spans ${names.join()}`;
  const of = (name: string): ReceivedSpan => spans.find((span) => span.name === name)!;
  const root = of('conversation');
  if (root.spanId !== rootSpanId || root.parentSpanId !== undefined) return 'the root has other ids';
  if (root.service !== (index % 4 === 2 ? 'voice' : 'front')) return `the root is of ${String(root.service)}`;
  if (root.startMs > of('request').startMs) return 'the root starts after its first step';
  for (const name of STEPS) {
    const { parentSpanId, attributes } = of(name);
    const parent = name === 'tool' ? of('gpt') : root;
    if (parentSpanId !== parent.spanId) return `${name} is not inside ${parent.name}`;
    const depth = attributes['conversation.step.depth'];
    if (Number(depth ?? 0) !== (name === 'tool' ? 1 : 0)) return `${name} has depth ${String(depth)}`;
    if (attributes['conversation.outcome'] !== 'completed') return `${name} is not completed`;
    const isWorkflowKnown = index % 2 === 0 || !['gpt', 'tool'].includes(name);
    if (isWorkflowKnown && attributes['gen_ai.workflow.name'] !== 'voice') return `${name} has no workflow`;
    const isAnswer = index % 2 === 0 && ['tts', 'response'].includes(name);
    if (isAnswer !== 'conversation.response_latency' in attributes) return `${name}: response latency`;
  }
  return undefined;
}

/** A span lasts at least as long as the function in it, and at most as long as the call of the step around it. */
function expectDurationsOf(readings: readonly Reading[], count: number): void {
  expect(readings).toHaveLength(count * STEPS.length);
  const durations = new Map(
    receiver.spans.map(({ name, attributes, durationMs }) => [
      `${String(attributes['conversation.id'])} ${name}`,
      durationMs,
    ]),
  );
  const wrong = readings.filter(({ id, name, insideMs, outsideMs }) => {
    const durationMs = durations.get(`${id} ${name}`)!;
    return !(durationMs >= insideMs - 0.1 && durationMs <= outsideMs + 0.1);
  });
  expect(wrong).toEqual([]);
}
