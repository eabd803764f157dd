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

  await reportMixWarnings(report, draw);

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

/** What kinds of conversations a side has. */
interface Mix {
  errorShare: number;
  /** Of the calls that the usual models take, which share another one takes. */
  swappedShare: number;
  /** When the busiest hour of the day is. */
  busiestHour: number;
  textFactor: number;
}

const USUAL_MIX: Mix = { errorShare: 0.02, swappedShare: 0, busiestHour: 12, textFactor: 1 };

/** A change of the mix, what it must be called, and how often it must be found. */
const MIX_CHANGES: readonly (readonly [what: string, factor: string, atLeast: number, change: Partial<Mix>])[] = [
  ['failures 2 % → 10 %', 'error share', 70, { errorShare: 0.1 }],
  ['another model for 30 % of the calls', 'models', 95, { swappedShare: 0.3 }],
  ['the busiest time 4 hours later', 'hour of day', 95, { busiestHour: 16 }],
  ['texts 50 % longer', 'text lengths', 90, { textFactor: 1.5 }],
];
const CONVERSATIONS_OF_MIX = 200;

/** How often `compare` warns of another mix: of two sides with one mix, and of sides that truly differ. */
async function reportMixWarnings(report: Parameters<Bench>[0], draw: Draw): Promise<void> {
  const warnings = async (change: Partial<Mix>): Promise<Set<unknown>> => {
    const source = new MemorySource([
      ...recordMix(before, draw, USUAL_MIX),
      ...recordMix(after, draw, { ...USUAL_MIX, ...change }),
    ]);
    const { findings } = await compare(source, { before, after, timeZone: 'UTC' });
    return new Set(findings.flatMap(({ rule, evidence }) => (rule === 'mix-changed' ? evidence['factors'] : [])));
  };
  let wrong = 0;
  for (let pair = 0; pair < PAIRS; pair++) if ((await warnings({})).size > 0) wrong += 1;
  report({
    name: 'compare: warnings of another mix where there is none',
    value: (wrong / PAIRS) * 100,
    unit: '%',
    atMost: 5,
    note: `${PAIRS} pairs of windows of ${CONVERSATIONS_OF_MIX} conversations with one mix, five factors each`,
  });
  const pairs = PAIRS / 5;
  for (const [what, factor, atLeast, change] of MIX_CHANGES) {
    let found = 0;
    for (let pair = 0; pair < pairs; pair++) if ((await warnings(change)).has(factor)) found += 1;
    const note = `${pairs} pairs of windows of ${CONVERSATIONS_OF_MIX} conversations`;
    report({ name: `compare: warns of ${what}`, value: (found / pairs) * 100, unit: '%', atLeast, note });
  }
}

/** Conversations of one call each that differ in all by which a mix is judged. */
function recordMix(day: Window, draw: Draw, mix: Mix): SpanRecord[] {
  return Array.from({ length: CONVERSATIONS_OF_MIX }, (_none, index): SpanRecord[] => {
    // Hours of a day are busier, the nearer they are to the busiest one: the sum of two dice.
    const hour = (mix.busiestHour - 12 + (draw.uniform() + draw.uniform()) * 12 + 24) % 24;
    const start = day.sinceUnixNano + BigInt(Math.floor(hour * 3600e9)) + BigInt(index);
    const outcome = draw.uniform() < mix.errorShare ? 'failed' : 'completed';
    const call = stepSpan(start.toString(16).padStart(32, '0'), 'gpt', 0, start, draw.gptMs(), outcome);
    const { step: _step, ...root } = stepSpan(call.traceId, 'conversation', 15, start, 0, outcome);
    const usualModel = draw.uniform() < 0.7 ? 'large' : 'small';
    const kind = {
      ...(draw.uniform() < 0.08 && { attempt: 2 }),
      model: draw.uniform() < mix.swappedShare ? 'new' : usualModel,
      inputChars: Math.round(draw.logNormalMs(400, 0.8) * mix.textFactor),
    };
    return [
      { ...call, ...kind },
      { ...root, role: 'root', durationNano: call.durationNano },
    ];
  }).flat();
}

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
