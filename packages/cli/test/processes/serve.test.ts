import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FOUR_CONVERSATIONS, toRequest } from '../main/otlp-file.ts';
import { BIN, bareEnvironment, runConvotel, startServe } from './run-convotel.ts';
import type { Serving } from './run-convotel.ts';

let folder: string;
let storePath: string;
let serving: Serving | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-serve-'));
  storePath = join(folder, 'conversations.duckdb');
});

afterEach(async () => {
  if (serving?.process.exitCode === null) await serving.end('SIGKILL');
  serving = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** The fixtures are of 2025; retention would take them away whenever it happens to look. */
const KEEP_ALL = ['--max-age', '36500d'];

async function send(url: string): Promise<void> {
  for (const conversation of FOUR_CONVERSATIONS) {
    const response = await fetch(`${url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(toRequest(conversation)),
    });
    expect(response.status).toBe(200);
  }
}

describe('a store', () => {
  test('is asked through the serve that holds it, and read as a file when nobody does', async () => {
    serving = await startServe(storePath, KEEP_ALL);
    await send(serving.url);
    const words = ['recent', '--store', storePath, '--tz', 'UTC'];

    const whileServed = await runConvotel([...words, '--json']);
    expect(whileServed.stderr).toBe('');
    expect(JSON.parse(whileServed.stdout)).toMatchObject({ source: { kind: 'serve', location: serving.url } });

    expect(await serving.end('SIGTERM')).toBe(0);
    const afterwards = await runConvotel([...words, '--json']);
    expect(afterwards.stderr).toBe('');
    const { source, data } = JSON.parse(afterwards.stdout) as { source: object; data: { conversationId: string }[] };
    expect(source).toEqual({ kind: 'local', location: storePath });
    expect(JSON.parse(whileServed.stdout)).toMatchObject({ data });
    expect(data.map(({ conversationId }) => conversationId)).toEqual(['bad-0', 'good-2', 'good-1', 'good-0']);
  });

  test('is whole after serve was killed, though its address still stands beside it', async () => {
    serving = await startServe(storePath, KEEP_ALL);
    await send(serving.url);
    await serving.end('SIGKILL');
    const { status, stdout, stderr } = await runConvotel(['summary', 'good-0', '--store', storePath]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('Total Duration: 6.600s (6600ms)');
  });

  test('is served by one process at a time; the second one says so', async () => {
    serving = await startServe(storePath);
    const second = await runConvotel(['serve', '--port', '0', '--store', storePath]);
    expect({ status: second.status, stdout: second.stdout }).toEqual({ status: 1, stdout: '' });
    expect(second.stderr).toContain(storePath);
  });
});

test('serve says where it listens, what it keeps, and for how long', async () => {
  serving = await startServe(storePath, ['--max-age', '7d', '--max-size', '500MiB']);
  await serving.printed('Ctrl-C ends it.');
  expect(serving.output().split('\n')[0]).toContain(serving.url);
  expect(serving.output()).toContain(storePath);
  expect(serving.output()).toContain('7 days');
  expect(serving.output()).toContain('500 MiB');
});

describe('serve says why it refuses, and the command says so too', () => {
  test('under another name than that of this machine', async () => {
    serving = await startServe(storePath);
    const from = serving.url.replace('127.0.0.1', '0.0.0.0');
    const { status, stdout, stderr } = await runConvotel(['recent', '--from', from]);
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toContain(`refuses (status 403): "this back end answers only requests to a loopback address`);
    expect(stderr).toContain(`such as ${serving.url}`);
    expect(stderr).not.toMatch(/password|credentials/);
  });

  test('without a token that it knows', async () => {
    const tokens = join(folder, 'tokens.txt');
    await writeFile(tokens, 'a-token-of-this-test-0123456789\n');
    serving = await startServe(storePath, ['--token-file', tokens]);
    const ask = (environment: Record<string, string>) =>
      runConvotel(['recent', '--from', serving!.url], { environment });
    for (const environment of [{}, { CONVOTEL_TOKEN: 'another' }] as Record<string, string>[]) {
      const { status, stderr } = await ask(environment);
      expect(status).toBe(3);
      expect(stderr).toMatch(/asks for a token, and was sent none that it knows .* Set CONVOTEL_TOKEN/);
    }
    expect(await ask({ CONVOTEL_TOKEN: 'a-token-of-this-test-0123456789' })).toMatchObject({ status: 0, stderr: '' });
  });
});

test('a port that is taken is told with the way out', async () => {
  serving = await startServe(storePath);
  const port = new URL(serving.url).port;
  const second = await runConvotel(['serve', '--port', port, '--store', join(folder, 'other.duckdb')]);
  expect(second.status).toBe(1);
  expect(second.stderr).toMatch(new RegExp(`${port}[^]*--port`));
});

test('Ctrl-C ends a command that waits for an answer with 130', async () => {
  let hasAsked: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (hasAsked = resolve));
  const silent = createServer(() => hasAsked()).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const from = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const child = spawn(process.execPath, [BIN, 'recent', '--from', from], { env: bareEnvironment() });
  await asked;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  silent.closeAllConnections();
  await new Promise((resolve) => silent.close(resolve));
});

test('Ctrl-C ends serve with 0', async () => {
  serving = await startServe(storePath);
  expect(await serving.end('SIGINT')).toBe(0);
});
