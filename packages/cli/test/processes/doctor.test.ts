import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { rootSpan, stepSpan } from '@convotel/suite';
import { findFreePort } from '../../../../tests/stack/src/free-ports.ts';
import { JaegerStandIn } from '../../../query/test/sources/jaeger/jaeger-stand-in.ts';
import { checkNode } from '../../src/doctor/check.ts';
import type { Check, DoctorReport } from '../../src/doctor/check.ts';
import { toRequest } from '../main/otlp-file.ts';
import { bareEnvironment, runConvotel, startServe } from './run-convotel.ts';
import type { Serving } from './run-convotel.ts';

const ROOT = resolve(fileURLToPath(import.meta.url), '../../../../..');
const schema = JSON.parse(readFileSync(join(ROOT, 'packages/cli/schema/answers.schema.json'), 'utf8')) as Readonly<
  Record<string, unknown>
>;
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
const isValid = ajv.addSchema(schema, 'answers').getSchema('answers')!;

let folder: string;
let storePath: string;
const servings: Serving[] = [];
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-doctor-'));
  storePath = join(folder, 'conversations.duckdb');
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  for (const serving of servings.splice(0)) if (serving.process.exitCode === null) await serving.end('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function serve(path = storePath, more: readonly string[] = []): Promise<Serving> {
  const serving = await startServe(path, more);
  servings.push(serving);
  return serving;
}

/** A doctor whose programs send to `endpoint`, and whose journals are in the test's folder. */
async function doctor(
  words: readonly string[],
  environment: Record<string, string | undefined> = {},
): Promise<DoctorReport & { status: number; find(name: Check['check'], severity: Check['severity']): Check[] }> {
  const env = { XDG_STATE_HOME: join(folder, 'state'), ...environment };
  const { status, stdout, stderr } = await runConvotel(['doctor', '--json', ...words], { environment: env, folder });
  expect(stderr).toBe('');
  const report = JSON.parse(stdout) as DoctorReport;
  expect({ isValid: isValid(report), errors: isValid.errors }).toEqual({ isValid: true, errors: null });
  expect(status).toBe(report.ok ? 0 : 10);
  const find = (name: Check['check'], severity: Check['severity']): Check[] =>
    report.checks.filter((each) => each.check === name && each.severity === severity);
  return { ...report, status, find };
}

async function post(url: string, body: object, path = '/v1/traces'): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(response.status).toBe(200);
}

function conversation(id: string, agoMs: number): object {
  return toRequest({
    id,
    start: new Date(Date.now() - agoMs).toISOString(),
    steps: [{ step: 'gpt', durationMs: 900 }],
  });
}

test('a set-up in which everything works has no problem and no warning', async () => {
  const { url } = await serve();
  await post(url, conversation('fresh', 60_000));
  const words = ['--store', storePath];
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: url, TZ: 'Europe/Berlin' };

  const report = await doctor(words, environment);
  expect(report.checks.filter(({ severity }) => severity !== 'good')).toEqual([]);
  expect(report).toMatchObject({ ok: true, status: 0, source: { kind: 'serve', location: url } });
  expect(report.checks.map(({ check }) => check)).toEqual([
    'node',
    'settings',
    'source',
    'store',
    'spans',
    'endpoint',
    'journal',
  ]);
  expect(report.find('spans', 'good')[0]).toMatchObject({
    text: expect.stringMatching(
      /^Spans arrive: the newest conversation, fresh, began \d minutes? ago; 2 spans of 1 conversation/,
    ),
    evidence: { conversationId: 'fresh', spansOfTheLastDay: 2 },
  });
  expect(report.settings).toEqual(
    expect.arrayContaining([
      { name: 'from', value: 'local', saidBy: '--store' },
      { name: 'store', value: storePath, saidBy: '--store' },
      { name: 'tz', value: 'Europe/Berlin', saidBy: 'TZ' },
      { name: 'conversation.target', value: '7s', saidBy: 'default' },
      { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: url, saidBy: 'environment' },
    ]),
  );

  const text = await runConvotel(['doctor', ...words], {
    environment: { XDG_STATE_HOME: join(folder, 'state'), ...environment },
    folder,
  });
  expect(text).toMatchObject({ status: 0, stderr: '' });
  expect(text.stdout).toMatch(/^✓ Node\.js [^]*\nSettings:\n  from [^]*\nNothing is wrong\.\n$/);
});

describe('where programs send', () => {
  test('nobody listens there: a problem, with the variable that says so', async () => {
    await serve();
    const endpoint = `http://127.0.0.1:${await findFreePort()}`;
    const report = await doctor(['--store', storePath], { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    expect(report.ok).toBe(false);
    expect(report.find('endpoint', 'problem')[0]).toMatchObject({
      text: expect.stringContaining(
        `${endpoint}/v1/traces (OTEL_EXPORTER_OTLP_ENDPOINT), which does not accept their spans: connection refused`,
      ),
      advice: expect.stringContaining('Start `convotel serve`'),
    });
  });

  test('an address without a scheme, and values that cannot be used, are named; no secret is shown', async () => {
    await serve();
    const report = await doctor(['--store', storePath], {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '50%',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer hunter2-hunter2',
      CONVOTEL_FROM: 'http://somebody:hunter2-hunter2@127.0.0.1:9/?key=hunter2-hunter2',
    });
    expect(report.find('environment', 'warning').map(({ text }) => text)).toEqual([
      expect.stringContaining('OTEL_TRACES_SAMPLER_ARG is "50%", which cannot be used'),
      expect.stringContaining('OTEL_EXPORTER_OTLP_ENDPOINT is "collector:4318", which cannot be used'),
    ]);
    expect(report.find('endpoint', 'problem')).toHaveLength(1);
    expect(JSON.stringify(report)).not.toContain('hunter2');
    expect(report.settings).toContainEqual({
      name: 'OTEL_EXPORTER_OTLP_HEADERS',
      value: '(not shown)',
      saidBy: 'environment',
    });
  });

  test('another `serve` than the one that is read is pointed out', async () => {
    const read = await serve();
    const other = await serve(join(folder, 'other.duckdb'));
    const report = await doctor(['--from', read.url], { OTEL_EXPORTER_OTLP_ENDPOINT: other.url });
    expect(report.find('endpoint', 'warning')[0]!.text).toBe(
      `Programs send to the \`convotel serve\` at ${other.url}, but commands read ${read.url}.`,
    );
  });

  test('a back end that asks for a token is told from one that is not there', async () => {
    const tokens = join(folder, 'tokens.txt');
    await writeFile(tokens, 'a-token-of-this-test-0123456789\n');
    const { url } = await serve(storePath, ['--token-file', tokens]);
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: url };
    const without = await doctor(['--from', url], environment);
    expect(without.find('endpoint', 'problem')[0]).toMatchObject({
      text: expect.stringMatching(/not accept their spans: answered 401/),
      advice: expect.stringContaining('OTEL_EXPORTER_OTLP_HEADERS'),
    });
    expect(without.find('source', 'problem')[0]!.text).toMatch(/asks for a token/);

    const withToken = await doctor(['--from', url.replace('://', '://token:a-token-of-this-test-0123456789@')], {
      ...environment,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer a-token-of-this-test-0123456789',
    });
    expect(withToken.ok).toBe(true);
  });

  test('tracing that is switched off is said', async () => {
    await serve();
    const report = await doctor(['--store', storePath], { OTEL_SDK_DISABLED: 'true' });
    expect(report.find('environment', 'warning')[0]!.text).toMatch(/send no spans: OTEL_SDK_DISABLED is true/);
  });
});

describe('where commands read', () => {
  test('a Jaeger', async () => {
    const start = new Date(Date.now() - 3 * 86_400_000).toISOString();
    const jaeger = await JaegerStandIn.start([rootSpan({ start, ms: 500 }), stepSpan('gpt', { start, ms: 500 })]);
    try {
      const report = await doctor(['--from', jaeger.address]);
      expect(report).toMatchObject({ ok: true, source: { kind: 'jaeger', location: jaeger.address } });
      expect(report.find('spans', 'warning')[0]!.text).toMatch(/^Nothing arrives at the moment: .* began 3 days ago/);
      // Nobody said that anything is to be sent from here.
      expect(report.find('endpoint', 'problem')).toEqual([]);
    } finally {
      await jaeger.stop();
    }
  });

  test('a file, and one that holds no spans', async () => {
    const file = join(folder, 'spans.jsonl');
    await writeFile(file, `${JSON.stringify(conversation('of a file', 5_000))}\n`);
    expect(await doctor(['--from', file])).toMatchObject({ ok: true, source: { kind: 'file' } });
    await writeFile(file, '{"traces": []}\n');
    expect((await doctor(['--from', file])).find('source', 'problem')).toHaveLength(1);
  });

  test('nothing: a problem that says what to do, and the other checks stand', async () => {
    const report = await doctor(['--from', `http://127.0.0.1:${await findFreePort()}`]);
    expect(report.find('source', 'problem')[0]!.text).toMatch(/^Cannot read from .*refused.*Start/i);
    expect(report.source).toBeUndefined();
    expect(report.find('journal', 'good')).toHaveLength(1);
  });

  test('a store without a conversation says what to do', async () => {
    const { url } = await serve();
    const report = await doctor(['--store', storePath], { OTEL_EXPORTER_OTLP_ENDPOINT: url });
    expect(report).toMatchObject({ ok: true });
    expect(report.find('spans', 'warning')[0]).toMatchObject({ advice: expect.stringContaining('convotel demo') });
  });

  test('what was accepted and not kept, and files that were put aside', async () => {
    const first = await serve();
    await post(first.url, conversation('kept', 60_000));
    await first.end('SIGKILL');
    const log = `${storePath}.wal`;
    await appendFile(log, Buffer.alloc(64, 0xa5));
    const { url } = await serve();
    await post(url, conversation('too old', 400 * 86_400_000));
    await post(url, conversation('from the future', -3 * 86_400_000));
    await post(url, { traces: [] });
    await post(url, { resourceMetrics: [] }, '/v1/metrics');
    const report = await doctor(['--store', storePath], { OTEL_EXPORTER_OTLP_ENDPOINT: url });
    expect(report.find('store', 'warning').map(({ text }) => text)).toEqual([
      'It did not keep 2 spans since it started, which had ended before the oldest time that is kept.',
      'It did not keep 2 spans since it started, which ended in the future.',
      'It did not keep 1 request since it started, which contained JSON that is not OTLP.',
      expect.stringMatching(/\.wal\.damaged-\S+ was found damaged and put aside\.$/),
    ]);
    expect(report.find('store', 'info')[0]!.text).toMatch(/discarded 1 request with metrics or logs/);
    await servings.at(-1)!.end('SIGTERM');
    const unserved = await doctor(['--store', storePath], { OTEL_SDK_DISABLED: 'true' });
    expect(unserved.source).toMatchObject({ kind: 'local' });
    expect(unserved.find('store', 'warning')).toHaveLength(1);
  });
});

describe('settings', () => {
  test('that are damaged are a problem with the key, and everything else is still looked at', async () => {
    const path = join(folder, 'convotel.json');
    await writeFile(path, '{ "steps": { "gpt": { "target": "soon" } } }');
    const { url } = await serve();
    const report = await doctor(['--store', storePath], { OTEL_EXPORTER_OTLP_ENDPOINT: url });
    expect(report.ok).toBe(false);
    expect(report.find('settings', 'problem')[0]).toMatchObject({
      text: expect.stringContaining(`${path}: steps.gpt.target must be a time`),
      advice: expect.stringContaining('refuses to run'),
    });
    expect(report.find('endpoint', 'good')).toHaveLength(1);

    await writeFile(path, '{ "tz": "Asia/Kolkata", "conversation": { "target": "4s" } ');
    expect((await doctor(['--store', storePath])).find('settings', 'problem')[0]!.text).toMatch(/is not valid JSON/);
    await writeFile(path, '{ "tz": "Asia/Kolkata", "conversation": { "target": "4s" }, "from": "spans.jsonl" }');
    const mended = await doctor([], { TZ: undefined });
    expect(mended.find('settings', 'good')[0]!.text).toBe(
      `${path}, found by the working folder, is valid and sets tz, conversation, from.`,
    );
    expect(mended.settings).toEqual(
      expect.arrayContaining([
        { name: 'from', value: join(folder, 'spans.jsonl'), saidBy: 'convotel.json' },
        { name: 'tz', value: 'Asia/Kolkata', saidBy: 'convotel.json' },
        { name: 'conversation.target', value: '4s', saidBy: 'convotel.json' },
      ]),
    );
  });

  test('a TZ that names no zone is a warning', async () => {
    const report = await doctor([], { TZ: 'Mars/Olympus' });
    expect(report.find('time-zone', 'warning')[0]!.text).toMatch(/TZ is "Mars\/Olympus".*times are in UTC\.$/);
  });
});

test.each([
  ['20.19.0', 'good'],
  ['20.18.3', 'problem'],
  ['21.7.0', 'problem'],
  ['22.14.0', 'problem'],
  ['22.15.0', 'good'],
  ['23.11.0', 'problem'],
  ['24.0.0', 'good'],
  ['26.1.0', 'good'],
])('Node.js %s: %s', async (version, severity) => {
  const manifest = JSON.parse(await readFile(join(ROOT, 'packages/cli/package.json'), 'utf8')) as {
    engines: { node: string };
  };
  expect(checkNode(version, manifest.engines.node).severity).toBe(severity);
});

describe('journals of programs on this machine', () => {
  /** Records `spans` steps with nobody to take them, and says so; then it waits. */
  const PROGRAM = `
    import { startTracing } from '@convotel/sdk';
    import { conversation } from '@convotel/tracing';
    startTracing({ serviceName: 'voice-bot', warn: () => undefined });
    await conversation({}, async (c) => { await c.step('stt', () => 'heard'); await c.step('gpt', () => 'said'); });
    process.stdout.write('recorded');
    setInterval(() => undefined, 1000);
  `;

  async function program(endpoint: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
      cwd: join(ROOT, 'packages/cli'),
      env: bareEnvironment({ XDG_STATE_HOME: join(folder, 'state'), OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    await once(child.stdout, 'data');
    return child;
  }

  test('what waits in a running program is said; what a dead one left is a warning; nothing is changed', async () => {
    const endpoint = `http://127.0.0.1:${await findFreePort()}`;
    const child = await program(endpoint);
    const running = await doctor(['--store', storePath], { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    expect(running.find('journal', 'info')[0]).toMatchObject({
      text: 'voice-bot: 1 process running, 3 spans not delivered yet.',
      evidence: { service: 'voice-bot', waitingSpans: 3, leftBehindSpans: 0 },
    });

    child.kill('SIGKILL');
    await once(child, 'exit');
    for (const time of ['first', 'second']) {
      const dead = await doctor(['--store', storePath], { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
      expect([time, dead.find('journal', 'warning')[0]]).toMatchObject([
        time,
        {
          text: expect.stringMatching(/^voice-bot: 3 spans left by processes that have ended, the last at 20/),
          advice: expect.stringContaining('Start the program again'),
        },
      ]);
    }

    // What doctor has looked at is sent by the next start, once.
    const { url } = await serve();
    await program(url);
    const { find } = await untilDelivered(url);
    expect(find('journal', 'good')[0]!.text).toBe('voice-bot: 1 process running, and no spans of it wait.');
    expect(find('spans', 'good')[0]!.evidence).toMatchObject({ spansOfTheLastDay: 6, conversationsOfTheLastDay: 2 });
  });

  async function untilDelivered(url: string): ReturnType<typeof doctor> {
    for (;;) {
      const report = await doctor(['--store', storePath], { OTEL_EXPORTER_OTLP_ENDPOINT: url });
      const spans = report.checks.find(({ check }) => check === 'spans')?.evidence['spansOfTheLastDay'];
      if (spans === 6 && report.find('journal', 'info').length === 0) return report;
    }
  }

  test('a folder that cannot be read is said, and does not end the others', async () => {
    await mkdir(join(folder, 'state/convotel'), { recursive: true });
    await writeFile(join(folder, 'state/convotel/journal'), 'not a folder');
    const report = await doctor([]);
    expect(report.checks.some(({ check }) => check === 'journal')).toBe(true);
  });
});
