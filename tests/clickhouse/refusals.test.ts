import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { averages, openClickHouseSource } from '@convotel/query';
import type { ConversationSource } from '@convotel/query';
import { ODD_TEXTS, rootSpan, stepSpan } from '@convotel/suite';
import { runConvotel } from '../../packages/cli/test/processes/run-convotel.ts';
import { createOwnTable } from './src/create-tables.ts';
import { exporterRows } from './exporter-rows.ts';
import { startEngine } from './src/start-engine.ts';
import type { RunningEngine } from './src/start-engine.ts';

const WINDOW = { sinceUnixNano: 0n, untilUnixNano: 2n ** 63n - 1n };
let engine: RunningEngine;
let address: string;

beforeAll(async () => {
  engine = await startEngine({
    users: {
      default: { password: '' },
      reader: { password: 'r3ad', readonly: 2 },
      strict: { password: 'r3ad', readonly: 1 },
    },
  });
  address = engine.url.replace('http:', 'clickhouse:');
  const client = createClient({ url: engine.url, log: { level: ClickHouseLogLevel.OFF } });
  await createOwnTable(client, 'otel');
  await client.command({ query: 'CREATE TABLE otel.other (a UInt8) ENGINE = MergeTree ORDER BY a' });
  const values = exporterRows(
    ODD_TEXTS.flatMap((text, index) => [
      rootSpan({ id: `${text} ${index}`, start: '2025-10-08T12:00:00Z', ms: 90, workflow: text, sessionId: text }),
      stepSpan(text, { id: `${text} ${index}`, start: '2025-10-08T12:00:00Z', ms: 50, serviceName: text }),
    ]),
  );
  await client.insert({ table: 'otel.otel_traces', values, format: 'JSONEachRow' });
  await client.close();
});

afterAll(async () => {
  await engine?.stop();
});

const reader = { username: 'reader', password: 'r3ad' };

test.each([
  ['a database that does not exist', '/nowhere', reader, 'WRONG_ANSWER', /no database nowhere|no table/],
  [
    'a table that does not exist',
    '/otel?table=spans',
    reader,
    'WRONG_ANSWER',
    /no table spans.*convotel clickhouse ddl/,
  ],
  ['a table of something else', '/otel?table=other', reader, 'WRONG_ANSWER', /other does not hold spans/],
  ['a wrong password', '/otel', { ...reader, password: 'wr0ng' }, 'WRONG_ANSWER', /user or password is wrong/],
  ['a user without limits', '/otel', { ...reader, username: 'strict' }, 'WRONG_ANSWER', /readonly = 2/],
  ['a database that is SQL', '/otel;DROP', reader, 'UNREACHABLE', /not the name of a database/],
  ['an unknown part', '/otel?passwort=x', reader, 'UNREACHABLE', /unknown part "passwort"/],
] as const)('says what is wrong with %s', async (_, path, options, code, message) => {
  const opening = openClickHouseSource(`${address}${path}`, options);
  await expect(opening).rejects.toMatchObject({ name: 'SourceError', code, message: expect.stringMatching(message) });
  await expect(opening).rejects.not.toMatchObject({ message: expect.stringMatching(/r3ad|wr0ng/) });
});

test('says that nothing listens there', async () => {
  const opening = openClickHouseSource('clickhouse://127.0.0.1:1/otel');
  await expect(opening).rejects.toMatchObject({ code: 'UNREACHABLE', message: expect.stringMatching(/ECONNREFUSED/) });
});

test.each([
  ['too old', '23.8.1.2992', /ClickHouse 23\.8\.1\.2992 is too old; 24\.8 or newer/],
  ['not one at all', undefined, /answered with an error/],
])('says that what answers is %s', async (_, version, message) => {
  const server = createServer((_request, response) => {
    if (version === undefined) response.writeHead(404).end('Not found');
    else response.end(`${JSON.stringify({ mode: '2', version, seconds: 0, bytes: 0 })}\n`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(openClickHouseSource(`clickhouse://127.0.0.1:${port}/otel`)).rejects.toMatchObject({
    code: 'WRONG_ANSWER',
    message: expect.stringMatching(message),
  });
  // By HTTPS it has no certificate to show.
  await expect(openClickHouseSource(`clickhouse://127.0.0.1:${port}/otel?secure=true`)).rejects.toMatchObject({
    code: 'UNREACHABLE',
    message: expect.stringMatching(/no safe connection.*secure=true/),
  });
  server.close();
});

test.each([
  [
    497,
    403,
    'ACCESS_DENIED',
    'WRONG_ANSWER',
    /may not read otel\.otel_traces; grant it: GRANT SELECT ON otel\.otel_traces/,
  ],
  [452, 403, 'SETTING_CONSTRAINT_VIOLATION', 'WRONG_ANSWER', /profile of the user forbids the limits/],
  [202, 500, 'TOO_MANY_SIMULTANEOUS_QUERIES', 'UNREACHABLE', /as many queries as it may; try again/],
  [160, 500, 'TOO_SLOW', 'UNREACHABLE', /expects the question to take longer than 60 seconds/],
  [115, 404, 'UNKNOWN_SETTING', 'WRONG_ANSWER', /does not know a setting .* 24\.8 or newer/],
  [46, 404, 'UNKNOWN_FUNCTION', 'WRONG_ANSWER', /does not know a function .* 24\.8 or newer/],
  [999, 500, 'KEEPER_EXCEPTION', 'WRONG_ANSWER', /answered with an error: Session expired/],
] as const)('says what the error %i of a server means', async (number, status, name, code, message) => {
  // As a server answers by HTTP: a profile first, then the error.
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    if (requests === 1) {
      response.end(`${JSON.stringify({ mode: '2', version: '26.7.2.1', seconds: 0, bytes: 0 })}\n`);
      return;
    }
    response.writeHead(status, { 'X-ClickHouse-Exception-Code': String(number) });
    response.end(`Code: ${number}. DB::Exception: Session expired. (${name}) (version 26.7.2.1 (official build))\n`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const opening = openClickHouseSource(`clickhouse://127.0.0.1:${port}/otel`);
  await expect(opening).rejects.toMatchObject({ name: 'SourceError', code, message: expect.stringMatching(message) });
  server.close();
});

test.each([
  ['nothing listens', 'clickhouse://127.0.0.1:1/otel', /ECONNREFUSED/],
  ['there is no such table', undefined, /no table spans.*convotel clickhouse ddl/],
])('the command ends with status 3 where %s', async (_, where, message) => {
  const words = ['averages', '--from', where ?? `${address}/otel?table=spans`];
  const { status, stdout, stderr } = await runConvotel(words);
  expect([status, stdout, stderr]).toEqual([3, '', expect.stringMatching(message)]);
});

test('does not repeat a password that stands in the address', async () => {
  const opening = openClickHouseSource('clickhouse://me:s3cr3t@127.0.0.1/otel');
  await expect(opening).rejects.toMatchObject({ message: expect.not.stringMatching(/s3cr3t/) });
});

test('says that the question needs too much memory', async () => {
  const source = await openClickHouseSource(`${address}/otel`, { ...reader, maxMemoryBytes: 1000 });
  await expect(averages(source, { window: WINDOW, timeZone: 'UTC' })).rejects.toMatchObject({
    code: 'WRONG_ANSWER',
    message: expect.stringMatching(/more memory than it may take/),
  });
  await source.close();
});

test.each(ODD_TEXTS.map((text, index) => [JSON.stringify(text).slice(0, 30), text, index] as const))(
  'takes %s as an id, a step and a filter for what it is',
  async (_, text, index) => {
    const source: ConversationSource = await openClickHouseSource(`${address}/otel`, reader);
    const { data: one } = await source.ask({ name: 'conversation', conversationId: `${text} ${index}` });
    expect(one.spans).toHaveLength(2);
    for (const filters of [{ workflow: text }, { session: text }, { service: text }, {}]) {
      const { data } = await source.ask({ name: 'step-statistics', window: WINDOW, step: text, filters });
      expect(data).toMatchObject([{ step: text, total: 1, count: 1, averageMs: 50 }]);
    }
    await source.close();
  },
);
