import { mkdtemp, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startLocalBackend, type LocalBackend, type LocalBackendOptions } from '@convotel/local';
import { ServeSource } from '@convotel/query';
import { jsonRequest, jsonStep, send, type Received } from '../sending.ts';

const ALL = 'all-rights-0123456789abcdef';
const READ = 'only-read-0123456789abcdef';
const SEND = 'only-send-0123456789abcdef';
const DELETE = 'may-delete-0123456789abcdef';
const TOKENS = `# the team\n${ALL}\n\nread ${READ}\r\nsend  ${SEND}\nread,delete ${DELETE}\n`;
const ORIGIN = 'https://app.example.com';

let folder: string;
let backend: LocalBackend;
let stores = 0;
const start = (options: Partial<LocalBackendOptions>): Promise<LocalBackend> =>
  startLocalBackend({ storePath: join(folder, `${stores++}.duckdb`), port: 0, ...options });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-access-'));
  backend = await start({
    host: '0.0.0.0',
    tokens: TOKENS,
    allowedOrigins: [ORIGIN],
    pageFolder: join(folder, 'none'),
  });
});
afterAll(async () => {
  await backend.stop();
  await rm(folder, { recursive: true });
});

const url = (path: string): string => backend.url.replace('0.0.0.0', '127.0.0.1') + path;
const QUESTION = '/api/v1/conversations?order=newest&limit=1';
const ask = (headers: Record<string, string> = {}, path = QUESTION): Promise<Received> =>
  send(url(path), { method: 'GET', headers });
const sendSpan = (headers: Record<string, string>): Promise<Received> =>
  send(url('/v1/traces'), { headers, body: jsonRequest(jsonStep('gpt')) });
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

describe('a token is asked for', () => {
  test.each([
    ['none', {}],
    ['a wrong one', bearer('x'.repeat(ALL.length))],
    ['one that begins alike', bearer(`${ALL}0`)],
    ['an empty one', { authorization: 'Bearer ' }],
    ['the rights with the token', bearer(`read ${READ}`)],
    ['a cookie of nobody', { cookie: 'convotel=none' }],
    ['the token as a cookie', { cookie: `convotel=${ALL}` }],
  ])('%s is answered 401, and says what to do', async (_name, headers) => {
    for (const received of [await ask(headers), await sendSpan(headers), await ask(headers, '/page/about.json')]) {
      expect(received.status).toBe(401);
      expect(received.headers['www-authenticate']).toContain('Bearer');
      expect(received.body.toString()).toMatch(/Authorization: Bearer <token>/);
    }
  });

  test('each token may do what its line says', async () => {
    expect((await ask(bearer(ALL))).status).toBe(200);
    expect((await sendSpan(bearer(ALL))).status).toBe(200);
    expect((await ask(bearer(READ))).status).toBe(200);
    expect((await sendSpan(bearer(READ))).status).toBe(403);
    expect((await ask(bearer(SEND))).status).toBe(403);
    expect((await sendSpan(bearer(SEND))).status).toBe(200);
  });

  test('deleting is a right of its own', async () => {
    const forget = (token: string, id: string, type = 'application/json'): Promise<Received> =>
      send(url('/api/v1/forget'), {
        headers: { ...bearer(token), 'content-type': type },
        body: JSON.stringify({ conversationId: id }),
      });
    const sent = await send(url('/v1/traces'), { headers: bearer(SEND), body: jsonRequest(jsonStep('forgetting')) });
    expect(sent.status).toBe(200);
    const id = 'talk about forgetting';
    for (const token of [READ, SEND]) expect((await forget(token, id)).status).toBe(403);
    expect((await forget('x'.repeat(40), id)).status).toBe(401);
    expect((await forget(DELETE, id, 'text/plain')).status).toBe(415);
    expect((await forget(DELETE, 'nobody')).status).toBe(404);
    const forgotten = await forget(DELETE, id);
    expect([forgotten.status, JSON.parse(forgotten.body.toString())]).toEqual([200, { traces: 1, spans: 1 }]);
    expect((await forget(DELETE, id)).status).toBe(404);
    expect((await sendSpan(bearer(DELETE))).status).toBe(403);
  });

  test('whoever watches over it learns that it runs, and nothing else', async () => {
    const health = async (headers = {}): Promise<object> =>
      JSON.parse((await ask(headers, '/healthz')).body.toString()) as object;
    expect(await health()).toEqual({ status: 'ok', instanceId: backend.instanceId });
    expect(await health(bearer(READ))).toMatchObject({ status: 'ok', storePath: backend.storePath });
  });

  test('the command reads with the token in the address', async () => {
    const source = new ServeSource(url('').replace('://', `://me:${READ}@`));
    await expect(source.ask({ name: 'conversations', order: 'newest', limit: 1 })).resolves.toMatchObject({});
  });

  test.each([
    ['', /contains no tokens/],
    ['# nothing\n', /contains no tokens/],
    ['short', /fewer than 16 characters/],
    [`look ${READ}`, /"look", which is not a right/],
    [`read send ${READ}`, /more than rights and a token/],
  ])('the token file %j is refused', async (tokens, reason) => {
    await expect(start({ tokens })).rejects.toMatchObject({
      code: 'TOKEN_FILE_MALFORMED',
      message: expect.stringMatching(reason) as unknown,
    });
  });
});

test.each(['0.0.0.0', '::', '192.0.2.1', 'example.com'])('without a token it does not listen on %s', async (host) => {
  await expect(start({ host })).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
});

describe('signing in', () => {
  const signIn = (token: string, headers = {}): Promise<Received> =>
    send(url('/page/sign-in'), {
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ token }),
    });

  test('gives a cookie that no script reads and that does not hold the token; it may read, and no more', async () => {
    const received = await signIn(ALL);
    const cookie = String(received.headers['set-cookie']);
    expect(received.status).toBe(200);
    expect(cookie).toMatch(/^convotel=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
    expect(cookie).not.toContain(ALL);
    const headers = { cookie: `other=1; ${cookie.split(';')[0]!}` };
    expect((await ask(headers)).status).toBe(200);
    expect((await sendSpan(headers)).status).toBe(403);
  });

  test('over https the cookie stays there', async () => {
    const received = await signIn(ALL, { 'x-forwarded-proto': 'https' });
    expect(String(received.headers['set-cookie'])).toMatch(/; Secure$/);
  });

  test.each([SEND, 'wrong-0123456789abcdef', ''])('is refused with %j', async (token) => {
    const received = await signIn(token);
    expect(received.status).toBe(401);
    expect(received.headers['set-cookie']).toBeUndefined();
  });

  test('takes nothing that a form of a foreign page can send', async () => {
    const headers = { 'content-type': 'text/plain' };
    expect((await send(url('/page/sign-in'), { headers, body: JSON.stringify({ token: ALL }) })).status).toBe(415);
  });
});

describe('pages of other origins', () => {
  test('one that is allowed may ask and send, and its browser is told so', async () => {
    const received = await ask({ ...bearer(READ), origin: ORIGIN, 'sec-fetch-site': 'cross-site' });
    expect(received.status).toBe(200);
    expect(received.headers['access-control-allow-origin']).toBe(ORIGIN);
    const refused = await ask({ origin: ORIGIN });
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, ORIGIN]);
  });

  test('is asked before by a browser', async () => {
    const headers = { origin: ORIGIN, 'access-control-request-method': 'POST' };
    const received = await send(url('/v1/traces'), { method: 'OPTIONS', headers });
    expect(received.status).toBe(204);
    expect(received.headers['access-control-allow-headers']).toContain('authorization');
  });

  test.each(['https://evil.example', 'null', 'https://app.example.com.evil.example', 'http://app.example.com'])(
    '%s is refused',
    async (origin) => {
      const received = await ask({ ...bearer(ALL), origin });
      expect([received.status, received.headers['access-control-allow-origin']]).toEqual([403, undefined]);
      expect((await send(url('/v1/traces'), { method: 'OPTIONS', headers: { origin } })).status).toBe(403);
    },
  );

  test('a link that is followed from elsewhere opens; what is shown inside a foreign page does not', async () => {
    const from = { ...bearer(READ), 'sec-fetch-site': 'cross-site' };
    expect((await ask({ ...from, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' })).status).toBe(200);
    expect((await ask({ ...from, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' })).status).toBe(403);
    expect((await ask({ ...from, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' })).status).toBe(403);
  });
});

describe('a Unix socket', () => {
  const overSocket = (socketPath: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      request({ socketPath, path: QUESTION }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .once('error', reject)
        .end();
    });

  test('answers its owner, whom the file admits, and nobody else', async () => {
    const socketPath = join(folder, 'convotel.sock');
    const onSocket = await start({ socketPath });
    try {
      expect(onSocket.url).toBe(`unix:${socketPath}`);
      expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
      expect(await overSocket(socketPath)).toBe(200);
      await expect(start({ socketPath })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    } finally {
      await onSocket.stop();
    }
    const again = await start({ socketPath });
    expect(await overSocket(socketPath)).toBe(200);
    const source = new ServeSource(again.url);
    expect(source.location).toBe(`unix:${socketPath}`);
    expect(await source.ask({ name: 'conversations', order: 'newest', limit: 1 })).toMatchObject({ data: [] });
    await again.stop();
    await expect(source.health()).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/^Cannot read from unix:/) as unknown,
    });
  });

  test('does not take the place of a file that is not one', async () => {
    const { storePath } = backend;
    await expect(start({ socketPath: storePath })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  });
});
