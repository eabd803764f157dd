import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startSpanReceiver } from '../processes/span-receiver.ts';
import type { ReceivedSpan, SpanReceiver } from '../processes/span-receiver.ts';
import { findFreePort } from '../stack/src/free-ports.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, '../..');
const MODULES = join(HERE, 'node_modules');
/** Beside the modules, so that a program finds the packages as an installed one does. */
const PROGRAMS = join(HERE, 'dist');
const run = promisify(execFile);

/** What the other tool's own back end was sent, as text. */
interface OtherBackend {
  url: string;
  received(path: string): string;
  stop(): void;
}

let convotel: SpanReceiver;
let other: OtherBackend;
let running: ChildProcess[];
let state: string;

beforeAll(async () => {
  rmSync(PROGRAMS, { recursive: true, force: true });
  mkdirSync(PROGRAMS, { recursive: true });
  await unpackOurPackages();
  for (const [name, text] of programsOfThePage()) {
    const path = join(PROGRAMS, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
});

beforeEach(async () => {
  convotel = await startSpanReceiver();
  other = await startOtherBackend();
  running = [];
  state = mkdtempSync(join(tmpdir(), 'convotel-other-tools-'));
});

afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  await convotel.stop();
  other.stop();
  rmSync(state, { recursive: true, force: true });
});

afterAll(() => rmSync(PROGRAMS, { recursive: true, force: true }));

/** Packed and unpacked: a link would bring the repository's own copy of OpenTelemetry along. */
async function unpackOurPackages(): Promise<void> {
  const archives = mkdtempSync(join(tmpdir(), 'convotel-packs-'));
  const pack = join(ROOT, 'scripts/release/pack.mjs');
  const { stdout } = await run(process.execPath, [pack, archives], { maxBuffer: 1 << 26 });
  for (const { name, path } of JSON.parse(stdout) as { name: string; path: string }[]) {
    if (!/^@convotel\/(conventions|sdk|tracing)$/.test(name)) continue;
    const folder = join(MODULES, name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await run('tar', ['xzf', path, '-C', folder, '--strip-components=1']);
  }
  rmSync(archives, { recursive: true, force: true });
}

/** Name and text of every program of the page. */
function programsOfThePage(): [string, string][] {
  const page = readFileSync(join(ROOT, 'docs/with-other-tools.md'), 'utf8');
  return [...page.matchAll(/```javascript\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(([, name, text]) => [name!, text!]);
}

async function startOtherBackend(): Promise<OtherBackend> {
  const bodies: { path: string; text: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('latin1');
      bodies.push({ path: request.url ?? '', text });
      response.end('{}');
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: (path) =>
      bodies
        .filter((body) => body.path.startsWith(path))
        .map(({ text }) => text)
        .join('\n'),
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  return {
    ...process.env,
    NODE_OPTIONS: '',
    XDG_STATE_HOME: state,
    OTEL_EXPORTER_OTLP_ENDPOINT: convotel.url,
    SENTRY_DSN: other.url.replace('http://', 'http://key@') + '/1',
    YOUR_TRACES: `${other.url}/v1/traces`,
    DD_TRACE_AGENT_URL: other.url,
    DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
    DD_TRACE_STARTUP_LOGS: 'false',
    NEXT_TELEMETRY_DISABLED: '1',
    ...more,
  };
}

/** Runs a program to its end; what it writes to standard error fails the test. */
async function runProgram(name: string, more: Record<string, string> = {}): Promise<void> {
  const { stderr } = await run(process.execPath, [join(PROGRAMS, name)], { env: environment(more), timeout: 60_000 });
  expect(stderr).toBe('');
}

/** A program as the page has it, with one package in place of another. */
function variant(name: string, from: string, to: string): string {
  const copy = `variant-${name}`;
  const text = readFileSync(join(PROGRAMS, name), 'utf8');
  expect(text).toContain(from);
  writeFileSync(join(PROGRAMS, copy), text.replaceAll(from, to));
  return copy;
}

/** The names and parents of convotel's own spans. */
function shape(spans: readonly ReceivedSpan[]): string[] {
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
  return spans
    .filter(({ attributes }) => 'conversation.id' in attributes)
    .map(({ name, parentSpanId }) => `${parentSpanId === undefined ? 'no parent' : names.get(parentSpanId)} > ${name}`)
    .toSorted();
}

const ONE_STEP = ['conversation > gpt', 'no parent > conversation'];

const REGISTER = 'new tracer.TracerProvider().register();\n';

/** Two names in what Sentry was sent, and whether any of ours is there. */
function sentryEnvelope(): string {
  const envelope = other.received('/api/1/envelope');
  expect(envelope).toContain('a stale entry');
  expect(envelope).not.toMatch(/conversation\.step|"gpt"|"conversation"/);
  return envelope;
}

test.each(['10 as it is', '10 with tracesSampleRate', '11 as it is', '11 with tracesSampleRate'])(
  'a private provider beside Sentry %s: each has its own spans, and none of the other',
  async (version) => {
    const samples = version.endsWith('Rate');
    let program = 'sentry.mjs';
    if (version.startsWith('10')) program = variant(program, '@sentry/node', 'sentry-10');
    if (samples) program = variant(program, '{ dsn: ', '{ tracesSampleRate: 1, dsn: ');
    await runProgram(program);
    expect(shape(convotel.spans)).toEqual(ONE_STEP);
    expect(convotel.spans).toHaveLength(2);
    const envelope = sentryEnvelope();
    for (const name of ['answer a call', 'look up']) {
      expect(new RegExp(`"(description|transaction|name)":"${name}"`).test(envelope)).toBe(samples);
    }
  },
);

test('Sentry 11 registers no provider, so ours may be the registered one', async () => {
  await runProgram(variant('sentry.mjs', ", provider: 'private'", ", provider: 'own'"));
  expect(shape(convotel.spans)).toEqual(ONE_STEP);
  sentryEnvelope();
});

test.each([
  ['as it is', (text: string) => text],
  ['with its provider registered', (text: string) => text.replace(/(?=const tracing)/, REGISTER)],
])('a private provider beside Datadog %s', async (_, change) => {
  writeFileSync(join(PROGRAMS, 'variant-datadog.mjs'), change(readFileSync(join(PROGRAMS, 'datadog.mjs'), 'utf8')));
  await runProgram('variant-datadog.mjs');
  expect(shape(convotel.spans)).toEqual(ONE_STEP);
  expect(convotel.spans).toHaveLength(2);
  const traces = other.received('/v0.4/traces');
  expect(traces).toContain('answer.call');
  expect(traces).toContain('look.up');
  expect(traces).not.toMatch(/conversation\.|gpt/);
});

test('where Datadog is the OpenTelemetry SDK, that is said', async () => {
  const env = environment({ DD_TRACE_OTEL_ENABLED: 'true' });
  const { stderr } = await run(process.execPath, [join(PROGRAMS, 'datadog.mjs')], { env, timeout: 60_000 });
  expect(stderr).toMatch(/^convotel: another tool .* Unset DD_TRACE_OTEL_ENABLED.*\n$/);
  expect(convotel.spans).toEqual([]);
});

/** Starts a server on a free port, and resolves when it answers. */
async function startServer(
  words: string[],
  options: { folder?: string; more?: Record<string, string> } = {},
): Promise<{ address: string; stop(): Promise<void> }> {
  const port = await findFreePort();
  const child = spawn(process.execPath, words, {
    cwd: options.folder ?? PROGRAMS,
    env: environment({ ...options.more, PORT: String(port) }),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.push(child);
  let complaints = '';
  child.stderr!.on('data', (chunk) => (complaints += String(chunk)));
  const address = `http://127.0.0.1:${port}`;
  await waitFor(async () => {
    if (child.exitCode !== null) throw new Error(`the server has ended: ${complaints}`);
    return fetch(address).then(
      () => true,
      () => false,
    );
  });
  return {
    address,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      expect(complaints).toBe('');
    },
  };
}

async function waitFor(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('the condition did not come true within 60 s');
    await new Promise((later) => setTimeout(later, 50));
  }
}

const CALLER = '0af7651916cd43dd8448eb211c80319c';
const headers = { traceparent: `00-${CALLER}-b7ad6b7169203331-01` };

test('NodeSDK with auto-instrumentations and Express: one trace with the spans of the HTTP client, for both back ends', async () => {
  const model = createServer((_request, response) => response.end('hello'));
  await new Promise<void>((listening) => model.listen(0, '127.0.0.1', listening));
  const more = { MODEL_URL: `http://127.0.0.1:${(model.address() as AddressInfo).port}` };
  const server = await startServer(['--require', './instrumentation.cjs', 'express.cjs'], { more });
  expect(await (await fetch(`${server.address}/ask`, { headers })).text()).toBe('hello');
  await server.stop();
  model.close();
  expect(shape(convotel.spans)).toEqual(ONE_STEP);
  const step = convotel.spans.find(({ name }) => name === 'gpt')!;
  expect(step.service).toBe('voice-bot');
  const inside = convotel.spans.filter(({ parentSpanId }) => parentSpanId === step.spanId);
  expect(inside.map(({ name }) => name)).toContain('GET');
  expect(convotel.spans.some(({ name, traceId }) => name === 'GET /ask' && traceId === CALLER)).toBe(true);
  expect(other.received('/v1/traces')).toContain('conversation.step.name');
});

test('Fastify with startTracing alone: the conversation lasts as long as the stream', async () => {
  const server = await startServer(['fastify.mjs']);
  expect(await (await fetch(`${server.address}/ask`, { headers })).text()).toBe('hello there');
  await server.stop();
  expect(shape(convotel.spans)).toEqual(ONE_STEP);
  const step = convotel.spans.find(({ name }) => name === 'gpt')!;
  expect(step.attributes).toMatchObject({ 'conversation.step.chunks': 3, 'conversation.outcome': 'completed' });
  // Linked both ways: a span in the caller's trace leads to the conversation.
  expect(convotel.spans.filter(({ traceId }) => traceId === CALLER)).toHaveLength(1);
});

test.each([true, false])('Next.js, with convotel as external packages: %s', async (isExternal) => {
  const folder = join(PROGRAMS, `next-${isExternal}`);
  for (const file of ['instrumentation.js', 'app', ...(isExternal ? ['next.config.mjs'] : [])]) {
    cpSync(join(PROGRAMS, file), join(folder, file), { recursive: true });
  }
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  writeFileSync(
    join(folder, 'app/layout.js'),
    'export default ({ children }) => <html><body>{children}</body></html>;\n',
  );
  writeFileSync(join(folder, 'app/page.js'), 'export default () => <p>ask</p>;\n');
  const next = join(MODULES, 'next/dist/bin/next');
  await run(process.execPath, [next, 'build', '.'], { cwd: folder, env: environment(), timeout: 240_000 });
  const server = await startServer([next, 'start', '.', '-H', '127.0.0.1'], { folder });
  const answer = await fetch(`${server.address}/api/chat`, { method: 'POST', body: 'why', headers });
  expect(await answer.text()).toBe('You asked: why');
  // Next.js handles SIGTERM itself, and ends at once.
  await waitFor(() => convotel.spans.some(({ name }) => name === 'conversation'));
  await server.stop();
  expect(shape(convotel.spans)).toEqual(ONE_STEP);
  const step = convotel.spans.find(({ name }) => name === 'gpt')!;
  expect(step.attributes).toMatchObject({ 'conversation.step.chunks': 3, 'conversation.outcome': 'completed' });
  expect(convotel.spans.some(({ name, traceId }) => name === 'POST /api/chat' && traceId === CALLER)).toBe(true);
});

test('@vercel/otel takes the processor', async () => {
  const path = join(PROGRAMS, 'with-vercel-otel.mjs');
  const lines = [
    "import { register } from './vercel-otel.mjs';",
    "import { conversation } from '@convotel/tracing';",
    'register();',
    "await conversation((c) => c.step('gpt', async () => 'hello'));",
  ];
  writeFileSync(path, lines.join('\n'));
  await runProgram('with-vercel-otel.mjs');
  expect(shape(convotel.spans)).toEqual(ONE_STEP);
  expect(convotel.spans[0]!.service).toBe('voice-bot');
});
