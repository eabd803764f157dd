import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { processSettings } from '@convotel/conventions';
import { startLocalBackend } from '@convotel/local';
import { startTracing } from '@convotel/sdk';
import type { Tracing, TracingOptions } from '@convotel/sdk';
import { conversation } from '@convotel/tracing';
import { diag, DiagLogLevel, propagation, trace } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import { withEnvironment } from '../support/environment.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { OtlpReceiver } from '../support/otlp-receiver.ts';

let receiver: OtlpReceiver;
let folder: string;
let said: string[];
let running: Tracing | undefined;
let wire: Buffer[];
let cleanUp: (() => Promise<void>) | undefined;

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  folder = mkdtempSync(join(tmpdir(), 'convotel-canaries-'));
  said = [];
  wire = [];
  receiver.answerBy((response, _path, body) => {
    wire.push(body);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const hear = (...parts: unknown[]): void =>
    void said.push(parts.map((part) => (part instanceof Error ? part.stack : String(part))).join(' '));
  diag.setLogger(
    { error: hear, warn: hear, info: hear, debug: hear, verbose: hear },
    { logLevel: DiagLogLevel.ALL, suppressOverrideMessage: true },
  );
});

afterEach(async () => {
  await running?.shutdown({ deadlineMs: 500 });
  running = undefined;
  diag.disable();
  delete processSettings().captureContent;
  delete processSettings().maxContentLength;
  await receiver.stop();
  await cleanUp?.();
  cleanUp = undefined;
  rmSync(folder, { recursive: true, force: true });
});

function start(options: TracingOptions = {}): Tracing {
  running = startTracing({
    endpoint: receiver.endpoint,
    metrics: true,
    journal: { folder },
    warn: (message) => void said.push(message),
    ...options,
  });
  return running;
}

/** Words that no pattern knows; only where they stand says that they must not leave. */
function freeWords(): string[] {
  return Array.from(
    { length: 100 },
    (_, index) => `canary-${'abcdefghij'[index % 10]}${'klmnopqrst'[Math.floor(index / 10)]}-word`,
  );
}

/** Shapes that patterns know, each another one. */
function shapes(): string[] {
  return Array.from({ length: 100 }, (_, index) => {
    const number = 10 + index;
    const kinds = [
      `bird${number}@canary.example`,
      `+49 170 55512${number}`,
      `sk-canary${number}Aa7Bb8Cc9Dd0`,
      `token=canary${number}secret`,
      `{"password":"canary${number}pass"}`,
      `https://bob:canary${number}pw@host/x`,
      `Cookie: sid=canary${number}cookie`,
      `Authorization: Bearer canary${number}bearer`,
    ];
    return kinds[index % kinds.length]!;
  });
}

/** The part of a shape by which it would be recognised. */
function birdOf(shape: string): string {
  return /bird\d+|55512\d+|canary\d+\w*/.exec(shape)![0];
}

const CONTENT_KEYS = [
  'gen_ai.input.messages', 'gen_ai.output.messages', 'gen_ai.system_instructions', 'gen_ai.prompt.0.content', 'gen_ai.completion.0.content',
  'ai.prompt', 'ai.prompt.messages', 'ai.response.text', 'ai.toolCall.args', 'input.value', 'output.value',
  'llm.input_messages.0.message.content', 'llm.output_messages.0.message.content', 'traceloop.entity.input', 'traceloop.entity.output',
  'langfuse.observation.input', 'retrieval.documents.0.document.content', 'gen_ai.tool.call.arguments', 'lk.user_transcript', 'transcript',
]; // prettier-ignore

async function talk(words: readonly string[], birds: readonly string[]): Promise<void> {
  const other = trace.getTracer('other');
  for (const [index, word] of words.entries()) {
    const bird = birds[index % birds.length]!;
    await conversation({ sessionId: 'call', attributes: { note: bird } }, async (c) => {
      await c.step('stt', { input: word }, async (s) => {
        s.output(`${word} again`);
        s.interrupted(`because of ${bird}`);
        s.set({ [`about ${bird}`]: 1, list: ['x', bird], 'http.request.header.cookie': word });
        s.set({ 'gen_ai.response.model': bird, 'gen_ai.response.finish_reasons': [bird], 'error.type': bird });
        s.set({ [`conversation.step.timing.${bird}`]: 1 });
        return word;
      });
      const error = Object.assign(new Error(`failed for ${bird}`), { code: `no ${bird}` });
      await c.step('gpt', () => Promise.reject(error)).catch(() => {});
    });
    const attributes: Attributes = { [CONTENT_KEYS[index % CONTENT_KEYS.length]!]: word, 'url.full': bird };
    for (const key of ['error.type', 'gen_ai.operation.name', 'gen_ai.response.model', 'conversation.step.chunks']) {
      attributes[key] = bird;
    }
    const span = other.startSpan(`GET ${bird}`, {
      attributes,
      links: [
        { context: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 }, attributes: { link: bird } },
      ],
    });
    span.addEvent(`event ${bird}`, { detail: bird });
    span.addEvent('gen_ai.user.message', { content: word });
    span.recordException(new Error(`could not serve ${bird}`));
    const baggage = propagation.createBaggage({ user: { value: bird } });
    for (const [key, { value }] of baggage.getAllEntries()) span.setAttribute(`baggage.${key}`, value);
    span.end();
  }
}

const CLI = join(import.meta.dirname, '../../../cli/bin/convotel.js');

/** Every command that prints something of conversations. */
const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  recent: [],
  summary: ['latest'],
  trace: ['latest'],
  timeline: ['latest'],
  explain: ['latest'],
  sessions: [],
  session: ['latest'],
  averages: [],
  percentiles: ['gpt'],
  slow: ['--threshold', '0.001ms'],
  longest: [],
  satisfaction: [],
  correlation: [],
  errors: [],
  success: [],
  'common-errors': ['--limit', '1000'],
  usage: [],
  hours: [],
  busiest: [],
  compare: ['--at', '1s', '--span', '1h'],
  watch: ['--once', '--max-error-rate', '1'],
  doctor: [],
};
const NO_ANSWERS = ['demo', 'serve', 'ui', 'backup', 'forget', 'clickhouse', 'completion'];

function journalBytes(): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('');
}

describe('of 200 canaries, none leaves', () => {
  test.each(['http/json', 'http/protobuf'])('by %s', async (protocol) => {
    await withEnvironment({ OTEL_EXPORTER_OTLP_PROTOCOL: protocol }, async () => {
      const [words, birds] = [freeWords(), shapes()];
      const { shutdown, report } = start({
        durationMetrics: true,
        resourceAttributes: { team: birds[0]!, 'db.password': birds[1]! },
      });
      await talk(words, birds);
      const journal = journalBytes();
      await shutdown();
      expect(report()).toMatchObject({ deliveredSpans: 400, waitingSpans: 0, droppedSpans: {} });
      const sent = wire.map((body) => body.toString('latin1')).join('');
      const told = said.join('\n');
      const marks = [...words, ...birds.map(birdOf)];
      expect(new Set(marks).size).toBe(200);
      for (const place of [journal, sent, told]) expect(marks.filter((mark) => place.includes(mark))).toEqual([]);
      // The watch is awake: what may leave did.
      expect(journal).toContain('gpt');
      expect(sent).toContain('gpt');
    });
  });
});

test.each(['http/json', 'http/protobuf'])('a secret in a list that names it does not leave by %s', async (protocol) => {
  await withEnvironment({ OTEL_EXPORTER_OTLP_PROTOCOL: protocol }, async () => {
    const { shutdown } = start({
      metrics: true,
      resourceAttributes: { 'process.command_args': ['node', 'bot.js', '--db-password', 'canary', '--verbose'] },
    });
    const headers = ['accept', 'text/html', 'x-api-key', 'canary7', 'content-length', '120'];
    conversation((c) => c.step('gpt', { attributes: { headers, missing: ['password', 'name'] } }, () => 'hi'));
    await shutdown();
    const sent = wire.map((body) => body.toString('latin1')).join('');
    expect(sent).not.toContain('canary');
    for (const kept of ['--verbose', 'x-api-key', '120', 'name']) expect(sent).toContain(kept);
  });
});

test('nor does one reach the store, or what a command prints', async () => {
  const storePath = join(folder, 'store.duckdb');
  const backend = await startLocalBackend({ storePath, port: 0 });
  cleanUp = () => backend.stop();
  const { shutdown } = start({ endpoint: backend.url, metrics: false });
  const [words, birds] = [freeWords(), shapes()];
  await talk(words, birds);
  expect(await shutdown({ deadlineMs: 20_000 })).toEqual({ deliveredSpans: 400, undeliveredSpans: 0 });
  const ask = async (...command: string[]): Promise<string> => {
    const environment = { ...process.env, NODE_OPTIONS: '', CONVOTEL_FROM: backend.url, XDG_STATE_HOME: folder };
    const asked = promisify(execFile)(process.execPath, [CLI, ...command], { env: environment });
    // A command that finds something ends with another status, and has printed it.
    const { stdout, stderr } = await asked.catch((error: { stdout: string; stderr: string }) => error);
    return stdout + stderr;
  };
  const listed = [...(await ask('--help')).matchAll(/^  ([a-z-]+) {2,}\w/gm)].map(([, name]) => name!);
  expect([...Object.keys(ANSWERS), ...NO_ANSWERS].toSorted()).toEqual(listed.toSorted());
  const answers: string[] = [];
  for (const [command, words] of Object.entries(ANSWERS)) {
    const printed = await Promise.all([ask(command, ...words), ask(command, ...words, '--json')]);
    for (const text of printed) expect(text).toMatch(/gpt|stt|call|conversation|traceparent|success/i);
    answers.push(...printed);
  }
  await backend.stop();
  const marks = [...words, ...birds.map(birdOf)];
  const store = readFileSync(storePath).toString('latin1');
  for (const place of [store, answers.join('\n')]) expect(marks.filter((mark) => place.includes(mark))).toEqual([]);
  expect(answers.join('\n')).toContain('gpt');
}, 300_000);

describe('content leaves where it was switched on', () => {
  test('full: whole, and redacted', async () => {
    const { flush } = start({ captureContent: 'full' });
    await talk(['what a long word'], ['bird10@canary.example']);
    conversation((c) => c.step('tts', { input: 'write to bird11@canary.example' }, () => 'x'.repeat(5000)));
    await flush();
    const sent = wire.map(String).join('');
    expect(sent).toContain('what a long word');
    expect(sent).toContain('x'.repeat(5000));
    expect(sent).not.toMatch(/bird1\d/);
  });

  test('truncated: 1,000 characters, and the length', async () => {
    const { flush } = start({ captureContent: 'truncated' });
    conversation((c) => c.step('tts', () => 'y'.repeat(5000)));
    await flush();
    const sent = wire.map(String).join('');
    expect(sent).toContain(`"${'y'.repeat(1000)}…"`);
    expect(sent).not.toContain('y'.repeat(1001));
    expect(sent).toContain('{"key":"conversation.output.chars","value":{"intValue":5000}}');
  });

  const outputOf = async (text: string, options: TracingOptions = {}): Promise<unknown> => {
    const { flush } = start({ captureContent: 'truncated', ...options });
    conversation((c) => c.step('tts', () => text));
    await flush();
    const found = /"conversation.pii.output_text","value":\{"stringValue":("(?:[^"\\]|\\.)*")/.exec(
      wire.map(String).join(''),
    );
    return JSON.parse(found![1]!);
  };

  // At every place around the two cuts, that of the span and that of what leaves.
  test.each([960, 985, 995, 1000, 1001, 1235, 1245, 1255, 1256])(
    'truncated: no half of a secret, one that begins at %i of a long text',
    async (start) => {
      const before = 'y '.repeat(start).slice(0, start - 1);
      const text = await outputOf(`${before} bird-of-passage@canary.example ${'z '.repeat(3000)}`);
      expect(text).not.toMatch(/bird|canary/);
      expect(text).toMatch(/^(?:y ){400}.*…$/);
      expect(String(text).length).toBeLessThanOrEqual(1001);
    },
  );

  test('truncated: no half of a secret where masks have made the text much shorter', async () => {
    const many = 'bird-number-nine@canary.example '.repeat(38);
    expect(many.length + 30).toBeGreaterThan(1245);
    const text = await outputOf(`${many}y y y y y y y y y y y bird-of-passage@canary.example ${'z '.repeat(3000)}`);
    expect(text).not.toMatch(/bird|canary/);
    expect(text).toMatch(/^\[email\].*…$/);
  });

  test('truncated: the redactor of the program sees a word at the cut whole', async () => {
    const redact = (seen: string): string => seen.replaceAll(/ACCOUNT-\d{3}/g, '[an account]');
    const text = await outputOf(`${'y '.repeat(497)}ACCOUNT-777 ${'z '.repeat(3000)}`, { redact });
    expect(text).toBe(`${'y '.repeat(497)}[an ac…`);
  });

  test.each([999, 1000])('truncated: a text of %i characters is whole, without a mark', async (length) => {
    expect(await outputOf('y'.repeat(length))).toBe('y'.repeat(length));
  });

  test('truncated: a character of two halves at the cut is left out', async () => {
    expect(await outputOf(`${'y'.repeat(999)}😀${'z'.repeat(50)}`)).toBe(`${'y'.repeat(999)}…`);
  });

  test('what one setup allowed does not hold for the next', async () => {
    await start({ captureContent: 'full' }).shutdown();
    const { flush } = start();
    conversation((c) => c.step('tts', () => 'free-word'));
    await flush();
    expect(wire.map(String).join('')).toContain('"tts"');
    expect(wire.map(String).join('')).not.toContain('free-word');
  });

  test("otherContent 'keep': of other libraries only", async () => {
    const { flush } = start({ otherContent: 'keep' });
    await talk(['free-word'], ['plain']);
    await flush();
    const sent = wire.map(String).join('');
    expect(sent).toContain('"key":"gen_ai.input.messages","value":{"stringValue":"free-word"}');
    expect(sent).not.toContain('conversation.pii');
  });

  test("errorMessages 'none': no message and no stack", async () => {
    const { flush } = start({ errorMessages: 'none' });
    await talk(['free-word'], ['plain-words']);
    await flush();
    const sent = wire.map(String).join('');
    expect(sent).not.toContain('failed for');
    expect(sent).not.toContain('could not serve');
    expect(sent).toContain('"error.type"');
  });
});

test('other processors see spans as they were', async () => {
  const seen: Attributes[] = [];
  const { flush } = start();
  const span = trace.getTracer('other').startSpan('x', { attributes: { mail: 'bird10@canary.example' } });
  span.end();
  seen.push((span as unknown as { attributes: Attributes }).attributes);
  await flush();
  expect(seen).toEqual([{ mail: 'bird10@canary.example' }]);
  expect(wire.map(String).join('')).toContain('[email]');
});
