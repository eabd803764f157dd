import { setTimeout as sleep } from 'node:timers/promises';
import { startConversation } from '@convotel/tracing';
import { context, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { median } from './figure.ts';
import type { Bench } from './figure.ts';
import { startModelServer } from './model-server.ts';
import { kindsOfResults } from './kinds-of-results.ts';
import type { Condition, KindOfResult } from './kinds-of-results.ts';

const REPEATS = 5;
const MAX_DIFFERENCE_MS = 5;
const MAX_DIFFERENCE_SHARE = 0.01;

/** What each condition should be recorded as. */
const EXPECTED: Readonly<Record<Condition, string>> = {
  complete: 'completed',
  error: 'failed',
  left: 'interrupted',
  aborted: 'interrupted',
  'timed out': 'timed_out',
  unread: 'interrupted',
  hung: 'timed_out',
};
const TIMEOUT_MS = 120;

interface Times {
  durationMs: number;
  firstOutputMs: number | undefined;
}

/** One row a kind of result and client: what a stopwatch at the consumer says beside what was recorded, and outcomes. */
export const bench: Bench = async (report) => {
  trace.disable();
  context.disable();
  const exporter = new InMemorySpanExporter();
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
  const server = await startModelServer(40);
  const row = (cells: readonly string[]): void => console.log(cells.map((cell, i) => cell.padEnd(WIDTHS[i]!)).join(''));
  row(['', 'real ms', 'recorded', 'first output', 'recorded', 'outcomes']);
  let worstMs = 0;
  let worstShare = 0;
  let checked = 0;
  let wrong = 0;
  for (const kind of kindsOfResults(server.url)) {
    const { real, recorded } = await timesOf(kind, exporter);
    const outcomes: string[] = [];
    for (const condition of kind.conditions) {
      const expected = kind.expected?.[condition] ?? EXPECTED[condition];
      const [span] = await runOnce(kind, condition, exporter);
      const outcome = String(span?.attributes['conversation.outcome'] ?? 'no span');
      checked += 1;
      if (outcome !== expected) outcomes.push(`${condition}: ${outcome} instead of ${expected}`);
    }
    wrong += outcomes.length;
    const right = kind.conditions.length - outcomes.length;
    outcomes.unshift(`${right} of ${kind.conditions.length} right`);
    for (const key of ['durationMs', 'firstOutputMs'] as const) {
      if (real[key] === undefined) continue;
      const differenceMs = Math.abs(real[key] - (recorded[key] ?? 0));
      worstMs = Math.max(worstMs, differenceMs);
      worstShare = Math.max(
        worstShare,
        Math.min(differenceMs / MAX_DIFFERENCE_MS, differenceMs / real[key] / MAX_DIFFERENCE_SHARE),
      );
    }
    const cells = [real.durationMs, recorded.durationMs, real.firstOutputMs, recorded.firstOutputMs];
    row([kind.name, ...cells.map((ms) => ms?.toFixed(1) ?? '-'), outcomes.join('; ')]);
  }
  await server.stop();
  report({
    name: 'largest difference, as a share of what is allowed',
    value: worstShare,
    unit: '×',
    atMost: 1,
    note: `${worstMs.toFixed(1)} ms; allowed are ${MAX_DIFFERENCE_MS} ms or 1 %, medians of ${REPEATS}`,
  });
  report({ name: 'outcomes that are wrong', value: wrong, unit: 'outcomes', atMost: 0, note: `of ${checked}` });
};

const WIDTHS = [42, 10, 10, 14, 10, 0];

async function timesOf(kind: KindOfResult, exporter: InMemorySpanExporter): Promise<{ real: Times; recorded: Times }> {
  const all: { real: Times; recorded: Times }[] = [];
  for (let repeat = 0; repeat <= REPEATS; repeat += 1) {
    const [span, real] = await runOnce(kind, 'complete', exporter);
    if (span === undefined) throw new Error(`${kind.name} left no span`);
    const seconds = span.attributes['conversation.step.time_to_first_output'];
    const firstOutputMs = typeof seconds === 'number' ? seconds * 1000 : undefined;
    // The first one loads and compiles.
    if (repeat > 0) all.push({ real, recorded: { durationMs: durationMsOf(span), firstOutputMs } });
  }
  const medianOf = (side: 'real' | 'recorded'): Times => {
    const firsts = all.map((each) => each[side].firstOutputMs).filter((ms) => ms !== undefined);
    return {
      durationMs: median(all.map((each) => each[side].durationMs)),
      firstOutputMs: firsts.length === 0 ? undefined : median(firsts),
    };
  };
  return { real: medianOf('real'), recorded: medianOf('recorded') };
}

async function runOnce(
  kind: KindOfResult,
  condition: Condition,
  exporter: InMemorySpanExporter,
): Promise<[ReadableSpan | undefined, Times]> {
  exporter.reset();
  const call = startConversation();
  const controller = new AbortController();
  const options = {
    ...kind.options,
    ...(condition === 'hung' || condition === 'timed out' ? { timeoutMs: TIMEOUT_MS } : {}),
  };
  const startMs = performance.now();
  let firstOutputMs: number | undefined;
  let endMs: number | undefined;
  const seen = (): boolean => {
    firstOutputMs ??= performance.now() - startMs;
    if (condition === 'aborted') controller.abort();
    return condition === 'left';
  };
  const work = async (): Promise<void> => {
    const result = call.step('gpt', options, () => kind.make(condition, controller.signal));
    if (condition === 'unread') {
      await kind.skip(result);
      return;
    }
    if (condition === 'aborted' && !kind.isStream) setTimeout(() => controller.abort(), 30);
    await kind.consume(result, seen);
    endMs = performance.now() - startMs;
  };
  const span = (): ReadableSpan | undefined => exporter.getFinishedSpans().find(({ name }) => name === 'gpt');
  // What hangs is not waited for, only the end of its span.
  const isOver = await Promise.race([
    work().then(
      () => true,
      () => true,
    ),
    untilSpan(span, condition),
  ]);
  call.end();
  if (isOver) await untilSpan(span, condition);
  return [span(), { durationMs: endMs ?? 0, firstOutputMs: kind.isStream ? firstOutputMs : undefined }];
}

async function untilSpan(span: () => ReadableSpan | undefined, condition: Condition): Promise<boolean> {
  const deadlineMs = performance.now() + (condition === 'complete' ? 10_000 : 2000);
  while (span() === undefined && performance.now() < deadlineMs) await sleep(1);
  return false;
}

function durationMsOf({ duration: [seconds, nanoseconds] }: ReadableSpan): number {
  return seconds * 1000 + nanoseconds / 1e6;
}
