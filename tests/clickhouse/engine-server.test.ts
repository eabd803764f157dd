import { Readable } from 'node:stream';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient, ClickHouseClientConfigOptions } from '@clickhouse/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startEngine } from './src/start-engine.ts';
import type { RunningEngine } from './src/start-engine.ts';

/** The server of the tests is ClickHouse's engine behind HTTP made here, so the official client says whether it will do. */
let engine: RunningEngine;
const opened: ClickHouseClient[] = [];

beforeAll(async () => {
  engine = await startEngine({
    users: {
      otel: { password: 's3cret' },
      strict: { password: 'ro', readonly: 1 },
      reader: { password: 'ro', readonly: 2, settings: { max_execution_time: '5' } },
    },
  });
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((client) => client.close()));
});

afterAll(async () => {
  await engine?.stop();
});

function client(options: ClickHouseClientConfigOptions = {}): ClickHouseClient {
  const made = createClient({
    url: engine.url,
    username: 'otel',
    password: 's3cret',
    // Its errors are what the tests expect.
    log: { level: ClickHouseLogLevel.OFF },
    ...options,
  });
  opened.push(made);
  return made;
}

async function firstRow(
  asked: ClickHouseClient,
  query: string,
  options: Partial<Parameters<ClickHouseClient['query']>[0]> = {},
): Promise<Record<string, unknown>> {
  const answer = await asked.query({ query, format: 'JSONEachRow', ...options });
  const [row] = (await answer.json()) as Record<string, unknown>[];
  return row!;
}

test('ping needs no password, ping with a query does', async () => {
  expect((await client().ping({ select: true })).success).toBe(true);
  const stranger = client({ password: 'wrong' });
  expect((await stranger.ping()).success).toBe(true);
  expect(await stranger.ping({ select: true })).toMatchObject({ success: false, error: { code: '516' } });
});

describe.each([false, true])('with gzip: %s', (gzip) => {
  const compression = { response: gzip, request: gzip };

  test('streams many rows', async () => {
    const answer = await client({ compression }).query({
      query: 'SELECT number FROM numbers(200000)',
      format: 'JSONEachRow',
      query_id: 'many-rows',
    });
    expect(answer.query_id).toBe('many-rows');
    expect(answer.response_headers['content-encoding']).toBe(gzip ? 'gzip' : undefined);
    let rowCount = 0;
    for await (const rows of answer.stream()) rowCount += rows.length;
    expect(rowCount).toBe(200_000);
  });

  test('takes parameters of every kind, whatever they hold', async () => {
    const odd = "a'b\\c\td\ne\r日本 {x:String} \0";
    const parameters = { text: odd, list: [odd, 'x'], map: { [odd]: 'v' }, none: null, time: '1796000000.123456789' };
    const query =
      'SELECT {text:String} AS text, {list:Array(String)} AS list, {map:Map(String,String)} AS map, {none:Nullable(String)} AS none, {time:DateTime64(9)} AS time';
    const expected = { ...parameters, time: '2026-11-30 00:53:20.123456789' };
    const asked = client({ compression });
    expect(await firstRow(asked, query, { query_params: parameters })).toEqual(expected);
    expect(await firstRow(asked, query, { query_params: parameters, use_multipart_params: true })).toEqual(expected);
  });

  test('takes settings, and gives formats as they are', async () => {
    const asked = client({ compression, clickhouse_settings: { max_threads: 1 } });
    const settings =
      "SELECT toInt32(getSetting('max_threads')) AS threads, getSetting('max_execution_time') AS seconds";
    const row = await firstRow(asked, settings, { clickhouse_settings: { max_execution_time: 7 } });
    expect([Number(row['threads']), Number(row['seconds'])]).toEqual([1, 7]);
    const compact = { query: 'SELECT number, toString(number) FROM numbers(2)', format: 'JSONCompactEachRow' } as const;
    expect(await (await asked.query(compact)).json()).toEqual([
      [0, '0'],
      [1, '1'],
    ]);
    const empty = { query: 'SELECT 1 AS x WHERE 0', format: 'JSONCompactEachRowWithNamesAndTypes' } as const;
    expect(await (await asked.query(empty)).text()).toBe('["x"]\n["UInt8"]\n');
  });
});

test('takes rows as arrays, streams and SQL', async () => {
  const asked = client({ compression: { request: true } });
  await asked.command({ query: 'CREATE DATABASE inserted' });
  await asked.command({
    query: 'CREATE TABLE inserted.rows (a UInt32, s String) ENGINE = MergeTree ORDER BY a',
  });
  const inside = client({ database: 'inserted' });
  const inserted = await asked.insert({ table: 'inserted.rows', values: [{ a: 1, s: "x'\n" }], format: 'JSONEachRow' });
  expect(inserted.summary?.written_rows).toBe('1');
  const pairs = Readable.from([[2, 'p']], { objectMode: true });
  await inside.insert({ table: 'rows', columns: ['a', 's'], values: pairs, format: 'JSONCompactEachRow' });
  await inside.insert({ table: 'rows', values: Readable.from(['3,three\n'], { objectMode: false }), format: 'CSV' });
  await inside.command({ query: "INSERT INTO rows VALUES (4, 'FORMAT x')" });
  await inside.command({ query: 'INSERT INTO rows SELECT number + 100, toString(number) FROM numbers(3)' });
  expect(await firstRow(inside, 'SELECT count() AS n, sum(a) AS s FROM rows')).toEqual({ n: 7, s: 313 });
});

test.each([
  ['62', 'SELEC 1', {}],
  ['60', 'SELECT * FROM nowhere', {}],
  ['115', 'SELECT 1', { clickhouse_settings: { nothing_of_the_kind: 1 } }],
  ['457', 'SELECT {x:UInt8}', { query_params: { x: 'abc' } }],
  ['456', 'SELECT {x:UInt8}', {}],
  [
    '159',
    'SELECT sum(sipHash64(number)) FROM numbers(100000000000)',
    { clickhouse_settings: { max_execution_time: 1 } },
  ],
  [
    '241',
    'SELECT groupArray(number) FROM numbers(1000000000)',
    { clickhouse_settings: { max_memory_usage: '10000000' } },
  ],
  // The first rows are out by then, so the error comes after them.
  ['395', 'SELECT throwIf(number = 1900000) FROM numbers(2000000)', {}],
] as const)('refuses with code %s: %s', async (code, query, options) => {
  const asked = client({ compression: { response: true } });
  const asking = async (): Promise<unknown> => (await asked.query({ query, format: 'JSONEachRow', ...options })).json();
  await expect(asking()).rejects.toMatchObject({ code });
  expect((await asked.ping({ select: true })).success).toBe(true);
});

test('refuses unknown databases and users', async () => {
  const query = { query: 'SELECT 1' };
  await expect(client({ database: 'nowhere' }).query(query)).rejects.toMatchObject({ code: '81' });
  await expect(client({ username: 'stranger' }).query(query)).rejects.toMatchObject({ code: '516' });
});

test('keeps readers from writing', async () => {
  const create = { query: 'CREATE TABLE t (a Int8) ENGINE = Memory' };
  const strict = client({ username: 'strict', password: 'ro' });
  expect(await firstRow(strict, 'SELECT 1 AS x')).toEqual({ x: 1 });
  await expect(strict.command(create)).rejects.toMatchObject({ code: '164' });
  const setting = { query: 'SELECT 1', clickhouse_settings: { max_threads: 7 } };
  await expect(strict.query(setting)).rejects.toMatchObject({ code: '164' });
  const reader = client({ username: 'reader', password: 'ro', compression: { response: true } });
  const row = await firstRow(reader, "SELECT getSetting('max_execution_time') AS seconds");
  expect(Number(row['seconds'])).toBe(5);
  await (await reader.query(setting)).text();
  await expect(reader.command(create)).rejects.toMatchObject({ code: '164' });
});

test('keeps a session between requests, for one at a time', async () => {
  const asked = client();
  const session = { session_id: 'one' };
  await asked.command({ query: 'CREATE TEMPORARY TABLE own (a UInt8)', ...session });
  await asked.insert({ table: 'own', values: [{ a: 3 }], format: 'JSONEachRow', ...session });
  expect(await firstRow(asked, 'SELECT a FROM own', session)).toEqual({ a: 3 });
  await expect(asked.query({ query: 'SELECT * FROM own' })).rejects.toMatchObject({ code: '60' });
});

test('answers many at once, and goes on after a client has gone away', async () => {
  const asked = client({ max_open_connections: 16 });
  const answers = await Promise.all(
    Array.from({ length: 16 }, (_, place) =>
      firstRow(asked, `SELECT ${place} AS place, count() AS n FROM numbers(100000) WHERE sipHash64(number) % 3 = 0`),
    ),
  );
  expect(answers.map(({ place }) => place)).toEqual(Array.from({ length: 16 }, (_, place) => place));
  const leaving = new AbortController();
  const endless = await asked.query({
    query: 'SELECT number FROM numbers(100000000000)',
    format: 'JSONEachRow',
    abort_signal: leaving.signal,
  });
  for await (const rows of endless.stream()) {
    expect(rows.length).toBeGreaterThan(0);
    break;
  }
  leaving.abort();
  expect((await asked.ping({ select: true })).success).toBe(true);
});

test('has its rows after a kill', async () => {
  const asked = client();
  await asked.command({ query: 'CREATE TABLE default.lasting (a UInt8) ENGINE = MergeTree ORDER BY a' });
  await asked.insert({ table: 'default.lasting', values: [{ a: 1 }], format: 'JSONEachRow' });
  await engine.kill();
  await engine.restart();
  expect(await firstRow(client(), 'SELECT count() AS n FROM default.lasting')).toEqual({ n: 1 });
});
