import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { conversationIdsOf, processSettings } from '@convotel/conventions';
import { keyedId, startTracing } from '@convotel/sdk';
import type { Tracing, TracingOptions } from '@convotel/sdk';
import { conversation, joinConversation } from '@convotel/tracing';
import { trace } from '@opentelemetry/api';
import { attributesOf, startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { OtlpReceiver, OtlpSpan } from '../support/otlp-receiver.ts';

const KEY = 'correct horse battery staple';
const PHONE = '+49 170 5551234';
const SESSION = 'bob@canary.example';

let receiver: OtlpReceiver;
let folder: string;
let said: string[];
let running: Tracing | undefined;
let wire: string;

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  folder = mkdtempSync(join(tmpdir(), 'convotel-ids-'));
  said = [];
  wire = '';
});

afterEach(async () => {
  await running?.shutdown({ deadlineMs: 500 });
  running = undefined;
  delete processSettings().replaceId;
  await receiver.stop();
  rmSync(folder, { recursive: true, force: true });
});

function start(options: TracingOptions): Tracing {
  const warn = (message: string): void => void said.push(message);
  running = startTracing({ endpoint: receiver.endpoint, metrics: false, journal: { folder }, warn, ...options });
  return running;
}

/** Runs a program of its own from the built packages; returns what it printed. */
async function run(program: string, ...given: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', program, ...given],
    {
      cwd: import.meta.dirname,
      env: { ...process.env, NODE_OPTIONS: '', FOLDER: folder, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, KEY },
    },
  );
  expect(stderr).toBe('');
  return stdout;
}

function journalBytes(): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.seg'))
    .map((file) => readFileSync(join(folder, file), 'latin1'))
    .join('');
}

function idsIn(spans: readonly OtlpSpan[]): { traces: Set<string>; ids: Set<unknown>; sessions: Set<unknown> } {
  const attributes = spans.map((span) => attributesOf(span));
  return {
    traces: new Set(spans.map(({ traceId }) => traceId)),
    ids: new Set(attributes.map((each) => each['conversation.id'])),
    sessions: new Set(attributes.map((each) => each['session.id'])),
  };
}

const SETUP = `
  import { startTracing } from '@convotel/sdk';
  import { conversation, joinConversation } from '@convotel/tracing';
  const tracing = startTracing({ serviceName: process.argv[1], metrics: false, journal: { folder: process.env.FOLDER }, replaceIds: { key: process.env.KEY } });
`;
const FIRST = `${SETUP}
  await conversation({ conversationId: '${PHONE}', sessionId: '${SESSION}' }, async (c) => {
    await c.step('stt', () => console.log(JSON.stringify({ carrier: c.carrier(), id: c.id })));
  });
  await tracing.shutdown();
`;
const SECOND = `${SETUP}
  joinConversation(JSON.parse(process.argv[2]), (c) => c.step(process.argv[3], () => console.log(c.id)));
  await tracing.shutdown();
`;

test('two processes with one key join by id, by the replaced id, by carrier and by a carrier made by hand', async () => {
  const printed = await run(FIRST, 'first');
  expect(printed).not.toMatch(/5551234|bob|canary/);
  const { carrier, id } = JSON.parse(printed) as { carrier: unknown; id: string };
  expect(id).toBe(`k_${createHmac('sha256', KEY).update(PHONE).digest('hex').slice(0, 32)}`);
  const ways = { raw: PHONE, replaced: id, carrier, handmade: { 'convotel-conversation-id': PHONE } };
  for (const [way, given] of Object.entries(ways)) {
    expect(await run(SECOND, 'second', JSON.stringify(given), way)).toBe(`${id}\n`);
  }
  const spans = receiver.spans();
  expect(spans.map(({ name }) => name)).toEqual(['stt', 'conversation', 'raw', 'replaced', 'carrier', 'handmade']);
  const { traces, ids, sessions } = idsIn(spans);
  expect([...traces]).toEqual([conversationIdsOf(id).traceId]);
  expect([...ids]).toEqual([id]);
  expect([...sessions]).toEqual([keyedId(KEY, SESSION), undefined]);
  expect(JSON.stringify(spans)).not.toMatch(/5551234|bob|canary/);
});

test('with another key the same id is another conversation', async () => {
  await run(FIRST, 'first');
  start({ replaceIds: { key: 'another key of the right length' } });
  joinConversation(PHONE, (c) => c.step('gpt', () => {}));
  await running!.flush();
  expect(idsIn(receiver.spans()).traces.size).toBe(2);
});

describe.each(['http/json', 'http/protobuf'])('by %s', (protocol) => {
  test('no id as it was given is in the journal, on the wire or in a warning, whoever writes it', async () => {
    process.env['OTEL_EXPORTER_OTLP_PROTOCOL'] = protocol;
    receiver.answerBy((response, _path, body) => {
      wire += body.toString('latin1');
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    start({ replaceIds: { key: KEY } });
    delete process.env['OTEL_EXPORTER_OTLP_PROTOCOL'];
    for (let time = 0; time < 2; time += 1) {
      conversation({ conversationId: PHONE, sessionId: SESSION }, (c) => c.step('stt', () => {}));
    }
    const attributes = { 'conversation.id': PHONE, 'session.id': SESSION, 'gen_ai.conversation.id': SESSION };
    const tracer = trace.getTracer('other');
    tracer.startSpan('conversation', { root: true, attributes }).end();
    const span = tracer.startSpan('GET', { attributes });
    span.addEvent('said', attributes);
    span.addLink({ context: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 }, attributes });
    span.end();
    const journal = journalBytes();
    await running!.flush();
    // A second root with the same id is worth a warning, which shows the id that is written.
    expect(said.join()).toContain(keyedId(KEY, PHONE));
    for (const place of [journal, wire, said.join()]) {
      expect(place).toContain(keyedId(KEY, PHONE));
      expect(place).not.toMatch(/5551234|bob|canary/);
    }
  });
});

test('a root that somebody else starts has the ids that follow from the replaced id', async () => {
  start({ replaceIds: { key: KEY } });
  trace
    .getTracer('other')
    .startSpan('conversation', { root: true, attributes: { 'conversation.id': PHONE } })
    .end();
  await running!.flush();
  expect([...idsIn(receiver.spans()).traces]).toEqual([conversationIdsOf(keyedId(KEY, PHONE)).traceId]);
});

test('a function may replace them', async () => {
  const replaceIds = (id: string): string => (id.startsWith('caller-') ? id : `caller-${id.length}`);
  start({ replaceIds });
  conversation({ conversationId: PHONE }, (c) => joinConversation(c.id, (joined) => joined.step('gpt', () => {})));
  await running!.flush();
  expect([...idsIn(receiver.spans()).ids]).toEqual(['caller-15']);
  expect(idsIn(receiver.spans()).traces.size).toBe(1);
  expect(said).toEqual([]);
});

test.each([
  ['throws', () => { throw new RangeError(`no such id: ${PHONE}`); }, 'threw RangeError; such ids are random'],
  ['returns nothing', () => undefined as never, 'returned something other than a string of 1 to 128 characters'],
  ['returns too much', () => 'x'.repeat(129), 'returned something other than a string of 1 to 128 characters'],
  ['changes its own results', (id: string) => `${id.replace(PHONE, 'x')}x`, 'does not return its own results as they are'],
])('a function that %s is said once, and the id stays here', async (_what, replaceIds: (id: string) => string, warning) => {
  start({ replaceIds });
  for (let time = 0; time < 2; time += 1) conversation({ conversationId: PHONE }, (c) => c.step('stt', () => {}));
  await running!.flush();
  expect(receiver.spans()).toHaveLength(4);
  expect(JSON.stringify(receiver.spans())).not.toContain('5551234');
  expect(said.filter((each) => each.includes('replaceIds'))).toEqual([expect.stringContaining(warning)]);
  expect(said.join()).not.toContain('5551234');
}); // prettier-ignore

test.each([{ key: 'too short' }, { key: undefined }, 'a text', null, {}])(
  'a replacement that cannot be used lets no id out either: %p',
  async (replaceIds) => {
    start({ replaceIds: replaceIds as never });
    conversation({ conversationId: PHONE }, (c) => c.step('stt', () => {}));
    await running!.flush();
    expect([...idsIn(receiver.spans()).ids]).toEqual([expect.stringMatching(/^k_[0-9a-f]{32}$/)]);
    expect(said).toEqual([expect.stringContaining('the option replaceIds cannot be used')]);
    expect(said.join()).not.toContain('too short');
  },
);

test('the next setup replaces nothing that it was not told to replace', async () => {
  await start({ replaceIds: { key: KEY } }).shutdown();
  start({});
  conversation({ conversationId: 'plain' }, (c) => expect(c.id).toBe('plain'));
});
