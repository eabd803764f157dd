import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openFileSource, SourceError } from '@convotel/query';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-file-source-'));
  path = join(folder, 'spans.jsonl');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A line with one step of the conversation `id`, as the collector's file exporter writes it. */
function lineOf(id: string, hexDigit: string): string {
  const text = (key: string, value: string): object => ({ key, value: { stringValue: value } });
  const span = {
    traceId: hexDigit.repeat(32),
    spanId: hexDigit.repeat(16),
    parentSpanId: '',
    name: 'gpt',
    kind: 1,
    startTimeUnixNano: '1759926622123456789',
    endTimeUnixNano: '1759926623123456789',
    attributes: [
      text('conversation.id', id),
      text('conversation.step.name', 'gpt'),
      text('conversation.pii.output_text', `said ${id}`),
      text('own.attribute', 'kept'),
    ],
    status: {},
  };
  return JSON.stringify({ resourceSpans: [{ resource: {}, scopeSpans: [{ scope: {}, spans: [span] }] }] });
}

async function idsIn(file: string): Promise<string[]> {
  const source = await openFileSource(file);
  const { data } = await source.ask({ name: 'conversations', order: 'newest', limit: 10 });
  await source.close();
  return data.map(({ conversationId }) => conversationId).sort();
}

async function failureOf(asking: Promise<unknown>): Promise<SourceError> {
  const error: unknown = await asking.catch((e: unknown) => e);
  if (!(error instanceof SourceError)) throw new Error('did not fail with a SourceError', { cause: error });
  return error;
}

describe('a file of OTLP/JSON lines', () => {
  test('is read whatever its line ends, blank lines and byte order mark', async () => {
    await writeFile(path, `\ufeff${lineOf('one', '1')}\r\n\n  \n${lineOf('two', '2')}`);
    expect(await idsIn(path)).toEqual(['one', 'two']);
  });

  test('may hold lines of metrics and logs', async () => {
    await writeFile(path, `{"resourceMetrics":[]}\n${lineOf('one', '1')}\n{"resourceLogs":[]}\n`);
    const source = await openFileSource(path);
    const { coverage } = await source.ask({ name: 'conversations', order: 'newest', limit: 10 });
    expect(coverage).toEqual({ conversations: 1, spans: 1, complete: true, warnings: [] });
  });

  test('hands over one conversation whole, from wherever its lines stand', async () => {
    await writeFile(path, `${lineOf('grüße 👋', '1')}\n${lineOf('two', '2')}\n${lineOf('three', '3')}\n`);
    const source = await openFileSource(path);
    const { data, coverage } = await source.ask({ name: 'conversation', conversationId: 'two' });
    expect(data.spans).toHaveLength(1);
    expect(data.spans[0]).toMatchObject({
      conversationId: 'two',
      outputText: 'said two',
      rest: { attributes: [{ key: 'own.attribute', value: { stringValue: 'kept' } }] },
    });
    expect(coverage).toEqual({ conversations: 1, spans: 1, complete: true, warnings: [] });
  });

  test('counts and shows a span of which only what no answer reads is malformed', async () => {
    const line = lineOf('one', '1').replace('"status":{}', '"status":{},"links":[{"traceId":"short"}]');
    expect(line).toContain('short');
    await writeFile(path, `${line}\n${lineOf('two', '2')}\n`);
    const source = await openFileSource(path);
    const { data, coverage } = await source.ask({ name: 'conversation', conversationId: 'one' });
    expect(data.spans).toMatchObject([{ conversationId: 'one', step: 'gpt' }]);
    expect(coverage).toEqual({ conversations: 1, spans: 1, complete: true, warnings: [] });
  });

  test('names the lines that cannot be read, and is incomplete', async () => {
    const badId = lineOf('three', '3').replace('3'.repeat(32), 'short');
    await writeFile(path, `{"resourceSpans": [\n${lineOf('one', '1')}\n${badId}\n7\n`);
    await appendFile(path, Buffer.from([0xff, 0xfe, 0x0a]));
    await appendFile(path, lineOf('two', '2').slice(0, 300));
    const source = await openFileSource(path);
    const { data, coverage } = await source.ask({ name: 'conversations', order: 'newest', limit: 10 });
    expect(data).toHaveLength(1);
    expect(coverage.complete).toBe(false);
    expect(coverage.warnings.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^Line 1 of .*spans\.jsonl was skipped: it is not valid JSON/),
      expect.stringMatching(/^Line 3 of .* was skipped: .*traceId/),
      expect.stringMatching(/^Line 4 of .* was skipped: /),
      expect.stringMatching(/^Line 5 of .* was skipped: it is not UTF-8\.$/),
      expect.stringMatching(/^Line 6 of .* was skipped: it is not valid JSON/),
    ]);
  });

  test('names ten lines that cannot be read, and counts the others', async () => {
    await writeFile(path, `${'x\n'.repeat(25)}${lineOf('one', '1')}\n`);
    const source = await openFileSource(path);
    const { coverage } = await source.ask({ name: 'conversation', conversationId: 'one' });
    expect(coverage.warnings).toHaveLength(11);
    expect(coverage.warnings[10]).toEqual({
      code: 'unread',
      text: expect.stringMatching(/^15 more lines of .* were skipped\.$/),
    });
    expect(coverage.complete).toBe(false);
  });

  test('is read again when it has grown', async () => {
    await writeFile(path, `${lineOf('one', '1')}\n`);
    const source = await openFileSource(path);
    const count = async (): Promise<number> =>
      (await source.ask({ name: 'conversations', order: 'newest', limit: 9 })).data.length;
    expect(await count()).toBe(1);
    await appendFile(path, `${lineOf('two', '2')}\n`);
    expect(await count()).toBe(2);
    expect((await source.ask({ name: 'conversation', conversationId: 'two' })).data.spans).toHaveLength(1);
  });

  test('may be pretty-printed, several requests one after the other, and arrays of requests', async () => {
    const request = (id: string, digit: string): unknown => JSON.parse(lineOf(id, digit));
    const [one, two, three] = [request('one', '1'), request('two', '2'), request('three', '3')];
    for (const written of [
      [one, two, three].map((each) => JSON.stringify(each, undefined, 2)).join('\n'),
      JSON.stringify([one, two, three]),
      JSON.stringify([one, two, three], undefined, 4),
      `[\n${[one, two, three].map((each) => JSON.stringify(each)).join(',\n')}\n]\n`,
      `${JSON.stringify(one)}\r\n${JSON.stringify([two, three], undefined, 2).replaceAll('\n', '\r\n')}`,
    ]) {
      await writeFile(path, written);
      const source = await openFileSource(path);
      const { coverage } = await source.ask({ name: 'conversations', order: 'newest', limit: 10 });
      expect(coverage).toEqual({ conversations: 3, spans: 3, complete: true, warnings: [] });
      const { data } = await source.ask({ name: 'conversation', conversationId: 'two' });
      expect(data.spans).toMatchObject([{ conversationId: 'two', outputText: 'said two' }]);
    }
  });

  test('of which a pretty-printed part was torn loses only that part', async () => {
    const pretty = JSON.stringify(JSON.parse(lineOf('torn', '1')), undefined, 2)
      .split('\n')
      .slice(0, 9);
    await writeFile(path, `${pretty.join('\n')}\n${lineOf('two', '2')}\n`);
    const source = await openFileSource(path);
    const { data, coverage } = await source.ask({ name: 'conversations', order: 'newest', limit: 10 });
    expect(data.map(({ conversationId }) => conversationId)).toEqual(['two']);
    expect(coverage.complete).toBe(false);
  });

  test.each([
    ['gzip', gzipSync(lineOf('one', '1')), 'a gzip archive', 'gunzip'],
    ['Jaeger', '{"data":[{"traceID":"1","spans":[]}]}', "Jaeger's user interface", '--from http'],
    ['Jaeger API v3', '{"result":{"resourceSpans":[]}}', 'API v3', 'jq -c .result'],
    ['Tempo', JSON.stringify({ trace: { resourceSpans: [] } }, undefined, 2), "Tempo's API", 'jq -c .trace'],
    ['Tempo, older', '{"batches":[]}', "Tempo's API", 'resourceSpans: .batches'],
    ['protobuf names', '{"resource_spans":[]}', 'resource_spans', 'OTLP/JSON'],
    ['console', '{"name":"a","context":{"trace_id":"0x1"}}', 'console exporter', 'Export by OTLP'],
    ['metrics', '{"resourceMetrics":[]}\n{"resourceLogs":[]}\n', 'OTLP metrics or logs', 'traces'],
    ['an array of others', '[{"a":1},{"b":2}]', 'JSON with the keys "a"', 'OTLP/JSON'],
    ['notes', 'some notes\nof mine\n', 'not JSON', 'OTLP/JSON'],
    ['a mistake in the request', '{"resourceSpans":7}', 'invalid OTLP/JSON', 'resourceSpans'],
  ])(
    'of which nothing is a request of traces is an error that says what it is: %s',
    async (_what, content, is, next) => {
      await writeFile(path, content);
      const source = await openFileSource(path);
      const error = await failureOf(source.ask({ name: 'conversations', order: 'newest', limit: 10 }));
      expect(error.code).toBe('NOT_OTLP');
      expect(error.message).toContain(`Nothing in ${path} can be read as spans: it looks like `);
      expect(error.message).toContain(is);
      expect(error.message).toContain(next);
    },
  );

  test('beside requests names documents of another kind', async () => {
    await writeFile(path, `${lineOf('one', '1')}\n{"batches":[]}\n`);
    const source = await openFileSource(path);
    const { coverage } = await source.ask({ name: 'conversations', order: 'newest', limit: 10 });
    expect(coverage).toMatchObject({ spans: 1, complete: false });
    expect(coverage.warnings[0]!.text).toMatch(/^Line 2 of .* was skipped: it looks like a response of Tempo's API\.$/);
  });

  test('may hold requests without spans', async () => {
    await writeFile(path, '{"resourceSpans":[]}\n{}\n\n');
    expect(await idsIn(path)).toEqual([]);
  });

  test('may be empty', async () => {
    await writeFile(path, '');
    expect(await idsIn(path)).toEqual([]);
  });

  test('cannot be read where there is none, and the error says what to do', async () => {
    const error = await failureOf(openFileSource(path));
    expect(error.code).toBe('UNREACHABLE');
    expect(error.message).toMatch(/^Cannot read .*spans\.jsonl: there is no such file\. Give a file of OTLP\/JSON,/);
  });

  test('cannot be read when it is gone, or a folder', async () => {
    await writeFile(path, `${lineOf('one', '1')}\n`);
    const source = await openFileSource(path);
    await rm(path);
    expect((await failureOf(source.ask({ name: 'conversation', conversationId: 'one' }))).code).toBe('UNREACHABLE');
    const ofFolder = await openFileSource(folder);
    expect((await failureOf(ofFolder.ask({ name: 'conversation', conversationId: 'one' }))).code).toBe('UNREACHABLE');
  });
});
