import { expect, test } from '@jest/globals';
import { ExportResultCode } from '@opentelemetry/core';
import type { ExportResult } from '@opentelemetry/core';
import { ExportQueue } from '../../src/delivery/export-queue.ts';

const success: ExportResult = { code: ExportResultCode.SUCCESS };

/** An exporter that finishes an export when the test says so. */
function manualExporter(): { started: string[]; finish: (batch: string) => void; queue: ExportQueue<string> } {
  const started: string[] = [];
  const done = new Map<string, (result: ExportResult) => void>();
  const exporter = {
    export(batch: string, finished: (result: ExportResult) => void): void {
      if (batch === 'throws') throw new Error('cannot be written as JSON');
      started.push(batch);
      done.set(batch, finished);
    },
  };
  const queue = new ExportQueue(exporter, { maxConcurrent: 2, timeoutMs: 50 });
  return { started, finish: (batch) => done.get(batch)?.(success), queue };
}

test('a batch waits for its turn', () => {
  const { started, finish, queue } = manualExporter();
  const results: [string, ExportResultCode][] = [];
  for (const batch of ['a', 'b', 'c', 'd']) queue.export(batch, ({ code }) => results.push([batch, code]));
  expect(started).toEqual(['a', 'b']);
  finish('b');
  expect(started).toEqual(['a', 'b', 'c']);
  finish('a');
  finish('c');
  finish('d');
  expect(results.map(([batch]) => batch)).toEqual(['b', 'a', 'c', 'd']);
});

test('an exporter that throws and one that never answers give a failure, once', async () => {
  const { finish, queue } = manualExporter();
  const results: (string | undefined)[] = [];
  queue.export('throws', ({ error }) => results.push(error?.message));
  queue.export('silent', ({ error }) => results.push(error?.message));
  await queue.idle();
  finish('silent');
  expect(results).toEqual(['cannot be written as JSON', 'no complete answer within 50 ms']);
});

test('stop() gives every batch its result, and later ones too', async () => {
  const { started, queue } = manualExporter();
  const results: ExportResultCode[] = [];
  for (const batch of ['a', 'b', 'c']) queue.export(batch, ({ code }) => results.push(code));
  queue.stop();
  queue.export('d', ({ code }) => results.push(code));
  expect(results).toEqual(Array(4).fill(ExportResultCode.FAILED));
  expect(started).toEqual(['a', 'b']);
  await queue.idle();
});
