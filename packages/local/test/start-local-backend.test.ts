import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  connect,
  defaultStorePath,
  findRunningBackend,
  LocalError,
  startLocalBackend,
  type LocalBackend,
} from '@convotel/local';
import { ServeSource } from '@convotel/query';
import { jsonRequest, jsonStep, send, type Received } from './sending.ts';

const MAX_BODY_BYTES = 256 * 1024;

let folder: string;
let backend: LocalBackend;
const notices: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-backend-'));
  backend = await startLocalBackend({
    storePath: join(folder, 'made', 'on the way.duckdb'),
    port: 0,
    maxBodyBytes: MAX_BODY_BYTES,
    onNotice: (notice) => notices.push(notice),
  });
});
afterAll(async () => {
  await backend.stop();
  await rm(folder, { recursive: true });
});

const traces = (sending: Parameters<typeof send>[1]): Promise<Received> => send(`${backend.url}/v1/traces`, sending);
const json = ({ body }: Received): unknown => JSON.parse(body.toString());
const storedSpans = async (): Promise<number> =>
  (json(await send(`${backend.url}/healthz`, { method: 'GET' })) as { storedSpans: number }).storedSpans;

describe('OTLP', () => {
  test('answers an empty export response, and then knows the conversation', async () => {
    const received = await traces({ body: jsonRequest(jsonStep('gpt')) });
    expect(received.status).toBe(200);
    expect(received.headers['content-type']).toBe('application/json');
    expect(json(received)).toEqual({});
    const source = new ServeSource(backend.url);
    const { data } = await source.ask({ name: 'conversation', conversationId: 'talk about gpt' });
    expect(data.spans).toMatchObject([{ step: 'gpt', serviceName: 'test', durationNano: 1_500_000_000n }]);
    await source.close();
  });

  test('takes gzip, and parameters of the content type', async () => {
    const received = await traces({
      headers: { 'content-encoding': 'gzip', 'content-type': 'application/json; charset=utf-8' },
      body: gzipSync(jsonRequest(jsonStep('zipped'))),
    });
    expect(received.status).toBe(200);
    expect(
      (await backend.source.ask({ name: 'conversation', conversationId: 'talk about zipped' })).data.spans,
    ).toHaveLength(1);
  });

  test('keeps a span delivered twice once, within a request and across requests', async () => {
    const step = jsonStep('twice');
    const before = await storedSpans();
    await traces({ body: jsonRequest(step, step) });
    await traces({ body: jsonRequest(step) });
    expect((await storedSpans()) - before).toBe(1);
    expect(
      (await backend.source.ask({ name: 'conversation', conversationId: 'talk about twice' })).data.spans,
    ).toHaveLength(1);
  });

  test('of copies that differ keeps the one that ends later', async () => {
    const step = jsonStep('grown');
    const longer = { ...step, endTimeUnixNano: String(BigInt(step['endTimeUnixNano'] as string) + 1n) };
    for (const copy of [step, longer, step]) await traces({ body: jsonRequest(copy) });
    const { data } = await backend.source.ask({ name: 'conversation', conversationId: 'talk about grown' });
    expect(data.spans.map(({ durationNano }) => durationNano)).toEqual([1_500_000_001n]);
  });

  test('accepts and discards metrics and logs, and says so once each', async () => {
    for (const signal of ['metrics', 'logs', 'metrics']) {
      const received = await send(`${backend.url}/v1/${signal}`, { body: '{}' });
      expect([received.status, received.body.toString()]).toEqual([200, '{}']);
    }
    expect(notices.filter((notice) => notice.includes('discarded'))).toEqual([
      'metrics are accepted and discarded: this back end keeps traces only',
      'logs are accepted and discarded: this back end keeps traces only',
    ]);
  });

  test('takes a request without spans', async () => {
    expect((await traces({ body: '{}' })).status).toBe(200);
    const protobuf = { 'content-type': 'application/x-protobuf' };
    const received = await traces({ headers: protobuf, body: Buffer.alloc(0) });
    expect([received.status, received.headers['content-type'], received.body.length]).toEqual([
      200,
      'application/x-protobuf',
      0,
    ]);
  });
});

describe('what a client may send wrong', () => {
  const gzip = { 'content-encoding': 'gzip' };
  const protobuf = { 'content-type': 'application/x-protobuf' };
  const deep = (levels: number): string => `{"resourceSpans":${'['.repeat(levels)}${']'.repeat(levels)}}`;

  test.each<[string, Parameters<typeof send>[1], number, RegExp]>([
    ['no JSON', { body: '{"resourceSpans":' }, 400, /the body is not valid JSON/],
    ['JSON that is no request', { body: '[]' }, 400, /the request must be an object/],
    ['a trace id that is not hex', { body: jsonRequest(jsonStep('x', { traceId: 'no' })) }, 400, /spans\[0\]: traceId/],
    ['JSON nested 66 levels', { body: deep(65) }, 400, /nested more than 64 deep/],
    ['JSON nested 200,000 levels', { body: `${'['.repeat(200_000)}` }, 400, /nested more than 64 deep/],
    ['no protobuf', { headers: protobuf, body: '\xff\xff\xff' }, 400, /the body is not a valid protobuf message/],
    ['broken gzip', { headers: gzip, body: 'no gzip' }, 400, /the body is not valid gzip/],
    ['gzip that was cut', { headers: gzip, body: gzipSync('{}').subarray(0, 12) }, 400, /the body is not valid gzip/],
    ['a large body', { body: ' '.repeat(MAX_BODY_BYTES + 1) }, 413, /larger than 262144 bytes/],
    [
      'a body that inflates a thousandfold',
      { headers: gzip, body: gzipSync(Buffer.alloc(200 * MAX_BODY_BYTES)) },
      413,
      /inflated body is larger/,
    ],
    ['text', { headers: { 'content-type': 'text/plain' } }, 415, /content type must be application\/json/],
    [
      'another encoding',
      { headers: { 'content-encoding': 'br' } },
      415,
      /content encoding must be gzip, deflate(, zstd)? or none/,
    ],
    ['another method', { method: 'PUT' }, 405, /takes POST/],
    ['a preflight', { method: 'OPTIONS' }, 405, /takes POST/],
    ['a foreign host', { headers: { host: 'evil.example:4318' } }, 403, /loopback/],
    ['another port', { headers: { host: '127.0.0.1:1' } }, 403, /loopback/],
    ['a foreign origin', { headers: { origin: 'http://evil.example' } }, 403, /other origins/],
    ['an opaque origin', { headers: { origin: 'null' } }, 403, /other origins/],
  ])('%s', async (_, sending, status, message) => {
    const before = await storedSpans();
    const received = await traces(sending);
    expect(received.status).toBe(status);
    expect(received.headers).not.toHaveProperty('access-control-allow-origin');
    if (sending!.headers?.['content-type'] === 'application/x-protobuf') {
      expect(received.headers['content-type']).toBe('application/x-protobuf');
      // google.rpc.Status: field 1 is the code, field 2 the message.
      expect([...received.body.subarray(0, 3)]).toEqual([0x08, 3, 0x12]);
      expect(received.body.subarray(4).toString()).toMatch(message);
    } else {
      expect(json(received)).toEqual({ code: expect.any(Number), message: expect.stringMatching(message) });
    }
    expect((await traces({ body: jsonRequest(jsonStep('next')) })).status).toBe(200);
    expect((await storedSpans()) - before).toBe(1);
  });

  test('64 levels of nesting are fine', async () => {
    const received = await traces({ body: `{"unknown":${'['.repeat(63)}${']'.repeat(63)}}` });
    expect(received.status).toBe(200);
  });

  test('the same origin is no stranger', async () => {
    const received = await traces({ headers: { origin: backend.url }, body: '{}' });
    expect(received.status).toBe(200);
  });

  test('an unknown path', async () => {
    expect((await send(`${backend.url}/v2/traces`)).status).toBe(404);
    expect((await send(`${backend.url}/api/v1/everything`, { method: 'GET' })).status).toBe(404);
  });

  test('a method that is not allowed is told which is', async () => {
    expect((await traces({ method: 'GET' })).headers['allow']).toBe('POST');
    expect((await send(`${backend.url}/healthz`)).headers['allow']).toBe('GET, HEAD');
  });

  test('headers without an end', async () => {
    const received = await send(`${backend.url}/healthz`, { method: 'GET', headers: { 'x-long': 'x'.repeat(20_000) } });
    expect(received.status).toBe(431);
  });

  test('a body that is cut off costs nobody else anything', async () => {
    const { hostname, port } = new URL(backend.url);
    const before = await storedSpans();
    for (let round = 0; round < 20; round++) {
      await new Promise<void>((resolve) => {
        const socket = connectSocket(Number(port), hostname, () => {
          const headers = `POST /v1/traces HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\n`;
          socket.write(`${headers}Content-Length: 1000\r\n\r\n{"resourceSpans":[`, () => socket.destroy());
        });
        socket.once('close', () => resolve());
      });
    }
    expect((await traces({ body: jsonRequest(jsonStep('after')) })).status).toBe(200);
    expect((await storedSpans()) - before).toBe(1);
  });

  test('a question that is none', async () => {
    const received = await send(`${backend.url}/api/v1/conversations?order=odd&limit=1`, { method: 'GET' });
    expect(received.status).toBe(400);
    expect(json(received)).toMatchObject({ message: expect.stringMatching(/"odd" is not one of/) });
  });
});

describe('life', () => {
  let path: string;
  let count = 0;
  const started: LocalBackend[] = [];
  beforeEach(() => {
    count += 1;
    path = join(folder, `life-${count}.duckdb`);
  });
  // Also when an assertion failed: one left running would keep the process from ending.
  afterEach(async () => {
    for (const running of started.splice(0)) await running.stop();
  });
  const start = async (): Promise<LocalBackend> => {
    const running = await startLocalBackend({ storePath: path, port: 0 });
    started.push(running);
    return running;
  };

  test('stops, and keeps what it has over a restart, copies once', async () => {
    const step = jsonStep('kept');
    const first = await start();
    expect((await send(`${first.url}/v1/traces`, { body: jsonRequest(step) })).status).toBe(200);
    await Promise.all([first.stop(), first.stop()]);
    await expect(send(`${first.url}/healthz`)).rejects.toThrow(/ECONNREFUSED/);

    const second = await start();
    await send(`${second.url}/v1/traces`, { body: jsonRequest(step, jsonStep('new')) });
    expect(
      (await second.source.ask({ name: 'conversation', conversationId: 'talk about kept' })).data.spans,
    ).toHaveLength(1);
    const health = json(await send(`${second.url}/healthz`, { method: 'GET' }));
    expect(health).toMatchObject({ receivedSpans: 2, storedSpans: 1, instanceId: second.instanceId, storePath: path });
  });

  test('a port in use is said', async () => {
    const port = Number(new URL(backend.url).port);
    const refused = startLocalBackend({ storePath: path, port });
    await expect(refused).rejects.toThrow(LocalError);
    await expect(refused).rejects.toMatchObject({ code: 'PORT_IN_USE', message: expect.stringContaining(`${port}`) });
    // It has let go of the store.
    await start();
  });

  test('options that make no sense are refused before anything is made', async () => {
    for (const options of [
      { port: 70_000 },
      { maxBodyBytes: 0 },
      { retention: { maxAgeDays: -1 } },
      { retention: { maxBytes: 8 * 2 ** 20 - 1 } },
    ]) {
      await expect(startLocalBackend({ storePath: path, ...options })).rejects.toMatchObject({
        code: 'OPTION_OUT_OF_RANGE',
      });
    }
  });

  test('is what connect() reads from while it runs, and its file otherwise', async () => {
    const kindOf = async (...asked: Parameters<typeof connect>): Promise<string> => {
      const source = await connect(...asked);
      await source.close();
      return source.kind;
    };
    await expect(connect('local', { storePath: path })).rejects.toMatchObject({ code: 'UNREACHABLE' });
    const running = await start();
    expect(await kindOf('local', { storePath: path })).toBe('serve');
    expect(await kindOf(running.url)).toBe('serve');
    await running.stop();
    expect(await kindOf('local', { storePath: path })).toBe('local');
    const variable = process.env['CONVOTEL_STORE'];
    process.env['CONVOTEL_STORE'] = path;
    try {
      expect(await kindOf()).toBe('local');
    } finally {
      if (variable === undefined) delete process.env['CONVOTEL_STORE'];
      else process.env['CONVOTEL_STORE'] = variable;
    }
    expect(defaultStorePath({ HOME: '/home/ann' })).toBe('/home/ann/.local/share/convotel/conversations.duckdb');
    expect(defaultStorePath({ HOME: '/home/ann', XDG_DATA_HOME: '/data' })).toBe('/data/convotel/conversations.duckdb');
  });

  test('is found by its store while it runs', async () => {
    expect(await findRunningBackend(path)).toBeUndefined();
    const running = await start();
    expect(await findRunningBackend(path)).toBe(running.url);
    const presence = await readFile(`${path}.serve.json`, 'utf8');
    await running.stop();
    expect(await findRunningBackend(path)).toBeUndefined();
    // As a killed one leaves it: nobody there, or somebody else.
    await writeFile(`${path}.serve.json`, presence);
    expect(await findRunningBackend(path)).toBeUndefined();
    await writeFile(`${path}.serve.json`, presence.replace(running.url, backend.url));
    expect(await findRunningBackend(path)).toBeUndefined();
    await writeFile(`${path}.serve.json`, 'half a fi');
    expect(await findRunningBackend(path)).toBeUndefined();
  });
});
