import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startTracing } from '@convotel/sdk';
import type { Tracing } from '@convotel/sdk';
import { inspectJournals } from '@convotel/sdk/internal';
import { startConversation } from '@convotel/tracing';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';

let folder: string;
let running: Tracing | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convotel-inspect-'));
});
afterEach(async () => {
  await running?.shutdown({ deadlineMs: 100 });
  rmSync(folder, { recursive: true, force: true });
});

function start(endpoint = 'http://127.0.0.1:9'): Tracing {
  running = startTracing({
    serviceName: 'Voice Bot',
    endpoint,
    metrics: false,
    captureContent: 'full',
    journal: { folder, maxBytes: 1024 * 1024 },
    warn: () => undefined,
  });
  return running;
}

/** Steps that fill the journal some bytes at a time. */
function record(steps: number, textLength: number): void {
  const handle = startConversation();
  for (let step = 0; step < steps; step++) handle.step('gpt', { input: 'words '.repeat(textLength / 6) }, () => step);
}

const filesBelow = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.seg'));

test('what waits and what was dropped is what the program itself reports, while it runs and when it has ended', async () => {
  const tracing = start();
  record(600, 6_000);
  const before = tracing.report();
  expect(before.droppedSpans['journal_full']).toBeGreaterThan(100);
  const [alive] = await inspectJournals(folder);
  expect(alive).toMatchObject({ runningProcesses: 1, waitingSpans: before.waitingSpans, leftBehindSpans: 0 });
  expect(alive!.service).toMatch(/^Voice Bot-[0-9a-f]{12}$/);
  expect(alive!.bytes).toBeLessThanOrEqual(1024 * 1024);

  await tracing.shutdown({ deadlineMs: 100 });
  const { waitingSpans, droppedSpans } = tracing.report();
  const [ended] = await inspectJournals(folder);
  expect(ended).toMatchObject({ runningProcesses: 0, waitingSpans, leftBehindSpans: waitingSpans, droppedSpans });
});

test('what is delivered does not wait', async () => {
  const receiver = await startOtlpReceiver();
  try {
    const tracing = start(receiver.endpoint);
    record(20, 60);
    await tracing.flush();
    expect(tracing.report().waitingSpans).toBe(0);
    expect(await inspectJournals(folder)).toMatchObject([{ runningProcesses: 1, waitingSpans: 0, damagedSpans: 0 }]);
  } finally {
    await receiver.stop();
  }
});

test('a damaged record is counted, files of an unknown format too, and looking changes no file', async () => {
  start();
  record(50, 60);
  const [file] = filesBelow(folder).map((each) => join(folder, each));
  const bytes = readFileSync(file!);
  bytes[Math.floor(bytes.length / 2)]! ^= 0xff;
  writeFileSync(file!, bytes);
  writeFileSync(file!.replace(/\d{6}-1-/, '000009-7-'), 'of another release');
  const before = filesBelow(folder).map((each) => readFileSync(join(folder, each), 'latin1'));
  const [journal] = await inspectJournals(folder);
  expect(journal).toMatchObject({ waitingSpans: 49, damagedSpans: 1, unknownFiles: 1 });
  expect(filesBelow(folder).map((each) => readFileSync(join(folder, each), 'latin1'))).toEqual(before);
});

test('spans that are cut off the end are counted', async () => {
  const tracing = start();
  record(50, 60);
  await tracing.shutdown();
  const { waitingSpans } = tracing.report();
  const [file] = filesBelow(folder).map((each) => join(folder, each));
  truncateSync(file!, Math.floor(statSync(file!).size / 2));
  const [journal] = await inspectJournals(folder);
  expect(journal!.damagedSpans).toBeGreaterThan(1);
  expect(journal!.waitingSpans + journal!.damagedSpans).toBe(waitingSpans);
});

test('where there is no folder, there is no journal', async () => {
  expect(await inspectJournals(join(folder, 'none'))).toEqual([]);
});
