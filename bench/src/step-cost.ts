import { ConversationMetrics } from '@convotel/sdk';
import { startConversation, step } from '@convotel/tracing';
import type { ConversationHandle, Step } from '@convotel/tracing';
import { context, trace } from '@opentelemetry/api';
import type { Span, Tracer } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { median } from './figure.ts';
import type { Bench } from './figure.ts';

const STEPS_PER_ROUND = 2000;
const ROUNDS = 60;
const WARM_UP_ROUNDS = 10;
const PROMISED_MS_PER_STEP = 5;

/** Counts spans instead of exporting them. */
class Counting implements SpanProcessor {
  spans = 0;
  attributes = 0;

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    this.spans += 1;
    this.attributes += Object.keys(span.attributes).length;
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}

/** One way to run a step. */
interface Contender {
  run: () => unknown;
  /** Calls what it is given with the contender's root span as the active one. */
  within: (round: () => Promise<void>) => Promise<void>;
  /** Microseconds a step, one value a round. */
  meansUs: number[];
  /** Microseconds of single steps. */
  singlesUs: number[];
}

function contender(within: Contender['within'], run: () => unknown): Contender {
  return { run, within, meansUs: [], singlesUs: [] };
}

async function measureRound({ run, meansUs, singlesUs }: Contender): Promise<void> {
  const startMs = performance.now();
  for (let step = 0; step < STEPS_PER_ROUND; step += 1) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  meansUs.push(((performance.now() - startMs) * 1000) / STEPS_PER_ROUND);
  for (let step = 0; step < STEPS_PER_ROUND; step += 1) {
    const stepStartMs = performance.now();
    const result = run();
    if (result instanceof Promise) await result;
    singlesUs.push((performance.now() - stepStartMs) * 1000);
  }
}

/** Runs the contenders in turns, so that what slows the machine slows all of them. */
async function measure(contenders: readonly Contender[]): Promise<void> {
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
    for (const each of contenders) {
      if (round === WARM_UP_ROUNDS) {
        each.meansUs.length = 0;
        each.singlesUs.length = 0;
      }
      await each.within(() => measureRound(each));
    }
  }
}

function newCounting(metrics?: SpanProcessor): { counting: Counting; provider: NodeTracerProvider } {
  const counting = new Counting();
  const spanProcessors = metrics === undefined ? [counting] : [metrics, counting];
  return { counting, provider: new NodeTracerProvider({ spanProcessors }) };
}

/** A conversation whose root stays open, so that only steps are counted. */
function conversationBy(provider: NodeTracerProvider): ConversationHandle {
  return startConversation({ conversationId: 'bench', workflow: 'voice', tracerProvider: provider });
}

/** What a program would write without the helper: the same span with the same attributes. */
function bareStep<Result>(tracer: Tracer, run: (span: Span) => Result): Result {
  return tracer.startActiveSpan(
    'think',
    { attributes: { 'conversation.id': 'bench', 'conversation.step.name': 'think' } },
    run,
  );
}

function finish(span: Span): void {
  span.setAttribute('conversation.outcome', 'completed');
  span.end();
}

const work = (): number => 1;
const workLater = async (): Promise<number> => 1;

/** A step through the helper, without exporter, against the bare OpenTelemetry span with the same attributes. */
export const bench: Bench = async (report) => {
  await reportWithoutProvider(report);
  // Makes spans active; the spans themselves come from the providers below.
  new NodeTracerProvider().register();
  const reader = new PeriodicExportingMetricReader({
    exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
  });
  const meterProvider = new MeterProvider({ readers: [reader] });

  const bare = newCounting();
  const tracer = bare.provider.getTracer('bench');
  const bareRoot = trace.setSpan(context.active(), tracer.startSpan('conversation'));
  const plain = newCounting();
  const plainConversation = conversationBy(plain.provider);
  const measured = newCounting(new ConversationMetrics(meterProvider.getMeter('bench')));
  const measuredConversation = conversationBy(measured.provider);

  const inBare: Contender['within'] = (round) => context.with(bareRoot, round);
  const inPlain: Contender['within'] = (round) => plainConversation.run(round);
  const inMeasured: Contender['within'] = (round) => measuredConversation.run(round);
  const firstOutput = (step: Step): number => {
    step.firstOutput();
    return work();
  };
  const contenders = {
    sync: [
      contender(inBare, () =>
        bareStep(tracer, (span) => {
          const result = work();
          finish(span);
          return result;
        }),
      ),
      contender(inPlain, () => plainConversation.step('think', work)),
      contender(inMeasured, () => measuredConversation.step('think', work)),
    ],
    'sync with a first output': [
      contender(inBare, () =>
        bareStep(tracer, (span) => {
          const startMs = performance.now();
          span.setAttribute('conversation.step.time_to_first_output', (performance.now() - startMs) / 1000);
          const result = work();
          finish(span);
          return result;
        }),
      ),
      contender(inPlain, () => plainConversation.step('think', firstOutput)),
      contender(inMeasured, () => measuredConversation.step('think', firstOutput)),
    ],
    async: [
      contender(inBare, () =>
        bareStep(tracer, async (span) => {
          const result = await workLater();
          finish(span);
          return result;
        }),
      ),
      contender(inPlain, () => plainConversation.step('think', workLater)),
      contender(inMeasured, () => measuredConversation.step('think', workLater)),
    ],
  };
  const variants = [
    { name: 'metrics off', atMost: 1.3 },
    { name: 'metrics on', atMost: 2 },
  ];
  for (const [kind, [baseline, ...others]] of Object.entries(contenders)) {
    await measure([baseline!, ...others]);
    const bareMeanUs = mean(baseline!.meansUs);
    const bareP50Us = median(baseline!.singlesUs);
    for (const [index, { name, atMost }] of variants.entries()) {
      const { meansUs, singlesUs } = others[index]!;
      const note = `${mean(meansUs).toFixed(2)} µs, the bare span ${bareMeanUs.toFixed(2)} µs`;
      report({ name: `${kind}, ${name}: mean`, value: mean(meansUs) / bareMeanUs, unit: '×', atMost, note });
      report({ name: `${kind}, ${name}: p50`, value: median(singlesUs) / bareP50Us, unit: '×', atMost });
      report({ name: `${kind}, ${name}: cost`, value: mean(meansUs) / 1000, unit: 'ms', atMost: PROMISED_MS_PER_STEP });
    }
  }
  for (const counting of [bare.counting, plain.counting, measured.counting]) {
    checkWork(counting, Object.keys(contenders).length);
  }
  await meterProvider.shutdown();
};

/** What a library costs a program that traces nothing; asked before any provider is registered. */
async function reportWithoutProvider(report: Parameters<Bench>[0]): Promise<void> {
  const c = startConversation({ workflow: 'voice' });
  const inNone: Contender['within'] = (round) => round();
  const contenders = {
    'a step': contender(inNone, () => c.step('think', work)),
    'the free step': contender(inNone, () => step('think', work)),
    'an async step': contender(inNone, () => c.step('think', workLater)),
  };
  const plain = contender(inNone, workLater);
  await measure([...Object.values(contenders), plain]);
  c.end();
  for (const [name, { meansUs }] of Object.entries(contenders)) {
    // What the program's own promise costs is not ours.
    const ownUs = name === 'an async step' ? median(plain.meansUs) : 0;
    report({ name: `${name} without a provider`, value: median(meansUs) - ownUs, unit: 'µs', atMost: 1 });
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Every step of every contender has made one span with at least the three attributes that all of them set. */
function checkWork({ spans, attributes }: Counting, contenders: number): void {
  const expected = contenders * (WARM_UP_ROUNDS + ROUNDS) * STEPS_PER_ROUND * 2;
  if (spans !== expected || attributes < expected * 3) {
    throw new Error(`expected ${expected} spans with 3 attributes each, got ${spans} with ${attributes} in all`);
  }
}
