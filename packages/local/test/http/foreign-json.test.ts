import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startLocalBackend, type LocalBackend } from '@convotel/local';
import { jsonRequest, jsonStep, send } from '../sending.ts';

let folder: string;
let backend: LocalBackend;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-foreign-'));
  backend = await startLocalBackend({ storePath: join(folder, 'store.duckdb'), port: 0 });
});
afterAll(async () => {
  await backend.stop();
  await rm(folder, { recursive: true });
});

const answerTo = async (body: string): Promise<unknown> => {
  const received = await send(`${backend.url}/v1/traces`, { body });
  expect(received.status).toBe(200);
  return JSON.parse(received.body.toString());
};
const foreignBodies = async (): Promise<unknown> => {
  const { body } = await send(`${backend.url}/healthz`, { method: 'GET' });
  return (JSON.parse(body.toString()) as { foreignBodies: unknown }).foreignBodies;
};

test('JSON that is not OTLP is said not to be kept, and counted', async () => {
  for (const body of ['{"data":[{"traceID":"1"}]}', '{"resourceLogs":[]}', '{"a":1,"b":2,"c":3,"d":4}']) {
    const before = await foreignBodies();
    expect(await answerTo(body)).toEqual({
      partialSuccess: {
        rejectedSpans: '0',
        errorMessage: expect.stringMatching(
          /^nothing was kept: the JSON has "\w+".* and no "resourceSpans"/,
        ) as unknown,
      },
    });
    expect(await foreignBodies()).toBe(Number(before) + 1);
  }
});

test.each(['{}', '{"resourceSpans":[]}', jsonRequest(jsonStep('gpt'))])('nothing is said of %s', async (body) => {
  const before = await foreignBodies();
  expect(await answerTo(body)).toEqual({});
  expect(await foreignBodies()).toBe(before);
});
