import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { openDuckDbSource, openSpanStore } from '@convotel/local';
import { averages, errors, hours, percentiles, recent, slow, success, summary, type Report } from '@convotel/query';
import { decodeOtlpJson } from '@convotel/query/engine';
import { type Bench, median } from './figure.ts';
import { generateConversation } from './generate-spans.ts';

const CONVERSATIONS = 200_000;
const CONVERSATIONS_PER_APPEND = 500;
const ROUNDS = 9;
const WEEK_MS = 7 * 86_400_000;

/**
 * The commands' questions over 200,000 conversations, in process, what groups add to them, and what a span takes on disk.
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
    const groupable: [string, (by?: string) => Promise<Pick<Report<string, unknown>, 'coverage'>>][] = [
      ['averages', (by) => averages(source, { ...options, by })],
      ['percentiles', (by) => percentiles(source, { ...options, by, step: 'gpt' })],
      ['errors', (by) => errors(source, { ...options, by })],
      ['success', (by) => success(source, { ...options, by })],
    ];
    for (const [name, ask] of groupable) {
      const cpuMs = await measureCpu({
        plain: () => ask(),
        model: () => ask('model'),
        workflow: () => ask('workflow'),
      });
      for (const by of ['model', 'workflow'] as const) {
        report({
          name: `${name} by ${by} / without groups, ${spanCount} spans`,
          value: median(cpuMs[by]) / median(cpuMs.plain),
          unit: '×',
          note: `CPU time ${median(cpuMs[by]).toFixed(0)} ms / ${median(cpuMs.plain).toFixed(0)} ms`,
        });
      }
    }
    await source.close();
  } finally {
    await rm(folder, { recursive: true });
  }
};

/** The CPU time in ms that each of `ways` takes, in turns, so that what slows the machine slows all of them. */
async function measureCpu<Way extends string>(
  ways: Record<Way, () => Promise<Pick<Report<string, unknown>, 'coverage'>>>,
): Promise<Record<Way, number[]>> {
  const names = Object.keys(ways) as Way[];
  const cpuMs = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Way, number[]>;
  const seen = new Set<number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) {
      const start = process.cpuUsage();
      const { coverage } = await ways[name]();
      const { user, system } = process.cpuUsage(start);
      cpuMs[name].push((user + system) / 1000);
      seen.add(coverage.spans);
    }
  }
  if (seen.size !== 1) throw new Error(`the ways read ${[...seen].join(', ')} spans`);
  return cpuMs;
}

async function fill(path: string, startMs: number): Promise<number> {
  const store = await openSpanStore(path);
  const gapMs = WEEK_MS / CONVERSATIONS;
  let spanCount = 0;
  for (let from = 0; from < CONVERSATIONS; from += CONVERSATIONS_PER_APPEND) {
    const spans = Array.from({ length: CONVERSATIONS_PER_APPEND }, (_, index) =>
      generateConversation(startMs + (from + index) * gapMs),
    ).flat();
    const request: unknown = JSON.parse(Buffer.from(JsonTraceSerializer.serializeRequest(spans)!).toString());
    await store.append(decodeOtlpJson(request));
    spanCount += spans.length;
  }
  await store.close();
  return spanCount;
}
