import { describe, expect, test } from '@jest/globals';
import type { SpanRecord } from '@convotel/query';
import { stepSpan } from '@convotel/suite';
import { criticalPath, exclusiveNano } from '../../../src/answers/explain/explanation.ts';
import type { PathPart } from '../../../src/answers/explain/explanation.ts';
import { randomFrom } from '../../../src/answers/compare/bootstrap-means.ts';

/** Steps by name: [start, end]. */
function steps(times: Record<string, readonly [number, number]>): SpanRecord[] {
  return Object.entries(times).map(([step, [start, end]]) => ({
    traceId: '1'.padStart(32, '0'),
    spanId: step,
    name: step,
    role: 'step',
    step,
    depth: 0,
    outcome: 'completed',
    isRecovered: false,
    startTimeUnixNano: BigInt(start),
    durationNano: BigInt(end - start),
  }));
}

function pathOf(times: Record<string, readonly [number, number]>): (readonly [string, number, number])[] {
  return criticalPath(steps(times)).map(({ span, start, end }) => [span?.step ?? '—', Number(start), Number(end)]);
}

describe('the critical path', () => {
  test('of steps one after the other is all of them, with the gaps between', () => {
    expect(pathOf({ stt: [0, 10], gpt: [15, 40], tts: [40, 50] })).toEqual([
      ['stt', 0, 10],
      ['—', 10, 15],
      ['gpt', 15, 40],
      ['tts', 40, 50],
    ]);
  });

  test('leaves out what ran beside a longer step', () => {
    expect(pathOf({ 'slow tool': [0, 60], 'fast tool': [0, 40], gpt: [60, 80] })).toEqual([
      ['slow tool', 0, 60],
      ['gpt', 60, 80],
    ]);
  });

  test('follows a pipeline back through what each step was waiting for', () => {
    expect(pathOf({ gpt: [0, 60], tts: [40, 80], playback: [50, 90] })).toEqual([
      ['gpt', 0, 40],
      ['tts', 40, 50],
      ['playback', 50, 90],
    ]);
  });

  test('has nothing but a step that spans all others', () => {
    expect(pathOf({ session: [0, 100], stt: [10, 20], gpt: [20, 90] })).toEqual([['session', 0, 100]]);
  });

  test('is empty without steps, and of steps that took no time', () => {
    expect(pathOf({})).toEqual([]);
    expect(pathOf({ cache: [5, 5] })).toEqual([]);
    expect(pathOf({ cache: [5, 5], gpt: [8, 9] })).toEqual([
      ['—', 5, 8],
      ['gpt', 8, 9],
    ]);
  });

  test('covers any conversation from its first start to its last end, without holes or overlaps', () => {
    const random = randomFrom(31);
    const whole = (below: number): number => Math.floor((random() / 0x1_0000_0000) * below);
    for (let conversation = 0; conversation < 500; conversation++) {
      const times = Object.fromEntries(
        Array.from({ length: 1 + whole(8) }, (_none, index) => {
          const start = whole(50);
          return [`step ${index}`, [start, start + whole(30)] as const];
        }),
      );
      const path = pathOf(times);
      const first = Math.min(...Object.values(times).map(([start]) => start));
      const last = Math.max(...Object.values(times).map(([, end]) => end));
      let reached = first;
      for (const [step, start, end] of path) {
        expect(start).toBe(reached);
        expect(end).toBeGreaterThan(start);
        if (step === '—') {
          const running = Object.values(times).filter(([from, to]) => from < end && to > start);
          expect(running).toEqual([]);
        } else {
          expect(start).toBeGreaterThanOrEqual(times[step]![0]);
          expect(end).toBeLessThanOrEqual(times[step]![1]);
        }
        reached = end;
      }
      expect(reached).toBe(last);
    }
  });
});

test('without a step, what ran beside it still takes its time', () => {
  const all = steps({ slow: [0, 60], beside: [10, 30], 'beside too': [20, 40], gpt: [60, 80] });
  const [slow, gpt] = criticalPath(all);
  expect(exclusiveNano(slow!, all)).toBe(30n);
  expect(exclusiveNano(gpt!, all)).toBe(20n);
});

test('is what the definition says, for steps at random', () => {
  const seed = Date.now() % 1_000_000;
  const next = randomFrom(seed);
  const random = (): number => next() / 2 ** 32;
  for (let round = 0; round < 300; round++) {
    const spans = Array.from({ length: 1 + Math.floor(random() * 12) }, (_none, index) =>
      stepSpan(`s${index}`, {
        start: new Date(Math.floor(random() * 8) * 1000).toISOString(),
        ms: Math.floor(random() * 4) * 1000,
      }),
    );
    expect({ seed, round, path: criticalPath(spans) }).toEqual({ seed, round, path: pathByDefinition(spans) });
  }
});

/** Looks at all spans for each part. */
function pathByDefinition(spans: readonly SpanRecord[]): PathPart[] {
  const endOf = ({ startTimeUnixNano, durationNano }: SpanRecord): bigint => startTimeUnixNano + durationNano;
  const ascending = (a: bigint, b: bigint): number => Number(a > b) - Number(a < b);
  const start = spans.map(({ startTimeUnixNano }) => startTimeUnixNano).sort(ascending)[0]!;
  const path: PathPart[] = [];
  for (let until = spans.map(endOf).sort(ascending).at(-1)!; until > start;) {
    const reached = (span: SpanRecord): bigint => (endOf(span) < until ? endOf(span) : until);
    const [span] = spans
      .filter(({ startTimeUnixNano }) => startTimeUnixNano < until)
      .sort((a, b) => ascending(reached(b), reached(a)) || ascending(b.startTimeUnixNano, a.startTimeUnixNano));
    const end = reached(span!);
    if (end < until) path.unshift({ start: end, end: until });
    if (end > span!.startTimeUnixNano) path.unshift({ span: span!, start: span!.startTimeUnixNano, end });
    until = span!.startTimeUnixNano;
  }
  return path;
}
