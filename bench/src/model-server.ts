import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How the server treats a request: by its model, or by the header `x-behaviour` where there is none. */
export type Behaviour = 'completes' | 'breaks' | 'fails' | 'hangs';

/** A local server that speaks the protocols of openai and anthropic. */
export interface ModelServer {
  /** Such as `http://127.0.0.1:40123`. */
  url: string;
  /** The latest answer, timed here, from the request's arrival: when its first word was sent, and when it was whole. */
  readonly answer: Readonly<Times>;
  stop(): Promise<void>;
}

/** What the server answers, word by word. */
export const WORDS: readonly string[] = ['Hello', ' there', ', friend'];
export const TEXT = WORDS.join('');
export const USAGE = { input: 11, output: 7 };

/** Starts a server that waits `gapMs` before each word, and breaks the connection after the second where it `breaks`. */
export async function startModelServer(gapMs = 20): Promise<ModelServer> {
  const times = { firstWordMs: 0, wholeMs: 0 };
  const server = createServer((request, response) => {
    void answer(request, response, gapMs, times).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: times,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Times {
  firstWordMs: number;
  wholeMs: number;
}

async function answer(request: IncomingMessage, response: ServerResponse, gapMs: number, times: Times): Promise<void> {
  const startMs = performance.now();
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const asked = (text.startsWith('{') ? JSON.parse(text) : {}) as { stream?: boolean; model?: string };
  // Transcriptions come as a form.
  if (/name="stream"\r\n\r\ntrue/.test(text)) asked.stream = true;
  const behaviour = String(request.headers['x-behaviour'] ?? asked.model) as Behaviour;
  if (behaviour === 'hangs') return;
  if (behaviour === 'fails') {
    await sleep(gapMs);
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: 'bad request', type: 'invalid_request_error', code: 'bad' } }));
    return;
  }
  const path = new URL(request.url ?? '/', 'http://local').pathname;
  const protocol = PROTOCOLS[path];
  if (protocol === undefined) {
    response.writeHead(404).end();
  } else if (asked.stream === true || protocol.whole === undefined) {
    await stream(response, protocol, gapMs, behaviour, () => {
      times.firstWordMs = performance.now() - startMs;
    });
    times.wholeMs = performance.now() - startMs;
  } else {
    await sleep(gapMs * WORDS.length);
    times.wholeMs = performance.now() - startMs;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(protocol.whole));
  }
}

/** Events of one protocol: before the words, one a word, after them. */
interface Protocol {
  type: string;
  before: readonly string[];
  word: (word: string) => string;
  after: readonly string[];
  whole?: unknown;
}

async function stream(
  response: ServerResponse,
  protocol: Protocol,
  gapMs: number,
  behaviour: Behaviour,
  onFirstWord: () => void,
): Promise<void> {
  response.writeHead(200, { 'content-type': protocol.type });
  response.flushHeaders();
  for (const event of protocol.before) response.write(event);
  for (const [index, word] of WORDS.entries()) {
    await sleep(gapMs);
    if (response.destroyed) return;
    if (behaviour === 'breaks' && index === 2) {
      response.destroy();
      return;
    }
    if (index === 0) onFirstWord();
    response.write(protocol.word(word));
  }
  await sleep(gapMs);
  for (const event of protocol.after) response.write(event);
  response.end();
}

const event = (data: unknown, name?: string): string =>
  `${name === undefined ? '' : `event: ${name}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
const named = (data: { type: string; [key: string]: unknown }): string => event(data, data.type);

const chunk = (choices: unknown[], usage: unknown = null): string =>
  event({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'gpt-5-2025', choices, usage });
const chatUsage = { prompt_tokens: USAGE.input, completion_tokens: USAGE.output, total_tokens: 18 };

const responseOf = (status: string, output: unknown[], usage?: unknown): Record<string, unknown> => ({
  id: 'r1',
  object: 'response',
  created_at: 1,
  model: 'gpt-5-2025',
  status,
  output,
  usage,
});
const responseUsage = {
  input_tokens: USAGE.input,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: USAGE.output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 18,
};
const responseOutput = (text: string): unknown => ({
  id: 'm1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
});

const messageOf = (content: unknown[], stopReason: string | null, outputTokens: number): Record<string, unknown> => ({
  id: 'msg1',
  type: 'message',
  role: 'assistant',
  model: 'claude-5-2026',
  content,
  stop_reason: stopReason,
  stop_sequence: null,
  usage: { input_tokens: USAGE.input - 4, cache_read_input_tokens: 4, output_tokens: outputTokens },
});

const SSE = 'text/event-stream';

const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  '/v1/chat/completions': {
    type: SSE,
    before: [chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }])],
    word: (content) => chunk([{ index: 0, delta: { content }, finish_reason: null }]),
    after: [chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]), chunk([], chatUsage), event('[DONE]')],
    whole: {
      id: 'c1',
      object: 'chat.completion',
      created: 1,
      model: 'gpt-5-2025',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: TEXT } }],
      usage: chatUsage,
    },
  },
  '/v1/responses': {
    type: SSE,
    before: [
      named({ type: 'response.created', sequence_number: 0, response: responseOf('in_progress', []) }),
      named({
        type: 'response.output_item.added',
        sequence_number: 1,
        output_index: 0,
        item: { id: 'm1', type: 'message', role: 'assistant', status: 'in_progress', content: [] },
      }),
      named({
        type: 'response.content_part.added',
        sequence_number: 2,
        item_id: 'm1',
        output_index: 0,
        content_index: 0,
        part: { type: 'output_text', text: '', annotations: [] },
      }),
    ],
    word: (delta) =>
      named({
        type: 'response.output_text.delta',
        sequence_number: 3,
        item_id: 'm1',
        output_index: 0,
        content_index: 0,
        delta,
        logprobs: [],
      }),
    after: [
      named({
        type: 'response.output_item.done',
        sequence_number: 8,
        output_index: 0,
        item: responseOutput(TEXT),
      }),
      named({
        type: 'response.completed',
        sequence_number: 9,
        response: responseOf('completed', [responseOutput(TEXT)], responseUsage),
      }),
    ],
    whole: responseOf('completed', [responseOutput(TEXT)], responseUsage),
  },
  '/v1/messages': {
    type: SSE,
    before: [
      named({ type: 'message_start', message: messageOf([], null, 1) }),
      named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
      named({ type: 'ping' }),
    ],
    word: (text) => named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
    after: [
      named({ type: 'content_block_stop', index: 0 }),
      named({
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: USAGE.output },
      }),
      named({ type: 'message_stop' }),
    ],
    whole: messageOf([{ type: 'text', text: TEXT }], 'end_turn', USAGE.output),
  },
  '/v1/audio/transcriptions': {
    type: SSE,
    before: [],
    word: (delta) => event({ type: 'transcript.text.delta', delta }),
    after: [
      event({
        type: 'transcript.text.done',
        text: TEXT,
        usage: { type: 'tokens', input_tokens: USAGE.input, output_tokens: USAGE.output, total_tokens: 18 },
      }),
    ],
    whole: { text: TEXT, usage: { type: 'tokens', input_tokens: USAGE.input, output_tokens: USAGE.output } },
  },
  '/v1/audio/speech': {
    type: 'audio/mpeg',
    before: [],
    word: (word) => word,
    after: [],
  },
  '/v1/embeddings': {
    type: SSE,
    before: [],
    word: (word) => event({ word }),
    after: [],
    whole: {
      object: 'list',
      model: 'embedding-3',
      data: [{ object: 'embedding', index: 0, embedding: [0.5, 0.25] }],
      usage: { prompt_tokens: USAGE.input, total_tokens: USAGE.input },
    },
  },
  '/v1/models': {
    type: SSE,
    before: [],
    word: (word) => event({ word }),
    after: [],
    whole: { object: 'list', data: ['gpt-5', 'whisper'].map((id) => ({ id, object: 'model', created: 1 })) },
  },
  '/text': { type: 'text/plain', before: [], word: (word) => word, after: [] },
};
