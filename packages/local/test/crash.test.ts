import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findRunningBackend, openDuckDbSource, startLocalBackend } from '@convotel/local';
import type { Window } from '@convotel/query';
import { startServe } from './children/start-serve.ts';
import { jsonRequest, jsonStep, send } from './sending.ts';

const KILLS = 3;
const SENDERS = 4;
const SPANS_PER_REQUEST = 50;
const EVERYTHING: Window = { sinceUnixNano: 0n, untilUnixNano: 2n ** 63n - 1n };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-crash-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Sends until the back end is gone. Returns the trace ids of what it acknowledged, and of what it may have kept. */
async function sendUntilGone(
  url: string,
  onAcknowledged: () => void,
): Promise<{ acknowledged: string[]; unanswered: string[] }> {
  const acknowledged: string[] = [];
  for (;;) {
    const steps = Array.from({ length: SPANS_PER_REQUEST }, () => jsonStep('gpt'));
    const traceIds = steps.map((step) => step['traceId'] as string);
    try {
      const { status } = await send(`${url}/v1/traces`, { body: jsonRequest(...steps) });
      expect(status).toBe(200);
      acknowledged.push(...traceIds);
      onAcknowledged();
    } catch {
      return { acknowledged, unanswered: traceIds };
    }
  }
}

async function storedTraceIds(storePath: string): Promise<Set<string>> {
  const source = await openDuckDbSource(storePath);
  const { data, coverage } = await source.ask({ name: 'step-durations', window: EVERYTHING });
  await source.close();
  expect(coverage.spans).toBe(data.traceIds.length);
  return new Set(data.traceIds);
}

test(`${KILLS} × kill -9 under load: nothing that was acknowledged is missing, and the store opens`, async () => {
  const storePath = join(folder, 'killed.duckdb');
  const acknowledged: string[] = [];
  const possible: string[] = [];
  for (let round = 0; round < KILLS; round++) {
    const serve = await startServe(storePath);
    expect(await findRunningBackend(storePath)).toBe(serve.url);
    // In the middle of the work: when so many requests have been acknowledged, all senders wait for the next answer.
    let left = 30 + round * 20;
    let isEnough: () => void = () => undefined;
    const enough = new Promise<void>((resolve) => (isEnough = resolve));
    const count = (): void => {
      left -= 1;
      if (left === 0) isEnough();
    };
    const sent = Promise.all(Array.from({ length: SENDERS }, () => sendUntilGone(serve.url, count)));
    await Promise.race([enough, sent]);
    await serve.kill('SIGKILL');
    for (const { acknowledged: kept, unanswered } of await sent) {
      acknowledged.push(...kept);
      possible.push(...kept, ...unanswered);
    }
    expect(await findRunningBackend(storePath)).toBeUndefined();
    const stored = await storedTraceIds(storePath);
    expect(acknowledged.filter((traceId) => !stored.has(traceId))).toEqual([]);
    expect([...stored].filter((traceId) => !possible.includes(traceId))).toEqual([]);
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(150 * SPANS_PER_REQUEST);
});

test('a store that another process holds is said to be locked, for writing and for reading', async () => {
  const storePath = join(folder, 'held.duckdb');
  const serve = await startServe(storePath);
  try {
    await expect(startLocalBackend({ storePath, port: 0 })).rejects.toMatchObject({
      name: 'LocalError',
      code: 'STORE_LOCKED',
    });
    await expect(openDuckDbSource(storePath)).rejects.toMatchObject({ name: 'SourceError', code: 'STORE_LOCKED' });
  } finally {
    await serve.kill('SIGTERM');
  }
  await (await openDuckDbSource(storePath)).close();
});
