import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { conversation, startConversation, step } from '@convotel/tracing';
import { context, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { median } from './figure.ts';
import type { Bench } from './figure.ts';

const CHUNKS = 100_000;
const ROUNDS = 9;
const STEPS = 2_000_000;
const CONVERSATIONS = 1000;

/** Streams of each kind, and the chunks of a known client. */
const STREAMS: Readonly<Record<string, (chunks: number) => Iterable<unknown> | AsyncIterable<unknown>>> = {
  'async generator': words,
  'sync generator': function* (chunks) {
    for (let index = 0; index < chunks; index += 1) yield 'word';
  },
  'iterator of a class': (chunks) => new WordIterator(chunks),
  'web stream': (chunks) => {
    let index = 0;
    const pull = (controller: ReadableStreamDefaultController<string>): void => {
      if (index++ < chunks) controller.enqueue('word');
      else controller.close();
    };
    return new ReadableStream<string>({ pull }, { highWaterMark: 0 }) as unknown as AsyncIterable<string>;
  },
  'byte stream': (chunks) => {
    let index = 0;
    const pull = (controller: ReadableByteStreamController): void => {
      if (index++ < chunks) controller.enqueue(new Uint8Array(8));
      else controller.close();
    };
    return new ReadableStream({ type: 'bytes', pull }) as unknown as AsyncIterable<Uint8Array>;
  },
  'Node stream': (chunks) => {
    let index = 0;
    return new Readable({
      objectMode: true,
      read() {
        this.push(index++ < chunks ? 'word' : null);
      },
    });
  },
  'chunks of openai': async function* (chunks) {
    for (let index = 0; index < chunks; index += 1) {
      const choices = [{ index: 0, delta: { content: 'word' }, finish_reason: null }];
      yield { id: 'c1', object: 'chat.completion.chunk', model: 'gpt-5', choices };
    }
  },
};

async function* words(chunks: number): AsyncGenerator<string> {
  for (let index = 0; index < chunks; index += 1) yield 'word';
}

class WordIterator implements AsyncIterableIterator<string> {
  #left: number;

  constructor(chunks: number) {
    this.#left = chunks;
  }

  async next(): Promise<IteratorResult<string>> {
    this.#left -= 1;
    return this.#left >= 0 ? { done: false, value: 'word' } : { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** What a step costs whose result streams: a chunk, memory, and that steps nest where they belong. */
export const bench: Bench = async (report) => {
  trace.disable();
  context.disable();
  await measureMemory(report);
  await measureChunks(report);
  await measureNesting(report);
};

const measureChunks: Bench = async (report) => {
  new NodeTracerProvider().register();
  const call = startConversation();
  for (const [kind, make] of Object.entries(STREAMS)) {
    const bareUs: number[] = [];
    const overUs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const bare = await timeChunks(() => make(CHUNKS));
      bareUs.push(bare);
      overUs.push((await call.run(() => timeChunks(() => call.step('gpt', () => make(CHUNKS))))) - bare);
    }
    const note = `bare iteration ${median(bareUs).toFixed(2)} µs; every chunk arrived`;
    report({ name: `a chunk of ${kind}, over the bare one`, value: median(overUs), unit: 'µs', atMost: 0.5, note });
  }
  call.end();
};

/** Microseconds of processor time a chunk: other programs on the machine count less than by the clock. */
async function timeChunks(make: () => Iterable<unknown> | AsyncIterable<unknown>): Promise<number> {
  const start = process.cpuUsage();
  let seen = 0;
  const stream = make();
  if (Symbol.asyncIterator in stream) for await (const _ of stream) seen += 1;
  else for (const _ of stream) seen += 1;
  if (seen !== CHUNKS) throw new Error(`expected ${CHUNKS} chunks, got ${seen}`);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / CHUNKS;
}

/** Counts spans and forgets them. */
class Counting implements SpanProcessor {
  spans = 0;

  onStart(): void {}

  onEnd(): void {
    this.spans += 1;
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}

const measureMemory: Bench = async (report) => {
  const counting = new Counting();
  const call = startConversation({ tracerProvider: new NodeTracerProvider({ spanProcessors: [counting] }) });
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const heapMb = async (): Promise<number> => {
    collectGarbage();
    await turn();
    collectGarbage();
    return process.memoryUsage().heapUsed / 1e6;
  };
  const runSteps = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      if (index % 4 === 0) for await (const _ of call.step('gpt', () => words(2)));
      else if (index % 4 === 1) call.step('request', () => index);
      else if (index % 4 === 2) await call.step('stt', async () => index);
      else await call.step('memory', () => new Task((resolve) => resolve(index)));
    }
  };
  await runSteps(STEPS / 2);
  const halfMb = await heapMb();
  await runSteps(STEPS / 2);
  const note = `${halfMb.toFixed(1)} MB after the first million, a quarter of the steps streamed`;
  report({
    name: 'growth over the second million of steps',
    value: (await heapMb()) - halfMb,
    unit: 'MB',
    atMost: 1,
    note,
  });
  if (counting.spans !== STEPS) throw new Error(`expected ${STEPS} spans, got ${counting.spans}`);
  call.end();
};

class Task<Value> extends Promise<Value> {}

const measureNesting: Bench = async (report) => {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const streams = [
    (chunks: number) => nested(chunks),
    (chunks: number) => ReadableStream.from(nested(chunks)) as unknown as AsyncIterable<string>,
    (chunks: number) => Readable.from(nested(chunks)),
  ];
  const run = (index: number): Promise<void> =>
    conversation({ conversationId: `c-${index}`, tracerProvider }, async (c) => {
      const stream = await c.step('gpt', async () => streams[index % streams.length]!(1 + (index % 10)));
      for await (const _ of stream) {
        await turn();
        await step('tts', async () => turn());
      }
    });
  await Promise.all(Array.from({ length: CONVERSATIONS }, (_, index) => run(index)));
  const spans = exporter.getFinishedSpans();
  const wrong = wronglyNested(spans);
  const note = `${spans.length} spans of ${CONVERSATIONS} conversations at once`;
  report({ name: 'steps that are wrongly nested', value: wrong, unit: 'steps', atMost: 0, note });
  if (spans.filter(({ name }) => name === 'conversation').length !== CONVERSATIONS)
    throw new Error('a root is missing');
};

async function* nested(chunks: number): AsyncGenerator<string> {
  for (let index = 0; index < chunks; index += 1) {
    await turn();
    yield step('tool', () => 'word');
  }
}

/** A tool runs inside the model's step, everything else below the root, all of it in its own conversation. */
function wronglyNested(spans: readonly ReadableSpan[]): number {
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
  const conversationOf = (span: ReadableSpan): unknown => span.attributes['conversation.id'];
  return spans.filter((span) => {
    if (span.name === 'conversation') return span.parentSpanContext !== undefined;
    const parent = byId.get(span.parentSpanContext?.spanId ?? '');
    const expected = span.name === 'tool' ? 'gpt' : 'conversation';
    return parent?.name !== expected || conversationOf(parent) !== conversationOf(span);
  }).length;
}
