import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { conversation } from '@convotel/tracing';
import type { Conversation } from '@convotel/tracing';
import { fetch as undiciFetch, request } from 'undici';
import { startModelServer, TEXT } from '../../../../bench/src/model-server.ts';
import type { ModelServer } from '../../../../bench/src/model-server.ts';
import { msOf, recordSpans } from '../support/span-recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

const GAP_MS = 20;
const recorder = recordSpans();
let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer(GAP_MS);
});
afterAll(() => server.stop());
beforeEach(() => recorder.forget());

async function attributesAfter(use: (c: Conversation) => Promise<unknown>): Promise<Record<string, unknown>> {
  await conversation({ captureContent: true }, use);
  await waitUntil(() => recorder.named('gpt').length > 0, 'the span of the step');
  return recorder.attributesOf('gpt');
}

const durationMs = (): number => msOf(recorder.only('gpt').duration);
/** Each span begins on a whole millisecond, so times of two of them differ by that much. */
const CLOCK_MS = 2;
const headers = (behaviour: string): Record<string, string> => ({ 'x-behaviour': behaviour });

describe.each<[string, (behaviour?: string) => Promise<Response>]>([
  ['fetch', (behaviour = 'completes') => fetch(`${server.url}/text`, { headers: headers(behaviour) })],
  [
    'fetch of undici',
    async (behaviour = 'completes') =>
      (await undiciFetch(`${server.url}/text`, { headers: headers(behaviour) })) as unknown as Response,
  ],
])('a Response of %s', (_library, ask) => {
  const readers: Record<string, (response: Response) => Promise<unknown>> = {
    text: (response) => response.text(),
    arrayBuffer: async (response) => new TextDecoder().decode(await response.arrayBuffer()),
    blob: async (response) => (await response.blob()).text(),
    'its body': async (response) => {
      expect(response.body).toBe(response.body);
      let text = '';
      const decoder = new TextDecoder();
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) text += decoder.decode(chunk);
      return text;
    },
    'a reader of its body': async (response) => {
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) text += chunk.value;
      return text;
    },
    'a new Response with its body': (response) => new Response(response.body, response).text(),
    'a clone': (response) => response.clone().text(),
    'a clone and itself': async (response) => (await Promise.all([response.clone().text(), response.text()]))[1],
    'the body of what was cloned': async (response) => {
      expect(response.body).not.toBeNull();
      response.clone();
      return new Response(response.body).text();
    },
  };

  test.each(Object.entries(readers))('read by %s lasts until it was read', async (_reader, use) => {
    let response!: Response;
    const attributes = await attributesAfter(async (c) => {
      response = await c.step('gpt', () => ask());
      expect(response.status).toBe(200);
      expect(await use(response)).toBe(TEXT);
    });
    expect(attributes['conversation.outcome']).toBe('completed');
    expect(durationMs()).toBeGreaterThanOrEqual(server.answer.wholeMs);
    if (!_reader.includes('clone')) expect(response.bodyUsed).toBe(true);
    if (_reader === 'text') expect(attributes['conversation.pii.output_text']).toBe(TEXT);
    if (_reader === 'its body') expect(attributes['conversation.step.chunks']).toBe(3);
  });

  test('of which only the head is looked at is completed at its head', async () => {
    const attributes = await attributesAfter(async (c) => {
      const response = await c.step('gpt', () => ask());
      expect(response.ok).toBe(true);
      expect(response.body).not.toBeNull();
      await c.step('tts', () => new Promise((resolve) => setTimeout(resolve, 100)));
    });
    expect(attributes['conversation.outcome']).toBe('completed');
    const [head, later] = [recorder.only('gpt'), recorder.only('tts')];
    expect(msOf(head.endTime)).toBeLessThanOrEqual(msOf(later.startTime) + CLOCK_MS);
    expect(msOf(recorder.only('conversation').endTime)).toBeGreaterThanOrEqual(msOf(later.endTime) - CLOCK_MS);
  });

  test('without a body is over with its head', async () => {
    await conversation(async (c) => {
      await c.step('gpt', async () => new Response(null, { status: 204 }));
      expect(recorder.named('gpt')).toHaveLength(1);
    });
  });

  test('that breaks off fails the step', async () => {
    for (const use of [readers['text']!, readers['its body']!]) {
      recorder.forget();
      const attributes = await attributesAfter((c) =>
        c
          .step('gpt', () => ask('breaks'))
          .then(use)
          .catch(() => {}),
      );
      expect(attributes['conversation.outcome']).toBe('failed');
    }
  });

  test('whose body is left is interrupted', async () => {
    const attributes = await attributesAfter(async (c) => {
      const response = await c.step('gpt', () => ask());
      for await (const _ of response.body as unknown as AsyncIterable<Uint8Array>) break;
    });
    expect(attributes).toMatchObject({ 'conversation.outcome': 'interrupted', 'conversation.step.chunks': 1 });
  });

  test('whose JSON is that of a model is recognized', async () => {
    const attributes = await attributesAfter(async (c) => {
      const response = await c.step('gpt', () =>
        fetch(`${server.url}/v1/messages`, { method: 'POST', body: '{"model":"completes"}' }),
      );
      await response.json();
    });
    expect(attributes).toMatchObject({ 'gen_ai.provider.name': 'anthropic', 'conversation.pii.output_text': TEXT });
  });

  test('that the callback returns is waited for by the conversation', async () => {
    const response = await conversation(async (c) => c.step('gpt', () => ask()));
    expect(recorder.spans()).toHaveLength(0);
    expect(await response.text()).toBe(TEXT);
    await waitUntil(() => recorder.named('conversation').length === 1, 'the end of the conversation');
    const [gpt, root] = [recorder.only('gpt'), recorder.only('conversation')];
    expect(root.attributes['conversation.outcome']).toBe('completed');
    expect(msOf(root.endTime)).toBeGreaterThanOrEqual(msOf(gpt.endTime) - CLOCK_MS);
    expect(msOf(root.duration)).toBeGreaterThanOrEqual(server.answer.wholeMs);
  });
});

describe("a body of undici's request", () => {
  const ask = (behaviour = 'completes') => request(`${server.url}/text`, { headers: headers(behaviour) });

  test.each<[string, (body: Awaited<ReturnType<typeof ask>>['body']) => Promise<unknown>]>([
    ['text', (body) => body.text()],
    [
      'for await',
      async (body) => {
        let text = '';
        for await (const chunk of body) text += String(chunk);
        return text;
      },
    ],
    ['toArray', async (body) => Buffer.concat(await body.toArray()).toString()],
  ])('read by %s lasts until it was read', async (_reader, use) => {
    const attributes = await attributesAfter(async (c) => {
      const { statusCode, body } = await c.step('gpt', () => ask());
      expect(statusCode).toBe(200);
      expect(await use(body)).toBe(TEXT);
    });
    expect(attributes['conversation.outcome']).toBe('completed');
    expect(durationMs()).toBeGreaterThanOrEqual(server.answer.wholeMs);
  });

  test('that breaks off fails, that is destroyed is interrupted, of which only the head is looked at is completed', async () => {
    const broken = await attributesAfter(async (c) => {
      const { body } = await c.step('gpt', () => ask('breaks'));
      await body.text().catch(() => {});
    });
    expect(broken['conversation.outcome']).toBe('failed');
    recorder.forget();
    const left = await attributesAfter(async (c) => {
      const { body } = await c.step('gpt', () => ask());
      for await (const _ of body) break;
    });
    expect(left['conversation.outcome']).toBe('interrupted');
    recorder.forget();
    const head = await attributesAfter(async (c) => {
      await c.step('gpt', () => ask());
      await c.step('tts', () => new Promise((resolve) => setTimeout(resolve, 100)));
    });
    expect(head['conversation.outcome']).toBe('completed');
    expect(msOf(recorder.only('gpt').endTime)).toBeLessThanOrEqual(msOf(recorder.only('tts').startTime) + CLOCK_MS);
  });
});

test("an IncomingMessage of Node's http, read and not read", async () => {
  const ask = (): Promise<IncomingMessage> => new Promise((resolve) => get(`${server.url}/text`, resolve));
  await attributesAfter(async (c) => {
    const chunks = await (await c.step('gpt', ask)).toArray();
    expect(Buffer.concat(chunks).toString()).toBe(TEXT);
  });
  expect(durationMs()).toBeGreaterThanOrEqual(server.answer.wholeMs);
  recorder.forget();
  const head = await attributesAfter(async (c) => {
    const { statusCode } = await c.step('gpt', ask);
    expect(statusCode).toBe(200);
  });
  expect(head['conversation.outcome']).toBe('completed');
});
