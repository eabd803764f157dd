import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { SpanRecord } from '@convotel/query';
import { Database } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrations.ts';
import { StepTable } from '../../src/store/numbered-tables.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-steps-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

function span(role: SpanRecord['role'], step?: string): SpanRecord {
  return {
    traceId: '0'.repeat(31) + '1',
    spanId: '0'.repeat(15) + '1',
    name: step ?? role,
    startTimeUnixNano: 0n,
    durationNano: 0n,
    role,
    ...(step !== undefined && { step }),
    depth: 0,
    outcome: 'completed',
    isRecovered: false,
  };
}

const steps = (...names: string[]): SpanRecord[] => names.map((name) => span('step', name));

test('each step name has one number, whoever asks and in whatever order', async () => {
  const database = await Database.open(join(folder, 'steps.duckdb'), {
    isReadOnly: false,
    memoryLimitBytes: 64 * 2 ** 20,
  });
  await database.lend(async (connection) => {
    await migrate(connection, 'steps.duckdb');
    const first = new StepTable(connection);
    await first.learn([...steps('stt', 'gpt', 'stt'), span('root'), span('other')]);
    expect(steps('gpt', 'stt').map((step) => first.idOf(step))).toEqual([1, 2]);
    expect([span('root'), span('other')].map((other) => first.idOf(other))).toEqual([0, undefined]);

    const second = new StepTable(connection);
    await second.learn(steps('tts', 'stt', ''));
    expect(steps('stt', '', 'tts').map((step) => second.idOf(step))).toEqual([2, 3, 4]);

    // Half a surrogate pair is stored as U+FFFD, so it is that step.
    await second.learn(steps('\ud800', '\ufffd', '\ud801'));
    expect(steps('\ud800', '\ufffd', '\ud801').map((step) => second.idOf(step))).toEqual([5, 5, 5]);
  });
  await database.close();
});
