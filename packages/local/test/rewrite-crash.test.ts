import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDuckDbSource } from '@convotel/local';
import type { Window } from '@convotel/query';
import { startServe } from './children/start-serve.ts';
import { jsonRequest, jsonStep, send, until } from './sending.ts';

const KILLS = 5;
const SPANS_PER_REQUEST = 40;
/** Each round starts processes and writes much; a loaded machine takes its time. */
const DEADLINE_MS = 240_000;
const EVERYTHING: Window = { sinceUnixNano: 0n, untilUnixNano: 2n ** 63n - 1n };
const seed = Number(process.env['CONVOTEL_TEST_SEED'] ?? Math.floor(Math.random() * 1_000_000));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-rewrite-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

test(
  `${KILLS} × kill -9 while the store is rewritten again and again: nothing acknowledged is missing`,
  async () => {
    console.log(`seed: ${seed}`);
    const storePath = join(folder, 'rewritten.duckdb');
    const acknowledged = new Set<string>();
    let state = seed;
    let rewrites = 0;
    for (let round = 0; round < KILLS; round++) {
      // It rewrites, makes checkpoints and migrates an empty file to a store, without a pause.
      const serve = await startServe(storePath, 'rewriting');
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      const killAfter = 1 + (state % 12);
      let requests = 0;
      const sendUntilGone = async (): Promise<void> => {
        for (;;) {
          const steps = Array.from({ length: SPANS_PER_REQUEST }, () => jsonStep('gpt'));
          try {
            const { status } = await send(`${serve.url}/v1/traces`, { body: jsonRequest(...steps) });
            expect(status).toBe(200);
          } catch {
            return;
          }
          for (const step of steps) acknowledged.add(step['traceId'] as string);
          requests += 1;
        }
      };
      const senders = [sendUntilGone(), sendUntilGone()];
      // A rewrite that is complete is among what must hold; a busy machine takes longer for one than for the requests.
      await until(() => requests >= killAfter * 3 && (round > 0 || serve.lines.includes('rewritten')));
      await serve.kill('SIGKILL');
      await Promise.all(senders);
      rewrites += serve.lines.filter((line) => line === 'rewritten').length;
      const source = await openDuckDbSource(storePath);
      const { data } = await source.ask({ name: 'step-durations', window: EVERYTHING });
      await source.close();
      const stored = new Set(data.traceIds);
      expect([...acknowledged].filter((traceId) => !stored.has(traceId))).toEqual([]);
      expect(data.traceIds.length).toBe(stored.size);
    }
    expect(rewrites).toBeGreaterThan(0);
    await (await startServe(storePath)).kill('SIGTERM');
    // What the killed ones left behind is gone.
    expect(
      (await readdir(folder)).filter((name) => /rewrit.*\.|backup|damaged/.test(name.slice('rewritten.duckdb'.length))),
    ).toEqual([]);
  },
  DEADLINE_MS,
);
