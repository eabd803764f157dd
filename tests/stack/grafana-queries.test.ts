import { CONVERSATION_SPAN_NAME, DURATION_BUCKET_BOUNDS_SECONDS, isFailure, isOutcome } from '@convotel/conventions';
import type { SpanRecord } from '@convotel/query';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { dataPanels, readDashboards } from '../grafana/dashboards.ts';
import type { Panel } from '../grafana/dashboards.ts';
import { fillVariables } from '../grafana/promql.ts';
import { EXAMPLE_VALUES } from '../grafana/variable-values.ts';
import { queryNumber, queryPrometheus, queryPrometheusRange } from './reading/prometheus.ts';
import type { Sample } from './reading/prometheus.ts';
import { startStack } from './src/start-stack.ts';
import type { Stack } from './src/start-stack.ts';
import type { LiveProgramOptions } from './src/traffic/live-program.ts';
import { planConversations } from './src/traffic/plan-conversations.ts';
import { runProgram, sendPlan } from './src/traffic/run-program.ts';
import { waitUntil } from './src/wait-until.ts';
import { spansOfPlan } from './truth/spans-of-plan.ts';

const SERVICE = 'voice-bot';
const plan = { prefix: 'grafana', seed: 11, count: 600, firstStartUnixMs: Date.now() - 3_600_000 };
const truth = spansOfPlan(planConversations(plan), SERVICE);
const conversations = truth.filter(({ role }) => role === 'root');
const steps = [...new Set(truth.flatMap(({ step }) => step ?? []))].toSorted();

const STEP = 'gpt';
/** Ten minutes on show. */
const VALUES = { ...EXAMPLE_VALUES, __range: '10m', __range_s: '600', service: SERVICE, step: STEP };
/** Grafana's `$target`, in seconds. */
const TARGET_SECONDS = Number(EXAMPLE_VALUES['target']);

const PANELS = readDashboards().flatMap(([name, dashboard]) =>
  dataPanels(dashboard).map((panel): [string, Panel] => [`${name}: ${panel.title}`, panel]),
);
const panelOf = (place: string): Panel => PANELS.find(([name]) => name === place)![1];

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
  const live: LiveProgramOptions = {
    endpoint: stack.otlpUrl,
    serviceName: 'live-bot',
    conversationIds: ['grafana_live'],
    captureContent: false,
    thinkMs: 1000,
    writesContentElsewhere: false,
  };
  await Promise.all([
    sendPlan({ endpoint: stack.otlpUrl, serviceName: SERVICE, plan }),
    runProgram('live-program', live, { OTEL_METRIC_EXPORT_INTERVAL: '300' }),
  ]);
  await waitUntil('Prometheus to have counted every conversation', async () => {
    const selector = `traces_span_metrics_duration_seconds_count{service_name="${SERVICE}"}`;
    return (await queryNumber(stack.prometheusUrl, `sum(${selector})`)) === truth.length;
  });
  // What is counted becomes an increase with the second look at it; each part is looked at in its own time.
  await waitUntil('Prometheus and its rules to have looked twice at every part', async () => {
    const seen = await Promise.all(
      [
        'service_name:conversation_errors:ratio5m > 0',
        'sum(rate(otelcol_receiver_accepted_spans[1m]))',
        'sum(rate(otelcol_exporter_sent_spans[1m]))',
        'last_over_time(convotel:spans_last_received:timestamp_seconds[1m])',
      ].map((expression) => queryNumber(stack.prometheusUrl, expression)),
    );
    return seen.every((value) => value !== undefined);
  });
});

afterAll(async () => {
  await stack?.stop();
});

/** What Prometheus answers to all queries of a panel, with the dashboard's variables filled in. */
async function ask(panel: Panel, values: Readonly<Record<string, string>> = VALUES): Promise<Sample[][]> {
  return Promise.all(
    panel.targets!.map(async ({ expr, instant }) => {
      const expression = fillVariables(expr, values);
      return instant
        ? queryPrometheus(stack.prometheusUrl, expression)
        : queryPrometheusRange(stack.prometheusUrl, expression, { lastSeconds: 120, stepSeconds: 5 });
    }),
  );
}

async function valueOf(place: string): Promise<number> {
  const [samples] = await ask(panelOf(place));
  expect(samples).toHaveLength(1);
  return samples![0]!.value;
}

/** The spans that completed, their durations in seconds, shortest first. */
function completedSeconds(spans: readonly SpanRecord[]): number[] {
  return spans
    .filter(({ outcome }) => outcome === 'completed')
    .map(({ durationNano }) => Number(durationNano) / 1e9)
    .toSorted((a, b) => a - b);
}

/** What the first answer of each conversation took, in seconds, shortest first. */
function responsesOfPlan(): number[] {
  const byTrace = new Map<string, number[]>();
  for (const { traceId, responseLatencySeconds: seconds } of truth) {
    if (seconds !== undefined) byTrace.set(traceId, [...(byTrace.get(traceId) ?? []), seconds]);
  }
  return [...byTrace.values()].map((each) => Math.min(...each)).toSorted((a, b) => a - b);
}

function failedShare(spans: readonly SpanRecord[]): number {
  return spans.filter(({ outcome }) => isOutcome(outcome) && isFailure(outcome)).length / spans.length;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function bucketOf(seconds: number): number {
  return DURATION_BUCKET_BOUNDS_SECONDS.filter((bound) => bound < seconds).length;
}

describe('every query of every panel', () => {
  test.each(PANELS)('%s: has data, in its unit', async (_, panel) => {
    const { unit } = panel.fieldConfig!.defaults;
    const answers = await waitUntil('each query of the panel to have data', async () => {
      const found = await ask(panel);
      return found.every((samples) => samples.length > 0) && found;
    });
    for (const samples of answers) {
      for (const { value, labels } of samples) {
        expect(Number.isFinite(value)).toBe(true);
        expect(value).toBeGreaterThanOrEqual(0);
        if (unit === 'percentunit') expect(value).toBeLessThanOrEqual(1);
        // The longest step of the plan takes 65 s: milliseconds would be far above. A heatmap's unit is its axis'.
        const seconds = panel.type === 'heatmap' ? Number(labels['le']!.replace('+Inf', '0')) : value;
        if (unit === 's') expect(seconds).toBeLessThan(130);
      }
    }
  });

  test.each(PANELS.filter(([name]) => !name.startsWith('telemetry-health')))(
    '%s: has no value at all without traffic, so that the panel says so',
    async (_, panel) => {
      expect((await ask(panel, { ...VALUES, service: 'nobody' })).flat()).toEqual([]);
    },
  );

  test('none makes NaN of a service that has gone quiet', async () => {
    const quiet = { ...VALUES, __range: '3s', __range_s: '3', __rate_interval: '3s' };
    await waitUntil(
      'the service to have been quiet for so long',
      async () => (await ask(panelOf('conversations.json: Errors'), quiet)).flat().length === 0,
    );
    for (const [place, panel] of PANELS) {
      const values = (await ask(panel, quiet)).flat().map(({ value }) => value);
      // Curves go back to when there was traffic; what counts is that no point is NaN.
      expect([place, values.filter(Number.isNaN)]).toEqual([place, []]);
    }
    for (const place of ['conversations.json: Errors', 'conversations.json: p95', 'step-detail.json: Mean']) {
      expect([place, (await ask(panelOf(place), quiet)).flat()]).toEqual([place, []]);
    }
  });
});

describe('what panels show', () => {
  test('conversations: as many as there were', async () => {
    // Prometheus extends an increase to the edges of its window: right in the long run, not to the unit.
    const count = (await valueOf('conversations.json: Rate')) * 10;
    expect(count / conversations.length).toBeGreaterThan(0.9);
    expect(count / conversations.length).toBeLessThan(1.3);
  });

  test('errors: the share that failed, timed out or were abandoned', async () => {
    expect(await valueOf('conversations.json: Errors')).toBeCloseTo(failedShare(conversations), 2);
    const gpt = truth.filter(({ step }) => step === STEP);
    expect(await valueOf('step-detail.json: Errors')).toBeCloseTo(failedShare(gpt), 2);
  });

  test.each([
    ['p50', 0.5],
    ['p95', 0.95],
  ])('%s: within one bucket of the exact one', async (name, quantile) => {
    const sorted = completedSeconds(conversations);
    const exact = sorted[Math.round((sorted.length - 1) * quantile)]!;
    const estimate = await valueOf(`conversations.json: ${name}`);
    expect(Math.abs(bucketOf(estimate) - bucketOf(exact))).toBeLessThanOrEqual(1);
  });

  test.each([
    ['p50', 0.5],
    ['p95', 0.95],
  ])('response %s: within one bucket of the exact one', async (name, quantile) => {
    const sorted = responsesOfPlan();
    const exact = sorted[Math.round((sorted.length - 1) * quantile)]!;
    const estimate = await valueOf(`conversations.json: Response ${name}`);
    expect(Math.abs(bucketOf(estimate) - bucketOf(exact))).toBeLessThanOrEqual(1);
  });

  test('first output: a curve for each step that has one', async () => {
    const [samples] = await ask(panelOf('conversations.json: First output by step'));
    expect(new Set(samples!.map(({ labels }) => labels['conversation_step_name']))).toEqual(new Set([STEP]));
    const bound = DURATION_BUCKET_BOUNDS_SECONDS.find((each) => each >= 0.25)!;
    expect(samples!.at(-1)!.value).toBeLessThanOrEqual(bound);
  });

  test('within target: the share of all that completed in time', async () => {
    const within = completedSeconds(conversations).filter((seconds) => seconds <= TARGET_SECONDS).length;
    expect(await valueOf('conversations.json: Within ${target:text}')).toBeCloseTo(within / conversations.length, 2);
  });

  test('mean: that of the completed runs', async () => {
    const exact = meanOf(completedSeconds(truth.filter(({ step }) => step === STEP)));
    expect((await valueOf('step-detail.json: Mean')) / exact).toBeCloseTo(1, 4);
  });

  test('where the time goes: a curve a step, each at its mean', async () => {
    const [samples] = await ask(panelOf('conversations.json: Where the time goes'));
    expect([...new Set(samples!.map(({ labels }) => labels['span_name']))].toSorted()).toEqual(steps);
    for (const step of steps) {
      const exact = meanOf(completedSeconds(truth.filter((span) => span.step === step)));
      const last = samples!.findLast(({ labels }) => labels['span_name'] === step)!;
      expect([step, Math.round((last.value / exact) * 10_000)]).toEqual([step, 10_000]);
    }
  });

  test('steps: a row each, whose shares make up the whole', async () => {
    const columns = await ask(panelOf('conversations.json: Steps'));
    for (const column of columns) {
      expect(column.map(({ labels }) => labels['span_name']).toSorted()).toEqual(steps);
    }
    const shares = columns.at(-1)!.map(({ value }) => value);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
  });

  test('steps: neither the conversation itself nor spans of other instrumentations are one', () => {
    expect(truth.some(({ role }) => role === 'other')).toBe(true);
    expect(steps).not.toContain(CONVERSATION_SPAN_NAME);
  });

  test('the newest span: its age, which grows', async () => {
    const age = await valueOf('telemetry-health.json: Age of the newest span');
    expect(age).toBeLessThan(120);
    // The rule says "now" for two of the usual scrapes.
    await waitUntil(
      'it to be a second older',
      async () => (await valueOf('telemetry-health.json: Age of the newest span')) > age + 1,
      { timeoutMs: 60_000 },
    );
  });
});

describe('the choices of variables', () => {
  test.each(readDashboards().flatMap(([, { templating }]) => templating.list.filter(({ type }) => type === 'query')))(
    '$name',
    async ({ name, query }) => {
      const text = fillVariables(typeof query === 'string' ? query : query.query, VALUES);
      const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(text)!;
      const samples = await queryPrometheus(stack.prometheusUrl, `group by (${label}) (${selector})`);
      const choices = samples.map(({ labels }) => labels[label!]).toSorted();
      expect(choices).toEqual(name === 'service' ? ['live-bot', SERVICE] : steps);
    },
  );
});

describe('every rule', () => {
  test('is evaluated without an error', async () => {
    const response = await fetch(`${stack.prometheusUrl}/api/v1/rules`);
    const { data } = (await response.json()) as {
      data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
    };
    const rules = data.groups.flatMap(({ rules: each }) => each);
    expect(rules.length).toBeGreaterThan(30);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  });
});
