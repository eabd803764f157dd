import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { JaegerSource, openHttpSource, SourceError } from '@convotel/query';
import type { JaegerSourceOptions } from '@convotel/query';

const QUESTION = { window: { sinceUnixNano: 0n, untilUnixNano: 1n } };
const NOTHING_FOUND = '{"error":{"httpCode":404,"message":"No traces found"}}';

const servers: Server[] = [];

/** A server that answers every request with `listener`; returns its address. */
async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

function answerWith(status: number, body: string, headers: Record<string, string> = {}): Promise<string> {
  return listen((_request, response) =>
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(body),
  );
}

async function failureOf(address: string, options: JaegerSourceOptions = {}): Promise<SourceError> {
  const source = new JaegerSource(address, { attempts: 1, ...options });
  const error: unknown = await source.ask({ name: 'step-statistics', ...QUESTION }).catch((reason: unknown) => reason);
  if (!(error instanceof SourceError)) throw new Error('did not fail with a SourceError', { cause: error });
  expect(error.message).toContain('127.0.0.1');
  expect(error.message).toMatch(/\.$/);
  return error;
}

describe('what is no Jaeger is refused with a reason and a way out', () => {
  test.each<[string, number, string, Record<string, string>, RegExp]>([
    [
      'a web page for a path that is not known',
      200,
      '<!doctype html><title>Jaeger UI',
      { 'content-type': 'text/html' },
      /answers with a web page .* or Jaeger 1\. Give the address of Jaeger's query service .*16686/,
    ],
    ['a web page without a type', 200, '\n <html>', {}, /answers with a web page/],
    [
      'a login',
      302,
      '',
      { location: 'https://login.example/?next=x' },
      /redirects to "https:\/\/login\.example.* login/,
    ],
    ['who wants credentials', 401, 'who are you', {}, /refuses \(status 401\): "who are you"\..* name and password/],
    ['who forbids', 403, '{"message":"not you"}', {}, /refuses \(status 403\): "\{/],
    [
      'a `convotel serve` that refuses',
      403,
      '{"code":7,"message":"not by this name"}',
      {},
      /refuses \(status 403\): "not by this name"\.$/,
    ],
    [
      'another server',
      404,
      '404 page not found',
      {},
      /answers with status 404: "404 page not found"\. Give the address/,
    ],
    [
      'another JSON server',
      404,
      '{"code":5,"message":"nothing is at /api"}',
      {},
      /status 404 without an error message/,
    ],
    ['an answer that is cut off', 200, '{"result":{"resourceSpans":[{"resource"', {}, /sent JSON that is cut off/],
    [
      'JSON of something else',
      200,
      '[1]',
      {},
      /sent JSON that is not an object\. Is it the query service of a Jaeger 2\?/,
    ],
    ['spans that are none', 200, '{"result":{"resourceSpans":3}}', {}, /sent spans that cannot be read: resourceSpans/],
    [
      'ids in base64, as an old Jaeger sends them',
      200,
      JSON.stringify({
        result: { resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: 'AAAAAAAAAAAAAAAAAAAAAQ==' }] }] }] },
      }),
      {},
      /sent spans that cannot be read: .*traceId must be 32 hex digits.* Jaeger 2\?/,
    ],
  ])('%s', async (_what, status, body, headers, message) => {
    const error = await failureOf(await answerWith(status, body, headers));
    expect(error.code).toBe('WRONG_ANSWER');
    expect(error.message).toMatch(message);
  });

  test('a Jaeger that refuses says why itself', async () => {
    const address = await listen((request, response) => {
      const isList = request.url === '/api/v3/services';
      response
        .writeHead(isList ? 200 : 500)
        .end(isList ? '{"services":["a"]}' : '{"error":{"message":"disk on \\u001b[31mfire"}}');
    });
    const error = await failureOf(address);
    expect(error.code).toBe('WRONG_ANSWER');
    expect(error.message).toMatch(/refused to search \(status 500\): "disk on \\u001b\[31mfire"/);
  });
});

describe('what cannot be reached', () => {
  test('because nobody listens', async () => {
    const address = await listen(() => {});
    await new Promise((resolve) => servers.splice(0)[0]!.close(resolve));
    const error = await failureOf(address, { attempts: 2 });
    expect(error.code).toBe('UNREACHABLE');
    expect(error.message).toMatch(/connect ECONNREFUSED .* \(tried 2 times\)\. Start Jaeger/);
  });

  test('because it is silent', async () => {
    const error = await failureOf(await listen(() => {}), { timeoutMs: 100, attempts: 3 });
    expect(error.code).toBe('UNREACHABLE');
    expect(error.message).toMatch(/did not answer within 0\.1 s\. Ask for a shorter time/);
  });

  test('because it stops in the middle of its answer', async () => {
    const address = await listen((_request, response) => {
      response.writeHead(200, { 'content-length': 1000 }).write('{"result":');
      setTimeout(() => response.destroy(), 20);
    });
    const error = await failureOf(address);
    expect(error.code).toBe('UNREACHABLE');
    expect(error.message).toMatch(/^Cannot read from http.*(other side closed|terminated|aborted|ECONNRESET)/);
  });

  test.each([429, 502, 503, 504])('at present, by status %d, is asked again', async (status) => {
    let requests = 0;
    const address = await listen((_request, response) => {
      requests += 1;
      if (requests < 3) response.writeHead(status).end('busy');
      else response.writeHead(404).end(NOTHING_FOUND);
    });
    const { coverage } = await new JaegerSource(address).ask({ name: 'step-statistics', ...QUESTION });
    expect({ coverage, requests }).toEqual({
      coverage: { conversations: 0, spans: 0, complete: true, warnings: [] },
      requests: 3,
    });
    requests = -10;
    const error = await failureOf(address, { attempts: 2 });
    expect(error.message).toMatch(new RegExp(`answers with status ${status}: "busy" \\(tried 2 times\\)`));
  });
});

test('a failure is not remembered', async () => {
  let isUp = false;
  const address = await listen((_request, response) =>
    isUp ? response.writeHead(404).end(NOTHING_FOUND) : response.writeHead(403).end(),
  );
  const source = new JaegerSource(address);
  await expect(source.ask({ name: 'step-statistics', ...QUESTION })).rejects.toThrow(/status 403/);
  isUp = true;
  expect((await source.ask({ name: 'step-statistics', ...QUESTION })).data).toEqual([]);
});

describe('an address', () => {
  test('may have a path, and a name and a password, which are sent and not shown', async () => {
    const seen: (string | undefined)[] = [];
    const address = await listen((request, response) => {
      seen.push(request.url?.split('?')[0], request.headers.authorization, request.headers['x-tenant'] as string);
      response.writeHead(404).end(NOTHING_FOUND);
    });
    const source = new JaegerSource(`${address.replace('//', '//ann:p%40ss@')}/jaeger/`, {
      headers: { 'x-tenant': 'a' },
    });
    await source.ask({ name: 'step-statistics', ...QUESTION });
    expect(seen).toEqual(['/jaeger/api/v3/traces', `Basic ${Buffer.from('ann:p@ss').toString('base64')}`, 'a']);
    expect(source.location).toBe(`${address}/jaeger`);
  });

  test.each([
    ['a Jaeger with services', 'jaeger', '{"services":["voice-bot"]}'],
    ['a Jaeger before its first span', 'jaeger', '{}'],
  ])('of %s is recognised', async (_what, kind, body) => {
    expect((await openHttpSource(await answerWith(200, body))).kind).toBe(kind);
  });

  test('of a Jaeger that searches by service only is asked for its services once', async () => {
    const asked: string[] = [];
    const address = await listen((request, response) => {
      const { pathname, searchParams } = new URL(request.url!, 'http://jaeger');
      asked.push(`${pathname} ${searchParams.get('query.service_name') ?? ''}`.trim());
      if (pathname.endsWith('/services')) response.end('{"services":["ears","mouth"]}');
      else if (searchParams.has('query.service_name')) response.writeHead(404).end(NOTHING_FOUND);
      else response.writeHead(500).end('{"error":{"httpCode":500,"message":"service name is required"}}');
    });
    const source = await openHttpSource(address);
    await source.ask({ name: 'step-statistics', ...QUESTION });
    expect(asked.toSorted()).toEqual([
      '/api/v3/services',
      '/api/v3/traces',
      '/api/v3/traces ears',
      '/api/v3/traces mouth',
    ]);
  });

  test('that is none is refused', async () => {
    await expect(openHttpSource('http://')).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: '"http://" is not an address such as http://127.0.0.1:4318.',
    });
  });

  test('of a convotel serve is recognised', async () => {
    const address = await listen((request, response) =>
      request.url === '/healthz'
        ? response.end('{"status":"ok","instanceId":"5f"}')
        : response.writeHead(404).end('{"code":5,"message":"nothing is at /api/v3/services"}'),
    );
    expect((await openHttpSource(address)).kind).toBe('serve');
  });

  test('of neither is refused', async () => {
    const address = await answerWith(404, '{"message":"Not found"}');
    await expect(openHttpSource(address)).rejects.toMatchObject({
      code: 'WRONG_ANSWER',
      message: expect.stringMatching(/is neither Jaeger's query service nor a `convotel serve`.*status 404/),
    });
  });
});
