import { DURATION_BUCKET_BOUNDS_SECONDS } from '@convotel/conventions';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readJaegerTrace } from './reading/jaeger-spans.ts';
import { queryExemplars, queryNumber, queryPrometheus } from './reading/prometheus.ts';
import { startStack } from './src/start-stack.ts';
import type { Stack } from './src/start-stack.ts';
import { planConversations } from './src/traffic/plan-conversations.ts';
import { sendPlan } from './src/traffic/run-program.ts';
import { waitUntil } from './src/wait-until.ts';
import { spansOfPlan } from './truth/spans-of-plan.ts';
import { SPAN_METRIC } from '../../grafana/src/queries/prometheus-names.ts';

const SERVICE = 'voice-bot';
const plan = { prefix: 'counted-conversation', seed: 7, count: 2000, firstStartUnixMs: Date.now() - 14_400_000 };
const truth = spansOfPlan(planConversations(plan), SERVICE);
const steps = [...new Set(truth.flatMap(({ step }) => step ?? []))];

let stack: Stack;
let sender: { endpoint: string; serviceName: string };

beforeAll(async () => {
  stack = await startStack();
  // Two processes of one service: what one of them did must not hide what the other did.
  // They take their time, because Prometheus keeps no exemplar of a series that is new to it.
  sender = { endpoint: stack.otlpUrl, serviceName: SERVICE };
  await sendPlan({ ...sender, plan, processes: 2, pauseMs: 500 });
  await waitUntil('Prometheus to have counted every span', async () => {
    return (await queryNumber(stack.prometheusUrl, `sum(${SPAN_METRIC.calls})`)) === truth.length;
  });
});

afterAll(async () => {
  await stack?.stop();
});

test('Prometheus counts every span once, by name, status and outcome', async () => {
  const expected = new Map<string, number>();
  for (const { role, name, outcome } of truth) {
    const status = outcome === 'failed' || outcome === 'timed_out' ? 'STATUS_CODE_ERROR' : 'STATUS_CODE_UNSET';
    const key = `${SERVICE} ${name} ${status} ${role === 'other' ? undefined : outcome}`;
    expected.set(key, (expected.get(key) ?? 0) + 1);
  }
  const samples = await queryPrometheus(stack.prometheusUrl, SPAN_METRIC.calls);
  const counted = samples.map(({ labels, value }) => [
    `${labels['service_name']} ${labels['span_name']} ${labels['status_code']} ${labels['conversation_outcome']}`,
    value,
  ]);
  expect(Object.fromEntries(counted)).toEqual(Object.fromEntries(expected));
  // One series each: a process of its own makes none of its own.
  expect(samples).toHaveLength(expected.size);
});

test('the buckets are those of the conventions', async () => {
  const samples = await queryPrometheus(stack.prometheusUrl, `sum by (le) (${SPAN_METRIC.duration}_bucket)`);
  const bounds = samples.map(({ labels }) => Number(labels['le'] === '+Inf' ? Infinity : labels['le']));
  expect(bounds.toSorted((a, b) => a - b)).toEqual([...DURATION_BUCKET_BOUNDS_SECONDS, Infinity]);
});

test.each(steps.flatMap((step) => [0.5, 0.9, 0.95].map((quantile) => [step, quantile] as const)))(
  'the percentile of %s at %d is within one bucket of the exact one',
  async (step, quantile) => {
    const selector = `${SPAN_METRIC.duration}_bucket{span_name="${step}",conversation_outcome="completed"}`;
    const estimate = await queryNumber(
      stack.prometheusUrl,
      `histogram_quantile(${quantile}, sum by (le) (${selector}))`,
    );
    const durations = truth.filter((span) => span.step === step && span.outcome === 'completed');
    const sorted = durations.map(({ durationNano }) => Number(durationNano) / 1e9).toSorted((a, b) => a - b);
    const exact = sorted[Math.round((sorted.length - 1) * quantile)]!;
    expect(Math.abs(bucketOf(estimate!) - bucketOf(exact))).toBeLessThanOrEqual(1);
  },
);

function bucketOf(seconds: number): number {
  const index = DURATION_BUCKET_BOUNDS_SECONDS.findIndex((bound) => seconds <= bound);
  return index === -1 ? DURATION_BUCKET_BOUNDS_SECONDS.length : index;
}

test('an exemplar names a trace that Jaeger opens, and in it the span', async () => {
  let attempt = 0;
  const exemplar = await waitUntil('Prometheus to have an exemplar', async () => {
    const [first] = await queryExemplars(stack.prometheusUrl, `${SPAN_METRIC.duration}_bucket{span_name="gpt"}`);
    // Prometheus keeps no exemplar of a series that is new to it, so there must be a later one.
    if (first === undefined) await sendPlan({ ...sender, plan: { ...plan, prefix: `later-${attempt++}`, count: 20 } });
    return first;
  });
  const { trace_id: traceId, span_id: spanId } = exemplar;
  const spans = await readJaegerTrace(stack.jaegerUrl, traceId!);
  expect(spans.find((span) => span.spanId === spanId)).toMatchObject({ name: 'gpt', traceId });
});

test('no metric has a conversation id or a text for a label', async () => {
  const samples = await queryPrometheus(stack.prometheusUrl, `{__name__=~"traces_.+|conversation.+|target_info"}`);
  expect(samples.length).toBeGreaterThan(0);
  expect(samples.filter(({ labels }) => Object.values(labels).some((value) => value.includes(plan.prefix)))).toEqual(
    [],
  );
});
