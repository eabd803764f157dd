import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { OtlpReceiver } from '../support/otlp-receiver.ts';

const folder = dirname(fileURLToPath(import.meta.url));

let receiver: OtlpReceiver;
let journal: string;

beforeEach(async () => {
  journal = mkdtempSync(join(tmpdir(), 'convotel-sdk-'));
  receiver = await startOtlpReceiver();
});

afterEach(async () => {
  await receiver.stop();
  rmSync(journal, { recursive: true, force: true });
});

interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program of its own from the built packages until it exits by itself. */
function run(program: string, environment: NodeJS.ProcessEnv): Promise<Ended> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '', JOURNAL_FOLDER: journal, ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => {
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}

const PROGRAM = `
  import { startTracing } from '@convotel/sdk';
  import { conversation } from '@convotel/tracing';
  const tracing = startTracing({ journal: { folder: process.env.JOURNAL_FOLDER } });
  await conversation(async (c) => { for (let i = 0; i < 20000; i += 1) c.step('think', () => i); });
  console.log(JSON.stringify(await tracing.shutdown({ deadlineMs: Number(process.env.DEADLINE_MS) })));
`;

jest.setTimeout(60_000);

test('a program that ends in the usual way leaves nothing behind', async () => {
  const ended = await run(PROGRAM, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, DEADLINE_MS: '10000' });
  expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
  expect(JSON.parse(ended.stdout)).toEqual({ deliveredSpans: 20_001, undeliveredSpans: 0 });
  expect(receiver.spans()).toHaveLength(20_001);
});

test('a back end that is not there: one warning on standard error, exit status 0, gone at once', async () => {
  // A program that waited for its deadline would still run when the test gives up.
  const ended = await run(PROGRAM, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', DEADLINE_MS: '600000' });
  expect(ended.exitCode).toBe(0);
  expect(JSON.parse(ended.stdout)).toMatchObject({ deliveredSpans: 0, undeliveredSpans: 20_001 });
  expect(ended.stderr.trim().split('\n')).toHaveLength(1);
  expect(ended.stderr).toContain('cannot be delivered to http://127.0.0.1:9/v1/traces');
});

test('a back end that answers a byte at a time does not hold the program', async () => {
  receiver.answerBy((response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(' '), 50);
    response.on('close', () => clearInterval(timer));
  });
  const ended = await run(PROGRAM, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, DEADLINE_MS: '500' });
  expect(ended.exitCode).toBe(0);
  expect(JSON.parse(ended.stdout)).toMatchObject({ undeliveredSpans: 20_001 });
});
