import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { toRequest } from '../main/otlp-file.ts';
import { bareEnvironment, BIN, runConvotel, startServe } from './run-convotel.ts';
import type { Serving } from './run-convotel.ts';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

let folder: string;
let storePath: string;
let serving: Serving | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-forget-'));
  storePath = join(folder, 'conversations.duckdb');
});
afterEach(async () => {
  if (serving?.process.exitCode === null) await serving.end('SIGKILL');
  serving = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** A text that the store would show in its bytes. */
const SAID = 'my-account-number-is-4711';

async function fill(url: string, headers: Record<string, string> = {}): Promise<void> {
  for (const id of ['kept', 'unwanted']) {
    const start = new Date(Date.now() - 60_000).toISOString();
    const steps = [
      { step: 'stt', durationMs: 100, input: id === 'unwanted' ? SAID : 'hello' },
      { step: 'gpt', durationMs: 300 },
    ];
    const body = JSON.stringify(toRequest({ id, start, steps }));
    const sent = await fetch(`${url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    expect(sent.status).toBe(200);
  }
}

async function isOnDisk(): Promise<boolean> {
  const files = (await readdir(folder)).filter((name) => name.startsWith('conversations.duckdb'));
  const contents = await Promise.all(files.map((name) => readFile(join(folder, name), 'latin1')));
  return contents.some((bytes) => bytes.includes(SAID));
}

async function ids(words: readonly string[], environment: Record<string, string> = {}): Promise<unknown[]> {
  const { stdout, stderr } = await runConvotel(['recent', '--json', ...words], { environment });
  expect(stderr).toBe('');
  return (JSON.parse(stdout) as { data: { conversationId: string }[] }).data.map(
    ({ conversationId }) => conversationId,
  );
}

test('a conversation is gone from the answers and from the disk of a running serve, and no other is', async () => {
  serving = await startServe(storePath);
  await fill(serving.url);
  expect(await isOnDisk()).toBe(true);
  const forgotten = await runConvotel(['forget', 'unwanted', '--store', storePath]);
  expect(forgotten).toMatchObject({ status: 0, stderr: '' });
  expect(forgotten.stdout).toContain(`unwanted: 3 spans deleted from ${serving.url}, and off its disk.`);
  expect(await ids(['--store', storePath])).toEqual(['kept']);
  expect(await isOnDisk()).toBe(false);

  const again = await runConvotel(['forget', 'unwanted', '--store', storePath]);
  expect(again).toMatchObject({ status: 4, stdout: '' });
  expect(again.stderr).toBe(`convotel: no conversation "unwanted" in ${serving.url}\n`);
  // It can be sent again, as one that is new.
  await fill(serving.url);
  expect(await ids(['--store', storePath])).toHaveLength(2);
});

test('a store that nobody serves is changed as a file', async () => {
  serving = await startServe(storePath);
  await fill(serving.url);
  await serving.end('SIGTERM');
  const forgotten = await runConvotel(['forget', 'unwanted', '--store', storePath]);
  expect(forgotten).toMatchObject({ status: 0, stderr: '' });
  expect(await isOnDisk()).toBe(false);
  expect(await ids(['--store', storePath])).toEqual(['kept']);
});

test('a token must be one that may delete; CONVOTEL_TOKEN shows it', async () => {
  const tokens = join(folder, 'tokens');
  await writeFile(tokens, 'send,read reader-0123456789abcdef\ndelete deleter-0123456789abcdef\n');
  serving = await startServe(storePath, ['--token-file', tokens]);
  await fill(serving.url, { authorization: 'Bearer reader-0123456789abcdef' });
  const words = ['forget', 'unwanted', '--from', serving.url];
  const reader = { CONVOTEL_TOKEN: 'reader-0123456789abcdef' };
  expect(await ids(['--from', serving.url], reader)).toHaveLength(2);
  expect(await ids(['--store', storePath], reader)).toHaveLength(2);

  const refused = await runConvotel(words, { environment: reader });
  expect(refused).toMatchObject({ status: 1, stdout: '' });
  expect(refused.stderr).toMatch(/was not deleted: .* answered 403: this token may not delete/);
  const without = await runConvotel(words);
  expect(without.stderr).toMatch(/answered 401/);
  const done = await runConvotel(words, { environment: { CONVOTEL_TOKEN: 'deleter-0123456789abcdef' } });
  expect(done).toMatchObject({ status: 0, stderr: '' });
  expect(await ids(['--from', serving.url], reader)).toEqual(['kept']);
});

test.each([['spans.jsonl'], ['clickhouse://127.0.0.1/otel']])('nothing is deleted from %s', async (from) => {
  const { status, stderr } = await runConvotel(['forget', 'x', '--from', from]);
  expect(status).toBe(2);
  expect(stderr).toMatch(/convotel deletes from its own store only/);
});

test('a serve on a Unix socket is found by its store, and asked by its address', async () => {
  const socket = join(folder, 'convotel.sock');
  const child = spawn(process.execPath, [BIN, 'serve', '--socket', socket, '--store', storePath], {
    env: bareEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    expect(String((await once(child.stdout, 'data'))[0])).toContain(`convotel recent --from unix:${socket}`);
    for (const words of [
      ['--store', storePath],
      ['--from', `unix:${socket}`],
    ]) {
      const { stdout, stderr } = await runConvotel(['recent', '--json', ...words]);
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toMatchObject({ source: { kind: 'serve', location: `unix:${socket}` }, data: [] });
    }
    const backup = join(folder, 'backup.duckdb');
    expect(await runConvotel(['backup', backup, '--store', storePath])).toMatchObject({ status: 0, stderr: '' });
    // What convotel.json names is an address too, and no file beside it.
    await writeFile(join(folder, 'convotel.json'), JSON.stringify({ from: `unix:${socket}` }));
    const { stdout } = await runConvotel(['recent', '--json'], { folder });
    expect(JSON.parse(stdout)).toMatchObject({ source: { location: `unix:${socket}` } });
  } finally {
    child.kill('SIGINT');
    if (child.exitCode === null) await once(child, 'exit');
  }
});
