import { randomInt } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { openDuckDbSource, openSpanStore } from '@convotel/local';
import {
  averages,
  busiest,
  compare,
  correlation,
  errors,
  hours,
  longest,
  percentiles,
  recent,
  type Report,
  satisfaction,
  slow,
  success,
  summary,
  usage,
  type Window,
} from '@convotel/query';
import { decodeOtlpJson } from '@convotel/query/engine';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { type Bench, lowerQuartile, median } from './figure.ts';
import { generateConversation } from './generate-spans.ts';

const CONVERSATIONS = 200_000;
const CONVERSATIONS_PER_APPEND = 500;
const ROUNDS = 9;
const WEEK_MS = 7 * 86_400_000;

/** The spans of the window; a scan that reads nothing else. */
const IN_WINDOW = 'start_ns >= $since_ns AND start_ns < $until_ns';

/** The plainest aggregates with the grouping keys of answers: no names, no coverage, nothing but the numbers themselves. */
const PLAINEST = {
  'per step': `SELECT step_id, count(*), avg(duration_ns), min(duration_ns), max(duration_ns)
    FROM spans WHERE step_id > 0 AND ${IN_WINDOW} GROUP BY step_id`,
  'per step and outcome': `SELECT step_id, outcome, count(*)
    FROM spans WHERE step_id > 0 AND ${IN_WINDOW} GROUP BY step_id, outcome`,
  'quantiles of one step': `SELECT quantile_cont(duration_ns, [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99])
    FROM spans WHERE step_id = (SELECT step_id FROM steps WHERE step = 'gpt') AND outcome = 'completed' AND ${IN_WINDOW}`,
  'per step and model': `SELECT step_id, model, count(*), sum(input_tokens), sum(output_tokens), sum(input_chars)
    FROM spans WHERE step_id > 0 AND ${IN_WINDOW} GROUP BY step_id, model`,
  'per conversation and step': `SELECT count(*), sum(duration_ms)
    FROM (
      SELECT sum(duration_ns) / 1e6 AS duration_ms
      FROM spans WHERE step_id > 0 AND outcome = 'completed' AND ${IN_WINDOW} GROUP BY trace_id, step_id
    )`,
  // Its rows are counted, because handing over 200,000 takes longer than finding them.
  'per conversation': `SELECT count(*), min(first_ns), max(last_ns), avg(response_s)
    FROM (
      SELECT min(start_ns) AS first_ns, max(start_ns + duration_ns) AS last_ns, min(response_latency_s) AS response_s
      FROM spans WHERE step_id IS NOT NULL AND ${IN_WINDOW} GROUP BY trace_id
    )`,
  'how many conversations': `SELECT count(DISTINCT trace_id) FROM spans WHERE step_id IS NOT NULL AND ${IN_WINDOW}`,
} as const;

type Plainest = keyof typeof PLAINEST;

/**
 * The commands' questions over 200,000 conversations, in process, beside the plainest aggregates, what groups add to them,
 * and what a span takes on disk.
 */
export const bench: Bench = async (report) => {
  const folder = await mkdtemp(join(tmpdir(), 'convotel-bench-'));
  try {
    const path = join(folder, 'questions.duckdb');
    const untilMs = Date.now();
    const spanCount = await fill(path, untilMs - WEEK_MS);
    report({
      name: `disk, ${spanCount} spans of ${CONVERSATIONS} conversations`,
      value: (await stat(path)).size / spanCount,
      unit: 'B/span',
      atMost: 60,
    });
    const source = await openDuckDbSource(path);
    const sinceNs = BigInt(untilMs - WEEK_MS) * 1_000_000n;
    const window = { sinceUnixNano: sinceNs, untilUnixNano: BigInt(untilMs + 60_000) * 1_000_000n };
    const newest = await source.ask({ name: 'conversations', order: 'newest', limit: 1 });
    const newestId = newest.data[0]!.conversationId;
    const timeZone = 'Europe/Berlin';
    const options = { window, timeZone };
    const questions: [string, number, () => Promise<Pick<Report<string, unknown>, 'coverage' | 'data'>>][] = [
      ['averages', 60, () => averages(source, options)],
      ['percentiles', 60, () => percentiles(source, { ...options, step: 'gpt' })],
      ['slow', 60, () => slow(source, options)],
      ['errors', 60, () => errors(source, options)],
      ['hours', 60, () => hours(source, options)],
      ['recent', 30, () => recent(source, { timeZone })],
      ['summary of one', 5, () => summary(source, { conversationId: newestId, timeZone })],
    ];
    for (const [name, atMost, ask] of questions) {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const start = performance.now();
        const { coverage, data } = await ask();
        times.push(performance.now() - start);
        if (atMost === 60 && coverage.spans !== spanCount) throw new Error(`${name} read ${coverage.spans} spans`);
        if (data === undefined || (Array.isArray(data) && data.length === 0)) throw new Error(`${name} found nothing`);
      }
      report({
        name: `${name}, ${spanCount} spans`,
        value: median(times),
        unit: 'ms',
        atMost,
        note: `fastest ${Math.min(...times).toFixed(1)} ms of ${ROUNDS}`,
      });
    }
    const beside: [string, readonly Plainest[], () => Promise<Pick<Report<string, unknown>, 'coverage'>>][] = [
      // Also a row about conversations: the response latency.
      ['averages', ['per step', 'per conversation'], () => averages(source, options)],
      ['percentiles of a step', ['quantiles of one step'], () => percentiles(source, { ...options, step: 'gpt' })],
      [
        'percentiles of the response latency',
        ['per conversation'],
        () => percentiles(source, { ...options, step: 'response latency' }),
      ],
      ['success', ['per step and outcome'], () => success(source, options)],
      ['errors', ['per step and outcome'], () => errors(source, options)],
      ['slow', ['per conversation'], () => slow(source, options)],
      ['hours', ['per conversation'], () => hours(source, options)],
      ['busiest', ['per conversation'], () => busiest(source, options)],
      ['longest', ['per conversation'], () => longest(source, options)],
      ['satisfaction', ['per conversation'], () => satisfaction(source, options)],
      ['usage', ['per step and model'], () => usage(source, options)],
      ['correlation', ['per conversation', 'per conversation and step'], () => correlation(source, options)],
      [
        'compare, of two halves',
        ['per step', 'per conversation', 'per conversation and step'],
        () => compare(source, { ...halvesOf(window), timeZone }),
      ],
    ];
    const connection = await (await DuckDBInstance.create(path, { access_mode: 'READ_ONLY' })).connect();
    const bounds = { since_ns: window.sinceUnixNano, until_ns: window.untilUnixNano };
    const plainest = Object.entries(PLAINEST).map(
      ([name, sql]) => [name, async () => void (await connection.runAndReadAll(sql, bounds))] as const,
    );
    const commands = beside.map(([name, , ask]) => {
      const checked = async (): Promise<void> => {
        const { coverage } = await ask();
        if (coverage.spans !== spanCount) throw new Error(`${name} read ${coverage.spans} spans`);
      };
      return [name, checked] as const;
    });
    const cpuMs = await measureCpu(Object.fromEntries<() => Promise<void>>([...plainest, ...commands]));
    const lowMs = (name: string): number => lowerQuartile(cpuMs[name]!);
    for (const [name, keys] of beside) {
      const plainMs = keys.reduce((sum, key) => sum + lowMs(key), 0);
      const counted = keys.includes('per conversation') ? 0 : lowMs('how many conversations');
      report({
        name: `${name} / plainest aggregate, ${spanCount} spans`,
        value: lowMs(name) / plainMs,
        unit: '×',
        atMost: 2.2,
        note:
          `CPU time ${lowMs(name).toFixed(1)} ms / ${keys.map((key) => `${lowMs(key).toFixed(1)} ms ${key}`).join(' + ')}` +
          (counted === 0
            ? ''
            : `; with how many conversations (${counted.toFixed(1)} ms): ${(lowMs(name) / (plainMs + counted)).toFixed(2)} ×`),
      });
    }
    connection.closeSync();
    const groupable: [string, (by?: string) => Promise<Pick<Report<string, unknown>, 'coverage'>>][] = [
      ['averages', (by) => averages(source, { ...options, by })],
      ['percentiles', (by) => percentiles(source, { ...options, by, step: 'gpt' })],
      ['errors', (by) => errors(source, { ...options, by })],
      ['success', (by) => success(source, { ...options, by })],
    ];
    for (const [name, ask] of groupable) {
      const checked = async (by?: string): Promise<void> => {
        const { coverage } = await ask(by);
        if (coverage.spans !== spanCount) throw new Error(`${name} by ${by} read ${coverage.spans} spans`);
      };
      const grouped = await measureCpu({
        plain: () => checked(),
        model: () => checked('model'),
        workflow: () => checked('workflow'),
      });
      for (const by of ['model', 'workflow'] as const) {
        report({
          name: `${name} by ${by} / without groups, ${spanCount} spans`,
          value: median(grouped[by]) / median(grouped.plain),
          unit: '×',
          note: `CPU time ${median(grouped[by]).toFixed(0)} ms / ${median(grouped.plain).toFixed(0)} ms`,
        });
      }
    }
    await source.close();
  } finally {
    await rm(folder, { recursive: true });
  }
};

/** The CPU time in ms that each of `ways` takes, in turns, so that what slows the machine slows all of them. */
async function measureCpu<Way extends string>(ways: Record<Way, () => Promise<void>>): Promise<Record<Way, number[]>> {
  const names = Object.keys(ways) as Way[];
  const cpuMs = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Way, number[]>;
  // The first round, in which caches fill, does not count.
  for (let round = -1; round < ROUNDS; round++) {
    for (const name of names) {
      const start = process.cpuUsage();
      await ways[name]();
      const { user, system } = process.cpuUsage(start);
      if (round >= 0) cpuMs[name].push((user + system) / 1000);
    }
  }
  return cpuMs;
}

function halvesOf({ sinceUnixNano, untilUnixNano }: Window): { before: Window; after: Window } {
  const middle = (sinceUnixNano + untilUnixNano) / 2n;
  return {
    before: { sinceUnixNano, untilUnixNano: middle },
    after: { sinceUnixNano: middle, untilUnixNano },
  };
}

async function fill(path: string, startMs: number): Promise<number> {
  const store = await openSpanStore(path);
  const gapMs = WEEK_MS / CONVERSATIONS;
  let spanCount = 0;
  for (let from = 0; from < CONVERSATIONS; from += CONVERSATIONS_PER_APPEND) {
    const spans = Array.from({ length: CONVERSATIONS_PER_APPEND }, (_, index) =>
      answered(generateConversation(startMs + (from + index) * gapMs)),
    ).flat();
    const request: unknown = JSON.parse(Buffer.from(JsonTraceSerializer.serializeRequest(spans)!).toString());
    await store.append(decodeOtlpJson(request));
    spanCount += spans.length;
  }
  await store.close();
  return spanCount;
}

/** With a response latency, which the root says. */
function answered(conversation: ReadableSpan[]): ReadableSpan[] {
  const root = conversation.at(-1)!;
  root.attributes['conversation.response_latency'] = 1 + randomInt(3000) / 1000;
  return conversation;
}
