import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { averages, ServeSource } from '@convotel/query/answers';
import type { Get } from '@convotel/query/answers';
import { SourceError } from '@convotel/query';
import { decodeQuestion, encodeAnswer } from '@convotel/query/engine';
import { exampleConversations, DAY } from './answers/example-conversations.ts';

const run = promisify(execFile);
const asked = { window: DAY, timeZone: 'UTC' };

let server: Server;
let address: string;

beforeAll(async () => {
  const source = exampleConversations();
  server = createServer((request, response) => {
    const question = decodeQuestion(new URL(request.url!, 'http://127.0.0.1'));
    void source.ask(question).then((answer) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(encodeAnswer(question, answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

/** Runs `program` as a module of a process in which no import may lead to a module of Node.js. */
async function runWithoutNode(program: string): Promise<string> {
  const refusing = `export async function resolve(specifier, context, next) {
    const found = await next(specifier, context);
    if (found.url.startsWith('node:')) throw new Error(context.parentURL + ' imports ' + found.url);
    return found;
  }`;
  const hooks = `data:text/javascript,${encodeURIComponent(refusing)}`;
  // Registered inside the program: what Node itself imports to start is no concern.
  const whole = `process.getBuiltinModule('node:module').register(${JSON.stringify(hooks)});\n${program}`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', whole], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  return stdout;
}

test('the entry for web pages imports no module of Node.js and answers over HTTP', async () => {
  const stdout = await runWithoutNode(`
    const { averages, ServeSource } = await import('@convotel/query/answers');
    const window = { sinceUnixNano: ${DAY.sinceUnixNano}n, untilUnixNano: ${DAY.untilUnixNano}n };
    const { data } = await averages(new ServeSource('${address}'), { window, timeZone: 'UTC' });
    console.log(JSON.stringify(data));
  `);
  expect(JSON.parse(stdout)).toEqual((await averages(exampleConversations(), asked)).data);
});

test('an import of a module of Node.js would have been seen', async () => {
  await expect(runWithoutNode(`await import('@convotel/query');`)).rejects.toThrow(/imports node:/);
});

describe('the source of that entry', () => {
  test('asks by the function that it is given', async () => {
    const urls: string[] = [];
    const get: Get = (url, options) => {
      urls.push(url);
      return fetch(url, options);
    };
    const report = await averages(new ServeSource(address, { get }), asked);
    expect(report.data.length).toBeGreaterThan(0);
    expect(report.source).toEqual({ kind: 'serve', location: address });
    expect(urls).toEqual([expect.stringContaining(`${address}/api/v1/step-statistics?`)]);
  });

  test('says that nothing listens there', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const asking = averages(new ServeSource(`http://127.0.0.1:${port}`), asked);
    await expect(asking).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    await expect(asking).rejects.toBeInstanceOf(SourceError);
  });

  test.each([
    [503, 'application/json', '{"error":"starting"}', 'UNREACHABLE', 'cannot answer at present'],
    [404, 'application/json', '{}', 'WRONG_ANSWER', 'status 404'],
    [200, 'text/html', '<p>', 'WRONG_ANSWER', 'text/html, not JSON'],
    [200, 'application/json', '{}', 'WRONG_ANSWER', 'did not send an answer to step-statistics'],
  ])('takes status %d, %s, %s for %s', async (status, contentType, body, code, words) => {
    const get: Get = async () => ({ status, headers: { get: () => contentType }, text: async () => body });
    const asking = averages(new ServeSource('http://127.0.0.1:1', { get }), asked);
    await expect(asking).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test('gives up after its time', async () => {
    const get: Get = (_url, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    const asking = averages(new ServeSource('http://127.0.0.1:1', { get, timeoutMs: 20 }), asked);
    await expect(asking).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('within 0.02 s'),
    });
  });
});
