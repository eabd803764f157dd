import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDuckDbSource } from '@convotel/local';
import { startServe } from './children/start-serve.ts';
import { jsonRequest, jsonStep, send } from './sending.ts';

const SPANS_PER_REQUEST = 200;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-full-disk-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Limits how large a file the process may write, which to it looks like a full disk. */
function limitFileSize(pid: number, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
}

const isLinux = process.platform === 'linux';

(isLinux ? test : test.skip)('answers 503 while the store cannot be written, and works again afterwards', async () => {
  const storePath = join(folder, 'full.duckdb');
  const serve = await startServe(storePath);
  let acknowledged = 0;
  const sendSome = async (): Promise<number> => {
    const steps = Array.from({ length: SPANS_PER_REQUEST }, () => jsonStep('gpt'));
    const { status, headers } = await send(`${serve.url}/v1/traces`, { body: jsonRequest(...steps) });
    if (status === 200) acknowledged += SPANS_PER_REQUEST;
    else expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    return status;
  };
  try {
    expect(await sendSome()).toBe(200);
    const { size } = await stat(`${storePath}.wal`);
    limitFileSize(serve.process.pid!, size + 20_000);
    const statuses = [await sendSome(), await sendSome(), await sendSome()];
    expect(statuses).toContain(503);
    expect(statuses.every((status) => status === 200 || status === 503)).toBe(true);
    const health = async (): Promise<unknown> =>
      JSON.parse((await send(`${serve.url}/healthz`, { method: 'GET' })).body.toString());
    expect(await health()).toMatchObject({ status: 'unwritable', problem: expect.stringMatching(/cannot be written/) });

    const question = `${serve.url}/api/v1/conversations?order=newest&limit=1`;
    expect([200, 503]).toContain((await send(question, { method: 'GET' })).status);

    limitFileSize(serve.process.pid!, 'unlimited');
    expect((await send(question, { method: 'GET' })).status).toBe(200);
    expect([await sendSome(), await sendSome()]).toEqual([200, 200]);
    expect(await health()).toMatchObject({ status: 'ok' });
    // One notice when it began, one when it was over.
    expect(serve.notices().match(/Spans are refused/g)).toHaveLength(1);
    expect(serve.notices().match(/spans are stored again/g)).toHaveLength(1);
  } finally {
    await serve.kill('SIGTERM');
  }
  const source = await openDuckDbSource(storePath);
  const window = { sinceUnixNano: 0n, untilUnixNano: 2n ** 63n - 1n };
  const { coverage } = await source.ask({ name: 'common-errors', window, limit: 1 });
  expect(coverage.spans).toBe(acknowledged);
  await source.close();
});
