import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openDuckDbSource } from '@convotel/local';
import type { SpanRecord } from '@convotel/query';
import { createSpanColumns, FieldValues } from '../../src/store/span-rows.ts';
import { KnownSpanIds } from '../../src/store/known-span-ids.ts';
import { SpanStore } from '../../src/store/span-store.ts';

const OPTIONS = { memoryLimitBytes: 128 * 2 ** 20 };

let folder: string;
let storesMade = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-store-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

function nextPath(): string {
  storesMade += 1;
  return join(folder, `${storesMade}.duckdb`);
}

function step(fields: Partial<SpanRecord> = {}): SpanRecord {
  return {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: 'gpt',
    step: 'gpt',
    role: 'step',
    depth: 0,
    outcome: 'completed',
    isRecovered: false,
    startTimeUnixNano: 1_760_000_000_000_000_000n,
    durationNano: 5n,
    ...fields,
  };
}

const scalar = (store: SpanStore, sql: string): Promise<unknown> =>
  store.read(async (connection) => (await connection.runAndReadAll(sql)).getRows()[0]![0]);

test('reads back every text and number of a long conversation as it was written', async () => {
  const texts = [
    undefined,
    '',
    'a',
    'exactly 12 b',
    'exactly 13 by',
    'Grüße',
    '声音',
    '\ufeffmark',
    `${'long '.repeat(2_000)}end`,
  ];
  const path = nextPath();
  const store = await SpanStore.open(path, OPTIONS);
  const traceId = '0123456789abcdef'.repeat(2);
  const spans = Array.from({ length: 5_000 }, (_, index) => {
    // Runs of equal texts, some of them absent throughout a chunk of a result.
    const [inputText, errorMessage] = [texts[(index >> 2) % texts.length], texts[(index >> 9) % texts.length]];
    return step({
      traceId,
      spanId: (index + 1).toString(16).padStart(16, '0'),
      startTimeUnixNano: 1_760_000_000_000_000_000n + BigInt(index),
      depth: index,
      step: `step-${index % 3}`,
      name: `step-${index % 3}`,
      ...(inputText !== undefined && { inputText }),
      ...(errorMessage !== undefined && errorMessage !== '' && { errorMessage }),
      ...(index % 5 === 0 && { attempt: 2, parentSpanId: index.toString(16).padStart(16, '0') }),
      ...(index > 4_000 && {
        inputTokens: index,
        timeToFirstOutputSeconds: index / 7,
        timingsSeconds: { wait: index },
      }),
      ...(index % 1_000 === 0 && { rest: { kind: 3, scope: { name: 's', version: `${index}` } } }),
    });
  });
  await store.append(spans);
  await store.close();
  const source = await openDuckDbSource(path);
  try {
    const { data } = await source.ask({ name: 'conversation', conversationId: traceId });
    expect(data.spans).toStrictEqual(spans);
  } finally {
    await source.close();
  }
}, 60_000);

describe('a span', () => {
  const whole = step({
    traceId: `f${'0'.repeat(30)}1`,
    spanId: 'ffffffffffffffff',
    parentSpanId: '0000000000000001',
    name: 'another name',
    startTimeUnixNano: 2n ** 63n - 1n,
    durationNano: 0n,
    depth: 3,
    attempt: 2,
    outcome: 'abandoned',
    isRecovered: true,
    conversationId: 'it\'s \u0000 "quoted" 👋 \'; DROP TABLE spans',
    sessionId: '',
    workflow: 'w',
    serviceName: 's',
    samplingRatio: 0.25,
    errorType: 'E',
    errorMessage: 'x'.repeat(100_000),
    inputText: '',
    outputText: 'o',
    inputChars: 0,
    outputChars: 2 ** 31 - 1,
    timeToFirstOutputSeconds: 0.1,
    timingsSeconds: { queue_wait: 0.08, 'odd \u0000 part': -1e300 },
    rest: {
      kind: 3,
      flags: 4_294_967_295,
      traceState: 'a=b',
      status: { code: 1, message: 'm' },
      attributes: [{ key: 'k', value: { arrayValue: { values: [{ intValue: '9223372036854775807' }] } } }],
      events: [{ name: 'e' }],
      links: [{ traceId: '1' }],
      resourceAttributes: [{ key: 'host', value: { stringValue: 'h' } }],
      scope: { name: 'lib', version: '1' },
    },
  });

  test('comes back as it was stored', async () => {
    const store = await SpanStore.open(nextPath(), OPTIONS);
    await store.append([whole, step({ traceId: whole.traceId, conversationId: whole.conversationId! })]);
    await store.close();
    const source = await openDuckDbSource(store.path);
    const { data } = await source.ask({ name: 'conversation', conversationId: whole.conversationId! });
    expect(data.spans).toHaveLength(2);
    expect(data.spans[1]).toEqual(whole);
    await source.close();
  });

  test('has a value for every column of the table', async () => {
    const store = await SpanStore.open(nextPath(), OPTIONS);
    const names = await scalar(
      store,
      "SELECT string_agg(column_name, ' ' ORDER BY column_name) FROM duckdb_columns() WHERE table_name = 'spans'",
    );
    expect(
      createSpanColumns(new FieldValues())
        .map(({ name }) => name)
        .toSorted()
        .join(' '),
    ).toBe(names);
    await store.close();
  });

  test('among more than one chunk of rows keeps its own values', async () => {
    const store = await SpanStore.open(nextPath(), OPTIONS);
    const spans = Array.from({ length: 5000 }, (_, index) =>
      step({
        conversationId: `c${index}`,
        ...(index % 3 === 0 && { inputChars: index }),
        ...(index % 7 === 0 && { timingsSeconds: { [`part ${index % 5}`]: index } }),
      }),
    );
    await store.append(spans);
    await store.close();
    const source = await openDuckDbSource(store.path);
    for (const index of [0, 2047, 2048, 2049, 4095, 4096, 4998, 4999]) {
      expect((await source.ask({ name: 'conversation', conversationId: `c${index}` })).data.spans).toEqual([
        spans[index],
      ]);
    }
    await source.close();
  });
});

describe('copies', () => {
  test('that arrive at one time are counted once, whoever sends them', async () => {
    const store = await SpanStore.open(nextPath(), OPTIONS);
    const spans = Array.from({ length: 300 }, () => step());
    await Promise.all(Array.from({ length: 10 }, () => store.append(spans)));
    expect(await scalar(store, 'SELECT count(*) FROM spans')).toBe(300n);
    expect(store.counts()).toEqual({ receivedSpans: 3000, storedSpans: 300, refusedSpans: 0 });
    await store.close();
  });

  test('are told apart from spans that share one of the two ids', async () => {
    const store = await SpanStore.open(nextPath(), OPTIONS);
    const span = step();
    await store.append([span, step({ traceId: span.traceId }), step({ spanId: span.spanId })]);
    await store.append([step({ spanId: span.spanId })]);
    expect(await scalar(store, 'SELECT count(*) FROM spans')).toBe(4n);
    await store.close();
  });

  test('are recognised after a restart, by ids and start', async () => {
    const path = nextPath();
    const span = step();
    const first = await SpanStore.open(path, OPTIONS);
    await first.append([span]);
    await first.close();
    const second = await SpanStore.open(path, OPTIONS);
    await second.append([{ ...span, durationNano: 9n }]);
    expect(await scalar(second, "SELECT count(*) || ' ' || max(duration_ns) FROM spans")).toBe('1 9');
    const again = { ...span, startTimeUnixNano: span.startTimeUnixNano + 9n };
    await second.append([again, again, { ...again, durationNano: 12n }]);
    await second.append([{ ...span, durationNano: 8n }]);
    expect(await scalar(second, "SELECT string_agg(duration_ns, ' ' ORDER BY start_ns) FROM spans")).toBe('9 12');
    await second.close();
  });
});

describe('a span that cannot be stored', () => {
  // No request can hold one that is known of today; a text that is a number stands for the next one.
  const poisoned = (): SpanRecord => step({ inputText: 5 as unknown as string });

  test('fails alone, and those that came at the same time are stored', async () => {
    const store = await SpanStore.open(nextPath(), OPTIONS);
    const appends = Array.from({ length: 9 }, (_, index) => store.append([index === 4 ? poisoned() : step()]));
    const results = await Promise.allSettled(appends);
    expect(results.map(({ status }) => status)).toEqual(
      results.map((_, index) => (index === 4 ? 'rejected' : 'fulfilled')),
    );
    await expect(appends[4]).rejects.toMatchObject({ code: 'SPAN_UNSTORABLE' });
    expect(store.problem).toBeUndefined();
    await store.append([step()]);
    expect(await scalar(store, 'SELECT count(*) FROM spans')).toBe(9n);
    expect(store.counts()).toEqual({ receivedSpans: 9, storedSpans: 9, refusedSpans: 1 });
    await store.close();
  });
});

test('many new resources in one request are written together', async () => {
  const store = await SpanStore.open(nextPath(), OPTIONS);
  const spans = Array.from({ length: 3_000 }, (_, index) =>
    step({ serviceName: `service ${index % 1_000}`, samplingRatio: 0.5 }),
  );
  await store.append(spans);
  expect(await scalar(store, 'SELECT count(*) FROM resources')).toBe(1000n);
  expect(
    await scalar(
      store,
      "SELECT count(*) FROM spans JOIN resources USING (resource_id) WHERE service_name LIKE 'service %'",
    ),
  ).toBe(3000n);
  await store.close();
});

test('known span ids: nothing known is forgotten, and few are taken for known, beyond what was expected', () => {
  const known = new KnownSpanIds(1000);
  const ids = Array.from({ length: 20_000 }, () => [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')]);
  const taken = ids.filter(([traceId, spanId]) => !known.addHex(traceId!, spanId!));
  expect(taken.length).toBeLessThan(20);
  expect(ids.every(([traceId, spanId]) => !known.addHex(traceId!, spanId!))).toBe(true);
});

test('importing the package does not load DuckDB', () => {
  const script =
    "await import('@convotel/local'); console.log(Object.keys(process.report.getReport().sharedObjects).length, process.report.getReport().sharedObjects.some((path) => path.includes('duckdb')))";
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: import.meta.dirname });
  expect(output.toString()).toMatch(/^\d+ false\n$/);
});
