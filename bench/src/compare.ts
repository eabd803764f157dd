import { conversationIdsOf } from '@convotel/conventions';
import { compare, MemorySource, parseInstant } from '@convotel/query';
import type { ConversationSource, SpanRecord, Window } from '@convotel/query';
import { median } from './figure.ts';
import type { Bench } from './figure.ts';

const CONVERSATIONS_PER_SIDE = 10_000;
const RESAMPLES = 2000;
const RUNS = 5;
const IMPROVEMENT_MS = 60;
const MEAN_MS = { request: 150, stt: 1230, gpt: 3420, tts: 1350, response: 460 };
const DAY_NANO = 86_400_000_000_000n;
const MILLISECOND_NANO = 1_000_000n;

/**
 * `compare` of two days of 10,000 conversations each, five steps and a root a conversation: every 50th `gpt` failed and
 * was tried again, and `gpt` is 60 ms faster on the second day. Checks that exactly this is found.
 *
 * The promise is about the comparison itself; what the source takes to answer depends on the engine, and is told beside
 * it for the plainest one, the source in memory.
 */
export const bench: Bench = async (report) => {
  const before = dayFrom(parseInstant('2025-10-08T00:00:00Z'));
  const after = dayFrom(before.untilUnixNano);
  const memory = new MemorySource([
    ...recordDay(before, MEAN_MS),
    ...recordDay(after, { ...MEAN_MS, gpt: MEAN_MS.gpt - IMPROVEMENT_MS }),
  ]);

  const comparingMs: number[] = [];
  const askingMs: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const { source, elapsedMs } = stopwatchOn(memory);
    const started = performance.now();
    const { data } = await compare(source, { before, after, timeZone: 'UTC', resamples: RESAMPLES });
    askingMs.push(elapsedMs());
    comparingMs.push(performance.now() - started - elapsedMs());
    checkRows(data.map(({ step, verdict, intervalMs }) => ({ step, verdict, intervalMs })));
  }
  report({
    name: 'compare of 2 × 10,000 conversations, 2,000 resamples',
    value: median(comparingMs),
    unit: 'ms',
    atMost: 1500,
    note: `without the source; median of ${RUNS}, the first ${comparingMs[0]!.toFixed(0)} ms; of gpt and the whole a difference is found whose interval holds ${-IMPROVEMENT_MS} ms, of the others none`,
  });
  report({ name: 'its four questions to a source in memory', value: median(askingMs), unit: 'ms' });
};

/** `source`, and how long its answers have taken so far. */
function stopwatchOn(source: ConversationSource): { source: ConversationSource; elapsedMs: () => number } {
  let elapsed = 0;
  return {
    elapsedMs: () => elapsed,
    source: {
      kind: source.kind,
      location: source.location,
      ask: async (question) => {
        const started = performance.now();
        const answer = await source.ask(question);
        elapsed += performance.now() - started;
        return answer;
      },
      close: () => source.close(),
    },
  };
}

function dayFrom(sinceUnixNano: bigint): Window {
  return { sinceUnixNano, untilUnixNano: sinceUnixNano + DAY_NANO };
}

function recordDay(day: Window, meanMs: Readonly<Record<string, number>>): SpanRecord[] {
  const spacingNano = DAY_NANO / BigInt(CONVERSATIONS_PER_SIDE);
  return Array.from({ length: CONVERSATIONS_PER_SIDE }, (_none, index) =>
    recordConversation(index, day.sinceUnixNano + BigInt(index) * spacingNano, meanMs),
  ).flat();
}

function recordConversation(index: number, start: bigint, meanMs: Readonly<Record<string, number>>): SpanRecord[] {
  const { traceId, rootSpanId } = conversationIdsOf(`${start}`);
  const shared = { traceId, conversationId: `${start}`, depth: 0, isRecovered: false };
  const spans: SpanRecord[] = [];
  let now = start;
  const addStep = (step: string, durationMs: number, outcome: 'completed' | 'failed'): void => {
    const durationNano = BigInt(Math.round(durationMs * 1000)) * 1000n;
    const spanId = `${rootSpanId.slice(0, 15)}${spans.length}`;
    const times = { startTimeUnixNano: now, durationNano };
    spans.push({ ...shared, ...times, spanId, parentSpanId: rootSpanId, name: step, role: 'step', step, outcome });
    now += durationNano;
  };
  Object.entries(meanMs).forEach(([step, mean], stepIndex) => {
    if (step === 'gpt' && index % 50 === 0) addStep(step, 500, 'failed');
    // Multiples of an irrational number spread evenly over [0, 1), and those of different ones independently.
    const spread = (index * Math.sqrt(2 + stepIndex * 3)) % 1;
    addStep(step, mean * (0.6 + 0.8 * spread), 'completed');
  });
  const times = { startTimeUnixNano: start, durationNano: now - start + MILLISECOND_NANO };
  return [
    ...spans,
    { ...shared, ...times, spanId: rootSpanId, name: 'conversation', role: 'root', outcome: 'completed' },
  ];
}

interface FoundRow {
  step: string;
  verdict: string;
  intervalMs: readonly [number, number] | undefined;
}

function checkRows(rows: readonly FoundRow[]): void {
  const steps = [...Object.keys(MEAN_MS), 'conversation'];
  if (rows.map(({ step }) => step).join() !== steps.join()) throw new Error('compare has other rows than expected');
  for (const { step, verdict, intervalMs } of rows) {
    const isImproved = step === 'gpt' || step === 'conversation';
    const truth = isImproved ? -IMPROVEMENT_MS : 0;
    if (verdict !== (isImproved ? 'faster' : 'no clear change')) throw new Error(`compare calls ${step} ${verdict}`);
    const [low = NaN, high = NaN] = intervalMs ?? [];
    if (!(low <= truth && truth <= high))
      throw new Error(`the interval of ${step} misses ${truth} ms: ${low} to ${high}`);
  }
}
