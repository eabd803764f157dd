import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ServeSource, SourceError } from '@convotel/query';
import { encodeAnswer } from '@convotel/query/engine';

const QUESTION = { window: { sinceUnixNano: 0n, untilUnixNano: 1n }, limit: 1 };
const COVERAGE = { conversations: 0, spans: 0, complete: true, warnings: [] };
const GOOD_ANSWER = encodeAnswer({ name: 'common-errors', ...QUESTION }, { data: [], coverage: COVERAGE });

const servers: Server[] = [];

/** A server that answers every request with `listener`; returns its address. */
async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server whose answers have this status, content type and body. */
function listenWith(status: number, contentType: string, body: string): Promise<string> {
  return listen((_request, response) => response.writeHead(status, { 'content-type': contentType }).end(body));
}

async function failureOf(address: string, timeoutMs = 5_000): Promise<SourceError> {
  const error: unknown = await new ServeSource(address, { timeoutMs })
    .ask({ name: 'common-errors', ...QUESTION })
    .catch((e: unknown) => e);
  if (!(error instanceof SourceError)) throw new Error('did not fail with a SourceError', { cause: error });
  return error;
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('a source that asks convotel serve', () => {
  test('asks by URL and hands over the answer', async () => {
    const urls: (string | undefined)[] = [];
    const address = await listen((request, response) => {
      urls.push(request.url);
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(GOOD_ANSWER);
    });
    const source = new ServeSource(`${address}/`);
    expect(await source.ask({ name: 'common-errors', ...QUESTION })).toEqual({ data: [], coverage: COVERAGE });
    expect(urls).toEqual([
      '/api/v1/common-errors?since=1970-01-01T00:00:00.000000000Z&until=1970-01-01T00:00:00.000000001Z&limit=1',
    ]);
    expect([source.kind, source.location]).toEqual(['serve', `${address}/`]);
    await source.close();
  });

  test('stops reading an answer that does not end', async () => {
    const address = await listen((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const write = (): void => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
      };
      response.on('drain', write);
      write();
    });
    const source = new ServeSource(address, { maxAnswerBytes: 2 ** 20 });
    await expect(source.ask({ name: 'common-errors', ...QUESTION })).rejects.toMatchObject({
      code: 'WRONG_ANSWER',
      message: `${address} answered common-errors with more than 1 MiB, which is over the limit for one answer. Ask for a shorter time range, or use a smaller limit.`,
    });
  });

  test('says that nothing answers, and what to do', async () => {
    const address = await listen(() => {});
    await new Promise((resolve) => servers.splice(0)[0]!.close(resolve));
    const error = await failureOf(address);
    expect(error.code).toBe('UNREACHABLE');
    expect(error.message).toMatch(
      /Cannot read from http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED .*Start `convotel serve`/,
    );
  });

  test.each(['http://', 'http://nowhere.invalid:4318'])('cannot reach %s', async (address) => {
    expect((await failureOf(address)).code).toBe('UNREACHABLE');
  });

  test('gives up on a server that does not answer in time', async () => {
    const error = await failureOf(await listen(() => {}), 100);
    expect(error.code).toBe('UNREACHABLE');
    expect(error.message).toContain('did not answer within 0.1 s');
  });

  test('gives up on a server that does not finish in time', async () => {
    const address = await listen((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{');
    });
    expect((await failureOf(address, 200)).message).toContain('did not answer within 0.2 s');
  });

  test('says when a server cannot answer at present', async () => {
    const error = await failureOf(await listenWith(503, 'application/json', '{"message":"the disk is full"}'));
    expect(error.code).toBe('UNREACHABLE');
    expect(error.message).toContain('the disk is full');
  });

  test.each([
    ['another server', 404, 'text/plain', 'not found', 'answered with status 404: "not found"'],
    ['a page', 200, 'text/html; charset=utf-8', '<!doctype html>', 'answered with text/html; charset=utf-8, not JSON'],
    ['a redirection', 302, 'text/plain', '', 'answered with status 302'],
    ['other JSON', 200, 'application/json', '{"data":[]}', 'answer.question is missing'],
    ['half an answer', 200, 'application/json', GOOD_ANSWER.slice(0, -5), 'the answer is not valid JSON'],
    ['a refusal', 400, 'application/json', `"${'x'.repeat(5000)}"`, 'xxx…'],
  ])('does not take %s for an answer', async (_, status, contentType, body, reason) => {
    const error = await failureOf(await listenWith(status, contentType, body));
    expect(error.code).toBe('WRONG_ANSWER');
    expect(error.message).toContain(reason);
    expect(error.message.length).toBeLessThan(500);
  });

  test.each([
    [
      401,
      '{"code":16,"message":"a token, please"}',
      /asks for a token, and was sent none that it knows \(status 401\)\. Set CONVOTEL_TOKEN/,
    ],
    [403, '{"code":7,"message":"not by this name"}', /refuses \(status 403\): "not by this name"\.$/],
    [403, 'a proxy', /answered with status 403: "a proxy"\. Is a `convotel serve`/],
  ])('says why a server refuses with status %s: %s', async (status, body, reason) => {
    const error = await failureOf(await listenWith(status, 'application/json', body));
    expect(error.code).toBe('WRONG_ANSWER');
    expect(error.message).toMatch(reason);
  });

  test('does not take an answer that breaks off', async () => {
    const address = await listen((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"question"', () => response.destroy());
    });
    const error = await failureOf(address);
    expect(error.code).toBe('UNREACHABLE');
    expect(error.message).toMatch(/^Cannot read from .*(aborted|ECONNRESET)/);
  });
});
