import Anthropic from '@anthropic-ai/sdk';
import { createOpenAI } from '@ai-sdk/openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { conversation, step } from '@convotel/tracing';
import type { Conversation } from '@convotel/tracing';
import * as ai6 from 'ai';
import * as ai5 from 'ai-5';
import { createOpenAI as createOpenAI5 } from 'ai-sdk-openai-2';
import OpenAI, { toFile } from 'openai';
import type { Stream } from 'openai/streaming';
import { startModelServer, TEXT, USAGE } from '../../../../bench/src/model-server.ts';
import type { ModelServer } from '../../../../bench/src/model-server.ts';
import { msOf, recordSpans } from '../support/span-recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

const GAP_MS = 20;
const recorder = recordSpans();
let server: ModelServer;
let openai: OpenAI;
let anthropic: Anthropic;
let models: { 'ai 6': (name: string) => ai6.LanguageModel; 'ai 5': (name: string) => ai5.LanguageModel };
let servesResponses: typeof models;

beforeAll(async () => {
  server = await startModelServer(GAP_MS);
  const settings = { apiKey: 'key', baseURL: `${server.url}/v1`, maxRetries: 0 };
  openai = new OpenAI(settings);
  anthropic = new Anthropic({ ...settings, baseURL: server.url });
  models = { 'ai 6': createOpenAI(settings).chat, 'ai 5': createOpenAI5(settings).chat };
  servesResponses = { 'ai 6': createOpenAI(settings).responses, 'ai 5': createOpenAI5(settings).responses };
});
afterAll(() => server.stop());
beforeEach(() => recorder.forget());

const user = [{ role: 'user' as const, content: 'hello' }];

/** Runs `use` as a conversation and returns the attributes of its only step, once that is over. */
async function attributesAfter(use: (c: Conversation) => Promise<unknown>): Promise<Record<string, unknown>> {
  await conversation({ captureContent: true }, use);
  await waitUntil(() => recorder.named('gpt').length > 0, 'the span of the step');
  return recorder.attributesOf('gpt');
}

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

function expectAnswer(
  attributes: Record<string, unknown>,
  provider: string,
  model: string,
  finishReason: string,
): void {
  expect(attributes).toMatchObject({
    'conversation.outcome': 'completed',
    'gen_ai.provider.name': provider,
    'gen_ai.request.model': model,
    'gen_ai.response.model': model,
    'gen_ai.response.finish_reasons': [finishReason],
    'gen_ai.usage.input_tokens': USAGE.input,
    'gen_ai.usage.output_tokens': USAGE.output,
    'conversation.output.chars': TEXT.length,
    'conversation.pii.output_text': TEXT,
  });
}

function expectStreamed(attributes: Record<string, unknown>): void {
  expect(attributes['conversation.step.chunks']).toBeGreaterThanOrEqual(3);
  const firstOutputMs = 1000 * (attributes['conversation.step.time_to_first_output'] as number);
  const durationMs = msOf(recorder.only('gpt').duration);
  // Announcements before the first word are no output.
  expect(firstOutputMs).toBeGreaterThanOrEqual(server.answer.firstWordMs);
  expect(firstOutputMs).toBeLessThan(durationMs);
  expect(durationMs).toBeGreaterThanOrEqual(server.answer.wholeMs);
}

describe('chat completions of openai', () => {
  const chat = (stream: boolean, model = 'completes') =>
    openai.chat.completions.create({ model, stream, messages: user } as never) as unknown as PromiseLike<
      AsyncIterable<unknown> &
        OpenAI.ChatCompletion & { tee(): AsyncIterable<unknown>[]; toReadableStream(): ReadableStream }
    > & {
      withResponse(): Promise<{ data: AsyncIterable<unknown> }>;
      asResponse(): Promise<Response>;
    } & Promise<unknown>;

  test.each<[string, (answer: ReturnType<typeof chat>) => Promise<unknown>]>([
    ['await', async (answer) => await answer],
    ['then', async (answer) => answer.then((value) => value)],
    ['catch', async (answer) => answer.catch(() => {})],
    ['finally', async (answer) => answer.finally(() => {})],
    ['withResponse', async (answer) => await answer.withResponse()],
    ['asResponse', async (answer) => (await answer.asResponse()).json()],
  ])('used by %s', async (_door, use) => {
    const attributes = await attributesAfter((c) => use(c.step('gpt', () => chat(false))));
    expectAnswer(attributes, 'openai', 'gpt-5-2025', 'stop');
    expect(msOf(recorder.only('gpt').duration)).toBeGreaterThanOrEqual(server.answer.wholeMs);
  });

  test.each<[string, (answer: ReturnType<typeof chat>) => Promise<unknown>]>([
    ['for await', async (answer) => drain(await answer)],
    ['withResponse', async (answer) => drain((await answer.withResponse()).data)],
    ['tee', async (answer) => Promise.all((await answer).tee().map(drain))],
    ['toReadableStream', async (answer) => drain((await answer).toReadableStream() as never)],
  ])('streamed, used by %s', async (_door, use) => {
    const attributes = await attributesAfter((c) => use(c.step('gpt', () => chat(true))));
    expectAnswer(attributes, 'openai', 'gpt-5-2025', 'stop');
    expectStreamed(attributes);
  });

  test('streamed, as the raw Response that an HTTP handler passes on', async () => {
    const attributes = await attributesAfter(async (c) => (await c.step('gpt', () => chat(true)).asResponse()).text());
    expect(attributes).toMatchObject({ 'conversation.outcome': 'completed' });
    expect(msOf(recorder.only('gpt').duration)).toBeGreaterThanOrEqual(server.answer.wholeMs);
  });

  test('broken off, left early, aborted, refused, never read', async () => {
    const outcomes: unknown[] = [];
    const outcomeAfter = async (use: (c: Conversation) => Promise<unknown>): Promise<void> => {
      recorder.forget();
      const attributes = await attributesAfter((c) => use(c).catch(() => {}));
      outcomes.push([attributes['conversation.outcome'], attributes['conversation.pii.output_text']]);
    };
    await outcomeAfter(async (c) => drain(await c.step('gpt', () => chat(true, 'breaks'))));
    await outcomeAfter(async (c) => {
      for await (const chunk of await c.step('gpt', () => chat(true))) {
        if ((chunk as OpenAI.ChatCompletionChunk).choices[0]?.delta.content === 'Hello') break;
      }
    });
    await outcomeAfter(async (c) => drain(await c.step('gpt', () => chat(true, 'fails'))));
    await outcomeAfter(async (c) => void (await c.step('gpt', () => chat(true))));
    await outcomeAfter(async (c) => void c.step('gpt', () => chat(true)));
    expect(outcomes).toEqual([
      ['failed', 'Hello there'],
      ['interrupted', 'Hello'],
      ['failed', undefined],
      ['interrupted', undefined],
      ['interrupted', undefined],
    ]);
  });

  test('aborted by the program, which the client ends as if it were complete', async () => {
    const attributes = await attributesAfter(async (c) => {
      const stream = (await c.step('gpt', () => chat(true))) as unknown as Stream<OpenAI.ChatCompletionChunk>;
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content === 'Hello') stream.controller.abort();
    });
    expect(attributes).toMatchObject({
      'conversation.outcome': 'interrupted',
      'conversation.pii.output_text': 'Hello',
    });
  });

  test('returned by a step inside another count their tokens once', async () => {
    for (const stream of [false, true]) {
      recorder.forget();
      await conversation(async (c) => {
        const answer = await c.step('answer', async () => step('gpt', () => chat(stream)));
        if (stream) await drain(answer);
      });
      expect(recorder.attributesOf('gpt')['gen_ai.usage.output_tokens']).toBe(USAGE.output);
      expect(recorder.attributesOf('answer')).toMatchObject({ 'conversation.outcome': 'completed' });
      expect(recorder.attributesOf('answer')).not.toHaveProperty(['gen_ai.usage.output_tokens']);
    }
  });

  test('with the stream helper, whose events and final message go on as ever', async () => {
    const contents: string[] = [];
    const attributes = await attributesAfter(async (c) => {
      const helper = c.step('gpt', () => openai.chat.completions.stream({ model: 'completes', messages: user }));
      helper.on('content', (delta) => contents.push(delta));
      expect(await helper.finalContent()).toBe(TEXT);
    });
    expect(contents.join('')).toBe(TEXT);
    expectAnswer(attributes, 'openai', 'gpt-5-2025', 'stop');
    expectStreamed(attributes);
  });

  test('what the program says itself stays', async () => {
    const attributes = await attributesAfter((c) =>
      c.step('gpt', { provider: 'groq', model: 'gpt-5' }, async (gpt) => {
        gpt.usage({ inputTokens: 1 });
        gpt.output('mine');
        return chat(false);
      }),
    );
    expect(attributes).toMatchObject({
      'gen_ai.provider.name': 'groq',
      'gen_ai.request.model': 'gpt-5',
      'gen_ai.response.model': 'gpt-5-2025',
      'gen_ai.usage.input_tokens': 1,
      'gen_ai.usage.output_tokens': USAGE.output,
      'conversation.pii.output_text': 'mine',
    });
  });

  test.each([false, { openai: false }])('are not recognized with recognize: %j', async (recognize) => {
    const attributes = await attributesAfter(async (c) => drain(await c.step('gpt', { recognize }, () => chat(true))));
    expect(attributes).toMatchObject({ 'conversation.outcome': 'completed' });
    expect(attributes).not.toHaveProperty(['gen_ai.provider.name']);
    expect(attributes).not.toHaveProperty(['gen_ai.usage.input_tokens']);
  });
});

describe('other results of openai', () => {
  test('a response, whole and streamed', async () => {
    const whole = await attributesAfter((c) =>
      c.step('gpt', () => openai.responses.create({ model: 'completes', input: 'hello' })),
    );
    expectAnswer(whole, 'openai', 'gpt-5-2025', 'completed');
    recorder.forget();
    const streamed = await attributesAfter(async (c) =>
      drain(await c.step('gpt', () => openai.responses.create({ model: 'completes', input: 'hello', stream: true }))),
    );
    expectAnswer(streamed, 'openai', 'gpt-5-2025', 'completed');
    expectStreamed(streamed);
  });

  test('a response by its stream helper', async () => {
    const attributes = await attributesAfter(async (c) => {
      const helper = c.step('gpt', () => openai.responses.stream({ model: 'completes', input: 'hello' }));
      await helper.finalResponse();
    });
    expectAnswer(attributes, 'openai', 'gpt-5-2025', 'completed');
    expectStreamed(attributes);
  });

  test('a helper that a conversation returns, and whose events are used, ends both', async () => {
    const helper = conversation((c) =>
      c.step('gpt', () => openai.chat.completions.stream({ model: 'completes', messages: user })),
    );
    await helper.finalContent();
    await waitUntil(() => recorder.named('conversation').length > 0, 'the span of the conversation');
    expectStreamed(recorder.attributesOf('gpt'));
    expect(recorder.attributesOf('conversation')['conversation.outcome']).toBe('completed');
  });

  test('a transcription, whole and streamed', async () => {
    const ask = async (stream: boolean) => {
      const file = await toFile(Buffer.from('RIFF'), 'audio.wav');
      return openai.audio.transcriptions.create({ model: 'whisper', file, stream } as never) as unknown as Promise<
        AsyncIterable<unknown>
      >;
    };
    const whole = await attributesAfter((c) => c.step('gpt', () => ask(false)));
    expect(whole).toMatchObject({
      'gen_ai.provider.name': 'openai',
      'conversation.pii.output_text': TEXT,
      'gen_ai.usage.input_tokens': USAGE.input,
    });
    recorder.forget();
    const streamed = await attributesAfter(async (c) => drain(await c.step('gpt', () => ask(true))));
    expect(streamed).toMatchObject({
      'gen_ai.provider.name': 'openai',
      'conversation.pii.output_text': TEXT,
      'gen_ai.usage.output_tokens': USAGE.output,
    });
    expectStreamed(streamed);
  });

  test.each([
    ['the usage', { text: TEXT, usage: { type: 'duration', seconds: 3.5 } }],
    ['the whole text', { text: TEXT, language: 'english', duration: 3.5, segments: [] }],
  ])('a transcription that is paid by the length of the audio, said with %s', async (_where, transcription) => {
    const attributes = await attributesAfter((c) => c.step('gpt', async () => transcription));
    expect(attributes).toMatchObject({ 'gen_ai.provider.name': 'openai', 'conversation.audio.duration': 3.5 });
  });

  test.each<[string, (response: Response) => Promise<unknown>]>([
    ['arrayBuffer', (response) => response.arrayBuffer()],
    ['its body', (response) => drain(response.body as never)],
  ])('speech, read by %s', async (_door, use) => {
    const attributes = await attributesAfter(async (c) =>
      use(
        await c.step('gpt', () => openai.audio.speech.create({ model: 'completes', voice: 'alloy', input: 'hello' })),
      ),
    );
    expect(attributes).toMatchObject({ 'conversation.outcome': 'completed' });
    expect(msOf(recorder.only('gpt').duration)).toBeGreaterThanOrEqual(server.answer.wholeMs);
    if (_door === 'its body') expectStreamed(attributes);
  });

  test('a list, of which the first page is there, and the pages by iteration', async () => {
    const attributes = await attributesAfter(async (c) => {
      const page = await c.step('gpt', () => openai.models.list());
      expect(page.data.map(({ id }) => id)).toEqual(['gpt-5', 'whisper']);
    });
    expect(attributes['conversation.outcome']).toBe('completed');
    recorder.forget();
    const iterated = await attributesAfter((c) => drain(c.step('gpt', () => openai.models.list())));
    expect(iterated['conversation.outcome']).toBe('completed');
  });

  test('embeddings', async () => {
    const attributes = await attributesAfter((c) =>
      c.step('gpt', () => openai.embeddings.create({ model: 'completes', input: 'hello' })),
    );
    expect(attributes).toMatchObject({
      'gen_ai.response.model': 'embedding-3',
      'gen_ai.usage.input_tokens': USAGE.input,
    });
  });
});

describe('messages of anthropic', () => {
  const message = { max_tokens: 100, messages: user };

  test('whole, by await, catch and withResponse', async () => {
    for (const use of [
      async (answer: ReturnType<typeof ask>) => await answer,
      async (answer: ReturnType<typeof ask>) => answer.catch(() => {}),
      async (answer: ReturnType<typeof ask>) => answer.withResponse(),
    ]) {
      recorder.forget();
      const attributes = await attributesAfter((c) => use(c.step('gpt', ask)));
      expectAnswer(attributes, 'anthropic', 'claude-5-2026', 'end_turn');
    }
    function ask() {
      return anthropic.messages.create({ model: 'completes', ...message });
    }
  });

  test('streamed', async () => {
    const attributes = await attributesAfter(async (c) =>
      drain(await c.step('gpt', () => anthropic.messages.create({ model: 'completes', ...message, stream: true }))),
    );
    expectAnswer(attributes, 'anthropic', 'claude-5-2026', 'end_turn');
    expectStreamed(attributes);
  });

  test('by the stream helper: its events, its iterator, its final message', async () => {
    for (const use of [
      async (helper: ReturnType<typeof anthropic.messages.stream>) => expect(await helper.finalText()).toBe(TEXT),
      drain,
      async (helper: ReturnType<typeof anthropic.messages.stream>) => {
        const texts: string[] = [];
        await helper.on('text', (text: unknown) => texts.push(text as string)).done();
        expect(texts.join('')).toBe(TEXT);
      },
    ]) {
      recorder.forget();
      const attributes = await attributesAfter((c) =>
        use(c.step('gpt', () => anthropic.messages.stream({ model: 'completes', ...message })) as never),
      );
      expectAnswer(attributes, 'anthropic', 'claude-5-2026', 'end_turn');
      expectStreamed(attributes);
    }
  });

  test.each([
    ['its own timeoutMs', 50, undefined],
    ['that of the step around it', undefined, 50],
  ])('by the stream helper, aborted by %s: a time-out for all around it', async (_whose, timeoutMs, outerMs) => {
    const talk = conversation((c) =>
      c.step('agent', { timeoutMs: outerMs }, async () =>
        step('gpt', { timeoutMs }, ({ signal }) =>
          anthropic.messages.stream({ model: 'hangs', ...message }, { signal }),
        ).finalText(),
      ),
    );
    await expect(talk).rejects.toThrow('Request was aborted.');
    for (const name of ['gpt', 'agent', 'conversation']) {
      expect(recorder.attributesOf(name)['conversation.outcome']).toBe('timed_out');
    }
  });

  test('by the stream helper, broken off and aborted', async () => {
    const broken = await attributesAfter((c) =>
      c
        .step('gpt', () => anthropic.messages.stream({ model: 'breaks', ...message }))
        .done()
        .catch(() => {}),
    );
    expect(broken).toMatchObject({ 'conversation.outcome': 'failed', 'conversation.pii.output_text': 'Hello there' });
    recorder.forget();
    const aborted = await attributesAfter(async (c) => {
      const helper = c.step('gpt', () => anthropic.messages.stream({ model: 'completes', ...message }));
      for await (const event of helper) if (event.type === 'content_block_delta') break;
    });
    expect(aborted).toMatchObject({ 'conversation.outcome': 'interrupted', 'conversation.pii.output_text': 'Hello' });
  });

  test('are not recognized with recognize: { anthropic: false }', async () => {
    const attributes = await attributesAfter((c) =>
      c.step('gpt', { recognize: { anthropic: false } }, () =>
        anthropic.messages.create({ model: 'completes', ...message }),
      ),
    );
    expect(attributes).not.toHaveProperty(['gen_ai.provider.name']);
  });
});

describe.each<'ai 6' | 'ai 5'>(['ai 6', 'ai 5'])('results of %s', (version) => {
  const ai = { 'ai 6': ai6, 'ai 5': ai5 as unknown as typeof ai6 }[version];
  const model = (name = 'completes') => models[version](name) as ai6.LanguageModel;
  const streamText = (name?: string) => ai.streamText({ model: model(name), prompt: 'hello', onError() {} });

  test('generateText', async () => {
    const attributes = await attributesAfter((c) =>
      c.step('gpt', () => ai.generateText({ model: model(), prompt: 'hello' })),
    );
    expectAnswer(attributes, 'openai', 'gpt-5-2025', 'stop');
  });

  test('generateText by the responses API', async () => {
    const attributes = await attributesAfter((c) =>
      c.step('gpt', () =>
        ai.generateText({ model: servesResponses[version]('completes') as ai6.LanguageModel, prompt: 'hello' }),
      ),
    );
    expectAnswer(attributes, 'openai', 'gpt-5-2025', 'stop');
  });

  type Result = ReturnType<typeof streamText>;
  test.each<[string, (result: Result) => Promise<unknown>]>([
    ['textStream', (result) => drain(result.textStream)],
    ['fullStream', (result) => drain(result.fullStream)],
    ['text', async (result) => expect(await result.text).toBe(TEXT)],
    ['consumeStream', (result) => Promise.resolve(result.consumeStream())],
    ['a Response', (result) => result.toTextStreamResponse().text()],
    ['a UI message stream', (result) => drain(result.toUIMessageStream() as never)],
    ['textStream and usage', (result) => Promise.all([drain(result.textStream), result.usage])],
  ])('streamText, used by %s', async (_door, use) => {
    const attributes = await attributesAfter(async (c) => use(c.step('gpt', () => streamText())));
    expectAnswer(attributes, 'openai', 'gpt-5-2025', 'stop');
    expectStreamed(attributes);
    expect(attributes['conversation.step.chunks']).toBe(3);
  });

  test('streamText, aborted', async () => {
    const attributes = await attributesAfter(async (c) => {
      const { signal, abort } = abortable();
      const result = c.step('gpt', () => ai.streamText({ model: model(), prompt: 'hello', abortSignal: signal }));
      for await (const _ of result.textStream) abort();
    });
    expect(attributes['conversation.outcome']).toBe('interrupted');
  });

  test('streamText, broken off, left early, refused, never read', async () => {
    const outcomes: unknown[] = [];
    for (const use of [
      async (c: Conversation) => drain(c.step('gpt', () => streamText('breaks')).textStream),
      async (c: Conversation) => {
        for await (const _ of c.step('gpt', () => streamText()).textStream) break;
      },
      async (c: Conversation) => drain(c.step('gpt', () => streamText('fails')).textStream),
      async (c: Conversation) => void c.step('gpt', () => streamText()),
    ]) {
      recorder.forget();
      const attributes = await attributesAfter((c) => use(c).catch(() => {}));
      outcomes.push(attributes['conversation.outcome']);
    }
    expect(outcomes).toEqual(['failed', 'interrupted', 'failed', 'interrupted']);
  });

  test.each<[string, (result: Result) => unknown]>([
    ['textStream', async ({ textStream }) => drain(textStream)],
    ['text', async ({ text }) => text],
    ['a Response', async (result) => result.toTextStreamResponse().text()],
  ])('streamText, returned by a conversation and used after it by %s', async (_door, use) => {
    await use(conversation({ captureContent: true }, (c) => c.step('gpt', () => streamText())));
    await waitUntil(() => recorder.named('conversation').length > 0, 'the span of the conversation');
    expectAnswer(recorder.attributesOf('gpt'), 'openai', 'gpt-5-2025', 'stop');
    expectStreamed(recorder.attributesOf('gpt'));
    expect(recorder.attributesOf('conversation')).toMatchObject({ 'conversation.outcome': 'completed' });
    expect(recorder.attributesOf('conversation')).not.toHaveProperty(['gen_ai.usage.output_tokens']);
  });

  test('streamText by until, and with recognize: false', async () => {
    const attributes = await attributesAfter(async (c) => {
      const options = { recognize: false, until: (result: Result) => result.textStream };
      const result = c.step('gpt', options, () => streamText());
      await drain(result.textStream);
    });
    expect(attributes).toMatchObject({
      'conversation.outcome': 'completed',
      'conversation.step.chunks': 3,
      'conversation.pii.output_text': TEXT,
    });
    expect(attributes).not.toHaveProperty(['gen_ai.usage.input_tokens']);
  });
});
