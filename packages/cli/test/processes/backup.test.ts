import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { FOUR_CONVERSATIONS, toRequest } from '../main/otlp-file.ts';
import { runConvotel, startServe } from './run-convotel.ts';
import type { Serving } from './run-convotel.ts';

let folder: string;
let storePath: string;
let serving: Serving | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-backup-'));
  storePath = join(folder, 'conversations.duckdb');
});

afterEach(async () => {
  if (serving?.process.exitCode === null) await serving.end('SIGKILL');
  serving = undefined;
  await rm(folder, { recursive: true, force: true });
});

test('backup copies the store of a running serve, and the copy answers as the store does', async () => {
  serving = await startServe(storePath, ['--max-age', '36500d']);
  for (const conversation of FOUR_CONVERSATIONS) {
    await fetch(`${serving.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(toRequest(conversation)),
    });
  }
  const backup = join(folder, 'backup.duckdb');
  const made = await runConvotel(['backup', backup, '--store', storePath]);
  expect(made).toMatchObject({ status: 0, stderr: '' });
  expect(made.stdout).toContain(`${backup}: `);
  expect(made.stdout).toContain(serving.url);
  const listed = async (path: string): Promise<string> => (await runConvotel(['recent', '--store', path])).stdout;
  expect(await listed(backup)).toBe(await listed(storePath));

  const again = await runConvotel(['backup', backup, '--store', storePath]);
  expect([again.status, again.stdout]).toEqual([1, '']);
  expect(again.stderr).toMatch(/no backup was made: .*backup\.duckdb exists/);
});

test('backup without a store says so, and makes nothing', async () => {
  const { status, stderr } = await runConvotel(['backup', join(folder, 'backup.duckdb'), '--store', storePath]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/there is no store at /);
  expect(await readdir(folder)).toEqual([]);
});
