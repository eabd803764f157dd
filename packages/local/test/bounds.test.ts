import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type LocalBackend, startLocalBackend } from '@convotel/local';
import { type ServeProcess, startServe } from './children/start-serve.ts';
import { jsonRequest, jsonStep, send, text, until } from './sending.ts';

const NANO_PER_DAY = 86_400_000_000_000n;

let folder: string;
let backend: LocalBackend;
const notices: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-bounds-'));
  backend = await startLocalBackend({
    storePath: join(folder, 'bounds.duckdb'),
    port: 0,
    maxBodyBytes: 2_000_000,
    maxRequestBytes: 12_000_000,
    onNotice: (notice) => notices.push(notice),
  });
});
afterAll(async () => {
  await backend.stop();
  await rm(folder, { recursive: true });
});

const health = async (): Promise<Record<string, unknown>> =>
  JSON.parse((await send(`${backend.url}/healthz`, { method: 'GET' })).body.toString()) as Record<string, unknown>;
const traces = (body: string | Uint8Array, headers: Record<string, string> = {}): ReturnType<typeof send> =>
  send(`${backend.url}/v1/traces`, { body, headers });

/** Opens a connection and sends the head of a body that is longer than what comes of it. */
function startBody(bytes: number, path = '/v1/traces'): Promise<{ close(): void; answer: Promise<string> }> {
  const { hostname, port } = new URL(backend.url);
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(Number(port), hostname, () => {
      const head = `POST ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\n`;
      socket.write(`${head}Content-Length: ${bytes + 1}\r\n\r\n${' '.repeat(bytes)}`);
      const answer = new Promise<string>((answered) => {
        socket.on('data', (chunk) => {
          received += chunk.toString();
          answered(received);
        });
        socket.on('close', () => answered(received));
      });
      resolve({ close: () => socket.destroy(), answer });
    });
    socket.on('error', reject);
  });
}

test('bodies under way share a budget: beyond it a request is told to come again, and then is taken', async () => {
  const open = [await startBody(1_900_000), await startBody(1_900_000)];
  await until(async () => Number((await health())['requestBytes']) >= 11_400_000);
  const refused = await traces(' '.repeat(1_000_000));
  expect([refused.status, Number(refused.headers['retry-after']) > 0]).toEqual([503, true]);
  // What is small still fits.
  expect((await traces(jsonRequest(jsonStep('small')))).status).toBe(200);
  for (const body of open) body.close();
  await until(async () => Number((await health())['requestBytes']) === 0);
  expect((await traces(`${jsonRequest(jsonStep('large'))}${' '.repeat(1_000_000)}`)).status).toBe(200);
});

test('a client that goes away is counted, and is nobody else’s failure', async () => {
  const before = Number((await health())['clientsGone']);
  const said = notices.length;
  for (let round = 0; round < 5; round++) (await startBody(100_000)).close();
  await until(async () => Number((await health())['clientsGone']) >= before + 5);
  expect(notices.slice(said)).toEqual([]);
});

test('one that goes away while it orders something is counted too', async () => {
  const before = Number((await health())['clientsGone']);
  const said = notices.length;
  (await startBody(1_000, '/api/v1/forget')).close();
  await until(async () => Number((await health())['clientsGone']) > before);
  expect(notices.slice(said)).toEqual([]);
});

test('bodies that come slowly are ended when memory is short', async () => {
  const slow = await startBody(1_900_000);
  let answer: string | undefined;
  void slow.answer.then((text) => (answer = text));
  // It is slow after some seconds; until then, others that want the memory are refused.
  await until(async () => {
    const next = await startBody(1_500_000);
    await health();
    next.close();
    return answer !== undefined;
  });
  expect(answer).toMatch(/^HTTP\/1.1 408 .*too slowly/s);
});

test('clients that do not read their answers are ended when memory is short', async () => {
  const large = await startLocalBackend({
    storePath: join(folder, 'large.duckdb'),
    port: 0,
    maxRequestBytes: 40_000_000,
    maxBodyBytes: 2_000_000,
  });
  const sockets: Socket[] = [];
  try {
    const output = text('conversation.output', 'x'.repeat(1_900_000));
    for (let step = 0; step < 8; step++) {
      const attributes = [text('conversation.step.name', 'gpt'), text('conversation.id', 'large'), output];
      const body = jsonRequest(jsonStep('gpt', { traceId: '1'.repeat(32), attributes }));
      expect((await send(`${large.url}/v1/traces`, { body })).status).toBe(200);
    }
    const { host, hostname, port } = new URL(large.url);
    const used = async (): Promise<number> =>
      Number(JSON.parse((await send(`${large.url}/healthz`, { method: 'GET' })).body.toString()).requestBytes);
    for (let count = 1; count <= 2; count++) {
      const socket = connect(Number(port), hostname);
      sockets.push(socket);
      socket.pause().on('error', () => undefined);
      socket.write(`GET /api/v1/conversation?id=large HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      await until(async () => (await used()) >= count * 15_000_000);
    }
    await until(async () => {
      const { status, body } = await send(`${large.url}/api/v1/conversation?id=large`, { method: 'GET' });
      return status === 200 && body.length > 15_000_000;
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    await large.stop();
  }
});

/** From Node.js 22.15 on. */
const { zstdCompressSync } = zlib as { zstdCompressSync?: (body: string | Buffer) => Buffer };

test('inflates deflate', async () => {
  const received = await traces(deflateSync(jsonRequest(jsonStep('deflated'))), { 'content-encoding': 'deflate' });
  expect([received.status, received.body.toString()]).toEqual([200, '{}']);
});

test('inflates zstd where Node.js does, else says from which on it does', async () => {
  const spans = jsonRequest(jsonStep('squeezed'));
  // Without a compressor, the magic number of zstd and nothing that makes sense behind it.
  const body = zstdCompressSync?.(spans) ?? Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0]);
  const received = await traces(body, { 'content-encoding': 'zstd' });
  if (zstdCompressSync !== undefined) {
    expect([received.status, received.body.toString()]).toEqual([200, '{}']);
    const long = zstdCompressSync(jsonRequest(...Array.from({ length: 200 }, (_, index) => jsonStep(`long ${index}`))));
    for (const length of [20, Math.floor(long.length / 2), long.length - 1]) {
      const broken = await traces(long.subarray(0, length), { 'content-encoding': 'zstd' });
      expect([length, broken.status, broken.body.toString()]).toEqual([
        length,
        400,
        expect.stringMatching(/not valid zstd/),
      ]);
    }
  } else {
    expect(received.status).toBe(415);
    expect(received.body.toString()).toMatch(
      /must be gzip, deflate or none, got .*zstd needs Node\.js 22\.15 or newer/,
    );
    expect(received.headers['accept-encoding']).toBe('gzip, deflate');
  }
});

test.each(['gzip', 'x-gzip', 'GZIP'])('inflates %s', async (encoding) => {
  const received = await traces(gzipSync(jsonRequest(jsonStep('zipped'))), { 'content-encoding': encoding });
  expect(received.status).toBe(200);
});

const isLinux = process.platform === 'linux';
(isLinux ? test : test.skip)('many large bodies and many bombs at once stay within 600 MB', async () => {
  const serve: ServeProcess = await startServe(join(folder, 'memory.duckdb'));
  const peakMb = (): number =>
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${serve.process.pid}/status`, 'utf8'))![1]) / 1024;
  try {
    const spans = Array.from({ length: 2_000 }, () =>
      jsonStep('large', { attributes: [text('conversation.step.name', 'large'), text('x', 'x'.repeat(9_700))] }),
    );
    const large = Buffer.from(jsonRequest(...spans));
    expect(large.length).toBeGreaterThan(19_000_000);
    const bomb = gzipSync(Buffer.alloc(20_000_000, 0x20));
    const post = (body: Uint8Array, headers: Record<string, string>): Promise<number> =>
      send(`${serve.url}/v1/traces`, { body, headers }).then(
        ({ status }) => status,
        // Refused while it still sends, a client may see its connection end.
        () => 503,
      );
    const largeStatuses = await Promise.all(Array.from({ length: 24 }, () => post(large, {})));
    expect(largeStatuses).toContain(200);
    // On a loaded machine a body may come too slowly: 408.
    expect(largeStatuses.filter((status) => ![200, 408, 503].includes(status))).toEqual([]);
    const bombStatuses = await Promise.all(
      Array.from({ length: 100 }, () => post(bomb, { 'content-encoding': 'gzip' })),
    );
    expect(bombStatuses).toContain(400);
    expect(bombStatuses.filter((status) => ![400, 408, 503].includes(status))).toEqual([]);
    expect(peakMb()).toBeLessThan(600);
    // And it works on.
    expect(await post(Buffer.from(jsonRequest(jsonStep('after'))), {})).toBe(200);
  } finally {
    await serve.kill('SIGTERM');
  }
});

test.each<[string, bigint, RegExp]>([
  ['of 2100', BigInt(Date.UTC(2100, 0, 1)) * 1_000_000n, /in the future/],
  ['of next week', BigInt(Date.now()) * 1_000_000n + 7n * NANO_PER_DAY, /in the future/],
  ['of 1970', 1_000_000n, /longer ago than is kept/],
  ['of two months ago', BigInt(Date.now()) * 1_000_000n - 60n * NANO_PER_DAY, /longer ago than is kept/],
])('a span %s is refused with the reason, and the others of its request are kept', async (_, start, reason) => {
  const before = await health();
  const times = { startTimeUnixNano: String(start), endTimeUnixNano: String(start + 5n) };
  const received = await traces(jsonRequest(jsonStep('kept'), jsonStep('refused', times)));
  expect(received.status).toBe(200);
  expect(JSON.parse(received.body.toString())).toEqual({
    partialSuccess: { rejectedSpans: '1', errorMessage: expect.stringMatching(reason) },
  });
  const after = await health();
  const grown = (name: string): number => Number(after[name]) - Number(before[name]);
  expect(grown('storedSpans')).toBe(1);
  expect(grown('tooOldSpans') + grown('futureSpans')).toBe(1);
});

test('a partial success in protobuf has its two fields', async () => {
  // A span that ended in 1970: ids, name, start and end.
  const span = Buffer.concat([
    Buffer.from([0x0a, 16]),
    Buffer.alloc(16, 7),
    Buffer.from([0x12, 8]),
    Buffer.alloc(8, 7),
    Buffer.from([0x2a, 1, 0x78, 0x39, 1, 0, 0, 0, 0, 0, 0, 0, 0x41, 2, 0, 0, 0, 0, 0, 0, 0]),
  ]);
  const within = (field: number, bytes: Buffer): Buffer => Buffer.concat([Buffer.from([field, bytes.length]), bytes]);
  const request = within(0x0a, within(0x12, within(0x12, span)));
  const received = await traces(request, { 'content-type': 'application/x-protobuf' });
  expect(received.status).toBe(200);
  // partial_success is field 1; in it rejected_spans, field 1, is 1, and error_message is field 2.
  expect(received.body[0]).toBe(0x0a);
  expect([...received.body.subarray(2, 5)]).toEqual([0x08, 1, 0x12]);
  expect(received.body.toString()).toContain('longer ago than is kept');
});

test('spans of the last hour of tomorrow, of a clock that is a little wrong, are taken', async () => {
  const start = BigInt(Date.now()) * 1_000_000n + (NANO_PER_DAY * 23n) / 24n;
  const received = await traces(
    jsonRequest(jsonStep('x', { startTimeUnixNano: String(start), endTimeUnixNano: String(start) })),
  );
  expect(JSON.parse(received.body.toString())).toEqual({});
});

test('answers are for this origin only, and other sites are not answered', async () => {
  const ask = (headers: Record<string, string>): ReturnType<typeof send> =>
    send(`${backend.url}/api/v1/conversations?order=newest&limit=1`, { method: 'GET', headers });
  const own = await ask({ 'sec-fetch-site': 'same-origin' });
  expect([own.status, own.headers['cross-origin-resource-policy']]).toEqual([200, 'same-origin']);
  const foreign = await ask({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' });
  expect([foreign.status, foreign.headers['cross-origin-resource-policy']]).toEqual([403, 'same-origin']);
});

test('characters that end a line in a script are escaped in answers', async () => {
  const id = 'two\u2028lines\u2029';
  await traces(
    jsonRequest(jsonStep('x', { attributes: [text('conversation.step.name', 'x'), text('conversation.id', id)] })),
  );
  const { body } = await send(`${backend.url}/api/v1/conversations?order=newest&limit=100`, { method: 'GET' });
  expect(body.toString()).toContain('two\\u2028lines\\u2029');
  expect(body.toString()).not.toMatch(/[\u2028\u2029]/);
});
