import { compare, errors, MemorySource, parseInstant, percentiles } from '@convotel/query';
import { randomFrom } from '@convotel/query/engine';
import type { SpanRecord, Window } from '@convotel/query';
import type { Bench } from './figure.ts';

const DAY_NANO = 86_400_000_000_000n;
const before: Window = dayFrom(parseInstant('2025-10-08T00:00:00Z'));
const after: Window = dayFrom(before.untilUnixNano);

/** Percentiles of a language model's durations in ms, from the documented session, joined by straight lines. */
const GPT_MS: readonly (readonly [probability: number, ms: number])[] = [
  [0, 2100.5],
  [0.1, 2345.6],
  [0.25, 2987.4],
  [0.5, 3421.8],
  [0.75, 4123.5],
  [0.9, 4876.2],
  [0.95, 5234.8],
  [0.99, 5600],
  [1, 5678.9],
];
/** Of the other steps: mean in ms, and standard deviation of the logarithm. */
const OTHERS: Readonly<Record<string, readonly [meanMs: number, sigma: number]>> = {
  request: [147.2, 0.2],
  stt: [1234.5, 0.25],
  tts: [1345.6, 0.16],
  response: [456.7, 0.2],
};
const FASTER = 2834.5 / 3421.8;
const PAIRS = 1000;

/**
 * How often answers are right about data whose truth is known: `compare` over pairs of windows from one distribution, and
 * with a language model that really is 17 % faster; intervals against the true value. Seeded, so that it prints the same
 * each time.
 */
export const bench: Bench = async (report) => {
  const draw = drawFrom(20251008);
  let wrong = 0;
  const held = { means: 0, medians: 0, rows: 0 };
  for (let pair = 0; pair < PAIRS; pair++) {
    const { data } = await comparePair(draw, 45, 1, pair);
    if (data.some(({ verdict }) => verdict === 'faster' || verdict === 'slower')) wrong += 1;
    for (const { intervalMs, medianIntervalMs } of data) {
      held.rows += 1;
      if (holds(intervalMs, 0)) held.means += 1;
      if (holds(medianIntervalMs, 0)) held.medians += 1;
    }
  }
  if (held.rows !== 6 * PAIRS) throw new Error('a comparison has other rows than five steps and the conversation');
  const of45 = `${PAIRS} pairs of windows of 45 conversations from one distribution, six rows each`;
  report({
    name: 'compare: comparisons with a wrong verdict',
    value: (wrong / PAIRS) * 100,
    unit: '%',
    atMost: 6,
    note: of45,
  });
  reportCoverage('differences of means, n = 45', held.means / held.rows);
  reportCoverage('differences of medians, n = 45', held.medians / held.rows);

  for (const [count, pairs, atLeast] of [
    [45, 600, 80],
    [200, 200, 99],
  ] as const) {
    let found = 0;
    for (let pair = 0; pair < pairs; pair++) {
      const { data } = await comparePair(draw, count, FASTER, pair);
      if (data.find(({ step }) => step === 'gpt')?.verdict === 'faster') found += 1;
    }
    const note = `${pairs} pairs of windows of ${count} conversations`;
    report({
      name: `compare: gpt truly 17 % faster is found, n = ${count}`,
      value: (found / pairs) * 100,
      unit: '%',
      atLeast,
      note,
    });
  }

  const truth = { p50: gptAt(0.5), p95: gptAt(0.95) };
  const failureShare = 0.06;
  const intervals = { p50: 0, p95: 0, rate: 0 };
  for (let sample = 0; sample < PAIRS; sample++) {
    const calls = Array.from({ length: 200 }, (_none, index) => recordCall(index, draw, failureShare));
    const source = new MemorySource(calls);
    const asked = { window: before, timeZone: 'UTC' };
    const ofSteps = (await percentiles(source, { ...asked, step: 'gpt' })).data.intervals;
    if (holds(ofSteps?.p50, truth.p50)) intervals.p50 += 1;
    if (holds(ofSteps?.p95, truth.p95)) intervals.p95 += 1;
    if (holds((await errors(source, asked)).data[0]?.interval, failureShare * 100)) intervals.rate += 1;
  }
  reportCoverage('medians, n = 188', intervals.p50 / PAIRS);
  reportCoverage('P95, n = 188', intervals.p95 / PAIRS);
  reportCoverage('failure rates of 6 %, n = 200', intervals.rate / PAIRS);

  function reportCoverage(what: string, share: number): void {
    report({
      name: `95 % intervals of ${what} that hold the truth`,
      value: share * 100,
      unit: '%',
      atLeast: 93,
      atMost: 97,
    });
  }
};

interface Draw {
  /** Above 0 and below 1. */
  uniform(): number;
  gptMs(): number;
  logNormalMs(meanMs: number, sigma: number): number;
}

function drawFrom(seed: number): Draw {
  const random = randomFrom(seed);
  const uniform = (): number => (random() + 0.5) / 0x1_0000_0000;
  return {
    uniform,
    gptMs: () => gptAt(uniform()),
    logNormalMs: (meanMs, sigma) => {
      const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
      return meanMs * Math.exp(sigma * normal - sigma ** 2 / 2);
    },
  };
}

function gptAt(probability: number): number {
  const above = GPT_MS.findIndex(([upTo]) => probability <= upTo);
  const [high, highMs] = GPT_MS[Math.max(above, 1)]!;
  const [low, lowMs] = GPT_MS[Math.max(above, 1) - 1]!;
  return lowMs + ((highMs - lowMs) * (probability - low)) / (high - low);
}

function comparePair(draw: Draw, count: number, gptFactor: number, seed: number): ReturnType<typeof compare> {
  const day = (window: Window, factor: number): SpanRecord[] =>
    Array.from({ length: count }, (_none, index) => recordConversation(window, index, draw, factor)).flat();
  const source = new MemorySource([...day(before, 1), ...day(after, gptFactor)]);
  return compare(source, { before, after, timeZone: 'UTC', seed });
}

function recordConversation(day: Window, index: number, draw: Draw, gptFactor: number): SpanRecord[] {
  const start = day.sinceUnixNano + BigInt(index + 1) * 60_000_000_000n;
  const traceId = start.toString(16).padStart(32, '0');
  const { request, stt, tts, response } = OTHERS;
  const durationsMs = {
    request: draw.logNormalMs(...request!),
    stt: draw.logNormalMs(...stt!),
    gpt: draw.gptMs() * gptFactor,
    tts: draw.logNormalMs(...tts!),
    response: draw.logNormalMs(...response!),
  };
  let now = start;
  const spans = Object.entries(durationsMs).map(([step, ms], place): SpanRecord => {
    const span = stepSpan(traceId, step, place, now, ms, 'completed');
    now += span.durationNano;
    return span;
  });
  const { step: _none, ...root } = stepSpan(traceId, 'conversation', 15, start, 0, 'completed');
  return [...spans, { ...root, role: 'root', durationNano: now - start }];
}

function recordCall(index: number, draw: Draw, failureShare: number): SpanRecord {
  const start = before.sinceUnixNano + BigInt(index + 1) * 60_000_000_000n;
  const outcome = draw.uniform() < failureShare ? 'failed' : 'completed';
  return stepSpan(start.toString(16).padStart(32, '0'), 'gpt', 0, start, draw.gptMs(), outcome);
}

function stepSpan(
  traceId: string,
  step: string,
  place: number,
  startTimeUnixNano: bigint,
  durationMs: number,
  outcome: SpanRecord['outcome'],
): SpanRecord {
  return {
    traceId,
    spanId: place.toString(16).padStart(16, '0'),
    name: step,
    role: 'step',
    step,
    depth: 0,
    isRecovered: false,
    outcome,
    startTimeUnixNano,
    durationNano: BigInt(Math.round(durationMs * 1e6)),
  };
}

function holds(interval: readonly [number | null, number | null] | undefined, truth: number): boolean {
  if (interval === undefined) return false;
  const [low, high] = interval;
  return (low === null || low <= truth) && (high === null || truth <= high);
}

function dayFrom(sinceUnixNano: bigint): Window {
  return { sinceUnixNano, untilUnixNano: sinceUnixNano + DAY_NANO };
}
