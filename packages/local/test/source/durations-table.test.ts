import { expect, test } from '@jest/globals';
import { randomFrom } from '@convotel/query/engine';
import type { StepDurationsAsked } from '@convotel/query/engine';
import { durationsTable } from '../../src/source/durations-table.ts';
import { SpanSums } from '../../src/source/span-sums.ts';
import type { RawPart } from '../../src/store/column-reader.ts';

const SINCE = 1_759_881_600_000_000_000n;
const DAY = 86_400_000_000_000n;
const ASKED: StepDurationsAsked = {
  window: { sinceUnixNano: SINCE, untilUnixNano: SINCE + DAY },
  groupBy: undefined,
  traits: true,
  steps: true,
};
const [FAILED, COMPLETED] = [0, 4];

interface Span {
  trace: number;
  stepId: number;
  startNano: bigint;
  durationNano: bigint;
  outcome?: number;
  response?: number;
  model?: string;
}

/** A part of a result with these spans, as DuckDB has it in memory. */
function partOf(spans: readonly Span[]): RawPart {
  const numbers: Record<string, { buffer: ArrayBufferLike }> = {
    trace_id: Uint32Array.from(spans.flatMap(({ trace }) => [trace, 7, 0, trace % 3])),
    start_ns: BigInt64Array.from(spans, ({ startNano }) => startNano),
    duration_ns: BigInt64Array.from(spans, ({ durationNano }) => durationNano),
    step_id: Uint32Array.from(spans, ({ stepId }) => stepId),
    outcome: Uint8Array.from(spans, ({ outcome = COMPLETED }) => outcome),
    depth: new Int32Array(spans.length),
    response_latency_s: Float64Array.from(spans, ({ response = 0 }) => response),
  };
  const validity = new Uint8Array(Math.ceil(spans.length / 8));
  spans.forEach(({ response }, row) => {
    if (response !== undefined) validity[row >>> 3]! |= 1 << (row & 7);
  });
  return {
    rowCount: spans.length,
    items: (name, Items) => {
      const { buffer } = numbers[name]!;
      return new Items(buffer, 0, buffer.byteLength / Items.BYTES_PER_ELEMENT);
    },
    knownItems: (name, Items) => {
      if (name !== 'response_latency_s') return undefined;
      const { buffer } = numbers[name]!;
      return { items: new Items(buffer, 0, buffer.byteLength / Items.BYTES_PER_ELEMENT), validity };
    },
    reader: () => ({ valuesIn: 'some', read: (row) => spans[row]!.model ?? null }),
  };
}

function tableOf(parts: readonly (readonly Span[])[], room?: { conversations: number; cells: number }) {
  const sums = new SpanSums(ASKED, room);
  for (const spans of parts) sums.add(partOf(spans), true);
  const table = durationsTable(sums, (stepId) => `step ${stepId}`);
  return { ...table.conversations, steps: table.columns([...table.steps].sort()) };
}

test('a conversation in numbers, whatever the order of its spans', () => {
  const [root, gpt, retried, tts]: Span[] = [
    { trace: 5, stepId: 0, startNano: SINCE, durationNano: 9_000_000_000n },
    { trace: 5, stepId: 2, startNano: SINCE + 1_000_000_000n, durationNano: 500_000_001n, model: 'b', response: 2.5 },
    { trace: 5, stepId: 2, startNano: SINCE + 2_000_000_000n, durationNano: 5n, outcome: FAILED, model: 'a' },
    { trace: 5, stepId: 3, startNano: SINCE + 3_000_000_000n, durationNano: 61_000_000_000n, response: 1.5 },
  ];
  const expected = {
    traceIds: ['00000002000000000000000700000005'],
    startTimesUnixNano: BigInt64Array.of(SINCE + 1_000_000_000n),
    startsInWindow: Uint8Array.of(1),
    outcomes: ['completed'],
    durationMs: Float64Array.of(63_000),
    stepSumMs: Float64Array.of(61_500.000006),
    responseMs: Float64Array.of(1500),
  };
  for (const spans of [
    [root!, gpt!, retried!, tts!],
    [tts!, retried!, gpt!, root!],
  ]) {
    const { steps, ...conversations } = tableOf([spans]);
    expect(conversations).toEqual(expected);
    expect(steps).toMatchObject([
      { step: 'step 2', rows: Uint32Array.of(0), counted: Uint32Array.of(1), traits: { models: ['a'] } },
      { step: 'step 3', counted: Uint32Array.of(0), completedMs: Float64Array.of(61_000) },
    ]);
    expect(steps[0]!.countedMs).toEqual(Float64Array.of(500.000001));
    expect(steps[0]!.firstOffsetMs).toEqual(Float64Array.of(0));
    expect(steps[1]!.firstOffsetMs).toEqual(Float64Array.of(2000));
  }
});

test('what there was no room for at first changes nothing', () => {
  const random = randomFrom(4);
  const spans = Array.from({ length: 20_000 }, (): Span => ({
    trace: random() % 3_000,
    stepId: random() % 5,
    // Some before the window and some after it.
    startNano: SINCE + (BigInt(random() % 1_000_000) * DAY) / 900_000n - DAY / 20n,
    durationNano: BigInt(random()),
    ...(random() % 2 === 0 && { response: random() / 1e9 }),
  }));
  const parts = Array.from({ length: 20 }, (_none, part) => spans.slice(part * 1_000, part * 1_000 + 1_000));
  const table = tableOf(parts, { conversations: 2, cells: 2 });
  expect(table).toEqual(tableOf(parts));
  const withStep = new Set(spans.filter(({ stepId }) => stepId > 0).map(({ trace }) => trace));
  expect(table.traceIds.length).toBeGreaterThanOrEqual(withStep.size);
  const starts = [...table.startTimesUnixNano];
  expect(starts).toEqual(starts.toSorted((a, b) => (a < b ? -1 : Number(a > b))));
  for (const { rows } of table.steps) expect([...rows]).toEqual([...rows].sort((a, b) => a - b));
});
