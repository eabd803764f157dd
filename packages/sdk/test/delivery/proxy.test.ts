import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Agent as HttpsAgent, createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startTracing } from '@convotel/sdk';
import type { Tracing, TracingOptions } from '@convotel/sdk';
import { conversation } from '@convotel/tracing';
import { withEnvironment } from '../support/environment.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { OtlpReceiver } from '../support/otlp-receiver.ts';

const BOTH = { deliveredSpans: 2, undeliveredSpans: 0 };

let receiver: OtlpReceiver;
let folder: string;
let warnings: string[];
let running: Tracing | undefined;
const servers: Server[] = [];

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  folder = mkdtempSync(join(tmpdir(), 'convotel-proxy-'));
  warnings = [];
});

afterEach(async () => {
  await running?.shutdown({ deadlineMs: 200 });
  running = undefined;
  await receiver.stop();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Sends one conversation with a step; returns what `shutdown` says. */
async function talk(options: TracingOptions): Promise<unknown> {
  running = startTracing({
    metrics: false,
    journal: { folder: join(folder, 'journal') },
    warn: (message) => void warnings.push(message),
    ...options,
  });
  conversation((c) => c.step('first', () => 1));
  return running.shutdown();
}

function certificate(): { key: string; cert: string; path: string } {
  const [key, path] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:collector.example'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', path, '-days', '2', ...subject], { stdio: 'ignore' }); // prettier-ignore
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(path, 'utf8'), path };
}

interface Seen {
  method: string | undefined;
  url: string | undefined;
  proxyAuthorization: string | undefined;
  authorization: string | undefined;
}

/** A proxy on a real port that takes every host for the back end of this test, by both ways that HTTP has. */
async function startProxy(
  backendPort: number,
  options: { tls?: { key: string; cert: string }; connect?: 'hang' | number } = {},
): Promise<{ address: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const see = ({ method, url, headers }: IncomingMessage): void =>
    void seen.push({
      method,
      url,
      proxyAuthorization: headers['proxy-authorization'],
      authorization: headers.authorization,
    });
  const hear = (request: IncomingMessage, response: ServerResponse): void => {
    see(request);
    const { pathname, search } = new URL(request.url!);
    const address = `http://127.0.0.1:${backendPort}${pathname}${search}`;
    const onward = httpRequest(address, { method: 'POST', headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  };
  const server = options.tls === undefined ? createServer(hear) : createTlsServer(options.tls, hear);
  server.on('connect', (request, socket) => {
    see(request);
    socket.on('error', () => {});
    if (options.connect === 'hang') return;
    if (options.connect !== undefined) return void socket.end(`HTTP/1.1 ${options.connect} no\r\n\r\n`);
    const upstream = connect(backendPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => {});
  });
  const port = await listen(server as Server);
  return { address: `${options.tls === undefined ? 'http' : 'https'}://me:p%40ss@127.0.0.1:${port}`, seen };
}

/** A back end by TLS that counts its requests. */
async function startTlsBackend(tls: { key: string; cert: string }): Promise<{ port: number; requests: () => number }> {
  let requests = 0;
  const server = createTlsServer(tls, (request, response) => {
    requests += 1;
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  return { port: await listen(server as Server), requests: () => requests };
}

const portOf = ({ endpoint }: OtlpReceiver): number => Number(new URL(endpoint).port);
const BASIC = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;

describe('for HTTP', () => {
  test('is sent the whole address, with its password; NO_PROXY excepts hosts', async () => {
    const { address, seen } = await startProxy(portOf(receiver));
    await withEnvironment({ HTTP_PROXY: address, NO_PROXY: 'other.example' }, async () => {
      expect(await talk({ endpoint: 'http://collector.example:4318' })).toEqual(BOTH);
    });
    const url = 'http://collector.example:4318/v1/traces';
    expect(seen).toEqual([{ method: 'POST', url, proxyAuthorization: BASIC, authorization: undefined }]);
    await withEnvironment({ HTTP_PROXY: address, NO_PROXY: '127.0.0.1' }, async () => {
      expect(await talk({ endpoint: receiver.endpoint })).toEqual(BOTH);
    });
    expect(seen).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  test('does not see the password of the endpoint in the address; the back end gets it', async () => {
    const { address, seen } = await startProxy(portOf(receiver));
    await withEnvironment({ http_proxy: address }, async () => {
      expect(await talk({ endpoint: 'http://bob:s%3Acret@collector.example/base?key=1' })).toEqual(BOTH);
    });
    expect(seen[0]!.url).toBe('http://collector.example/base/v1/traces?key=1');
    expect(seen[0]!.authorization).toBe(`Basic ${Buffer.from('bob:s:cret').toString('base64')}`);
  });

  test('is not asked for what listens on this machine by default, nor where the program has an agent', async () => {
    const { address, seen } = await startProxy(portOf(receiver));
    const agent = new Agent({ keepAlive: true });
    await withEnvironment({ HTTP_PROXY: address }, async () => {
      expect(await talk({ endpoint: receiver.endpoint, agent })).toEqual(BOTH);
      running = startTracing({ metrics: false, journal: false, warn: () => {} });
      conversation((c) => c.step('first', () => 1));
      await running.shutdown();
    });
    agent.destroy();
    expect(seen).toEqual([]);
  });

  test('may itself be reached by TLS', async () => {
    const tls = certificate();
    const { address, seen } = await startProxy(portOf(receiver), { tls });
    const program = `
      import { startTracing } from '@convotel/sdk';
      import { conversation } from '@convotel/tracing';
      const tracing = startTracing({ metrics: false, journal: false, endpoint: 'http://collector.example' });
      conversation((c) => c.step('first', () => 1));
      console.log(JSON.stringify(await tracing.shutdown()));
    `;
    expect(await runProgram(program, { HTTP_PROXY: address, NODE_EXTRA_CA_CERTS: tls.path })).toEqual(BOTH);
    expect(seen).toMatchObject([{ method: 'POST', proxyAuthorization: BASIC }]);
  });
});

async function runProgram(
  program: string,
  environment: Record<string, string>,
  node = process.execPath,
): Promise<unknown> {
  const { stdout, stderr } = await promisify(execFile)(node, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe('for HTTPS', () => {
  test('opens a tunnel; the certificate is that of the back end, also by IPv6', async () => {
    const tls = certificate();
    const { port, requests } = await startTlsBackend(tls);
    const { address, seen } = await startProxy(port);
    await withEnvironment({ OTEL_EXPORTER_OTLP_CERTIFICATE: tls.path, HTTPS_PROXY: address }, async () => {
      expect(await talk({ endpoint: 'https://collector.example' })).toEqual(BOTH);
      expect(await talk({ endpoint: 'https://[::1]:4318' })).toMatchObject({ deliveredSpans: 0 });
    });
    expect(seen.slice(0, 2)).toMatchObject([
      { method: 'CONNECT', url: 'collector.example:443', proxyAuthorization: BASIC },
      { method: 'CONNECT', url: '[::1]:4318' },
    ]);
    expect(requests()).toBe(1);
    expect(running!.report().problem).toContain('the certificate is for another host');
  });

  test.each([407, 502])('that answers %i is named, without its password', async (status) => {
    const { address } = await startProxy(1, { connect: status });
    await withEnvironment({ HTTPS_PROXY: address }, async () => {
      expect(await talk({ endpoint: 'https://collector.example' })).toMatchObject({
        undeliveredSpans: 2,
        problem: expect.stringMatching(new RegExp(`^the proxy 127.0.0.1:\\d+ answered ${status} to CONNECT$`)),
      });
    });
    expect(warnings.join()).not.toMatch(/p%40ss|p@ss/);
  });

  test('that is not there is named', async () => {
    await withEnvironment({ HTTPS_PROXY: 'http://127.0.0.1:9' }, async () => {
      expect(await talk({ endpoint: 'https://collector.example' })).toMatchObject({
        problem: 'the proxy 127.0.0.1:9: connection refused (ECONNREFUSED)',
      });
    });
  });

  test('that hangs does not hold the process', async () => {
    const { address, seen } = await startProxy(1, { connect: 'hang' });
    const program = `
      import { startTracing } from '@convotel/sdk';
      import { conversation } from '@convotel/tracing';
      const tracing = startTracing({ metrics: false, journal: { folder: process.env.JOURNAL_FOLDER }, endpoint: 'https://collector.example' });
      conversation((c) => c.step('first', () => 1));
      console.log(JSON.stringify(await tracing.shutdown({ deadlineMs: 500 })));
    `;
    // A program that waited for the proxy would still run when the test gives up.
    expect(await runProgram(program, { HTTPS_PROXY: address, JOURNAL_FOLDER: folder })).toEqual({
      deliveredSpans: 0,
      undeliveredSpans: 2,
    });
    expect(seen).toMatchObject([{ method: 'CONNECT' }]);
  });
});

// Node's own support, where there is one: `npm run test:newest-clients` runs this with a Node that has it.
const hasOwnSupport = process.allowedNodeEnvironmentFlags.has('--use-env-proxy');
describe("beside Node's own support for proxies", () => {
  test('NODE_USE_ENV_PROXY makes no second proxy of the first', async () => {
    const tls = certificate();
    const { port, requests } = await startTlsBackend(tls);
    const proxy = await startProxy(port);
    const program = `
      import { startTracing } from '@convotel/sdk';
      import { conversation } from '@convotel/tracing';
      const tracing = startTracing({ metrics: false, journal: false, endpoint: 'https://collector.example' });
      conversation((c) => c.step('first', () => 1));
      console.log(JSON.stringify(await tracing.shutdown()));
    `;
    const environment = {
      NODE_USE_ENV_PROXY: '1',
      NODE_NO_WARNINGS: '1',
      HTTPS_PROXY: proxy.address,
      HTTP_PROXY: proxy.address,
    };
    expect(await runProgram(program, { ...environment, OTEL_EXPORTER_OTLP_CERTIFICATE: tls.path })).toEqual(BOTH);
    expect(proxy.seen).toMatchObject([{ method: 'CONNECT', url: 'collector.example:443' }]);
    expect(requests()).toBe(1);
  });

  if (!hasOwnSupport) return;
  test('an agent of Node with proxyEnv is used as it is', async () => {
    const { address, seen } = await startProxy(portOf(receiver));
    const agent = new Agent({ proxyEnv: { HTTP_PROXY: address } } as never);
    expect(await talk({ endpoint: 'http://collector.example:4318', agent })).toEqual(BOTH);
    agent.destroy();
    expect(seen).toMatchObject([{ url: 'http://collector.example:4318/v1/traces', proxyAuthorization: BASIC }]);
  });
});

describe('settings', () => {
  test.each(['socks5://bob:secret@proxy.example:1080', 'http://', 'not an address'])(
    'a proxy that cannot be used is said once, without its password: %s',
    async (address) => {
      await withEnvironment({ HTTP_PROXY: address }, async () => {
        expect(await talk({ endpoint: receiver.endpoint, metrics: true })).toEqual(BOTH);
      });
      expect(warnings).toEqual([
        expect.stringMatching(/^convotel: HTTP_PROXY is ".*", which cannot be used; connections/),
      ]);
      expect(warnings.join()).not.toContain('secret');
    },
  );

  test.each(['an agent', 7, {}, null])('an agent that is none is said, and not used: %p', async (agent) => {
    expect(await talk({ endpoint: receiver.endpoint, agent: agent as never })).toEqual(BOTH);
    expect(warnings).toEqual([expect.stringContaining('the option agent is')]);
  });

  test('an agent for another protocol, or a header that cannot be sent, costs no exception', async () => {
    const agent = new HttpsAgent();
    const headers = { 'x-key': 'a\r\nb: c', 'bad name': 'x', 'x-good': 'yes', 'x-none': undefined as never };
    expect(await talk({ endpoint: receiver.endpoint, agent, metrics: true })).toMatchObject({
      undeliveredSpans: 2,
      problem: expect.stringContaining('Protocol'),
    });
    expect(await talk({ endpoint: receiver.endpoint, headers })).toMatchObject({ undeliveredSpans: 0 });
    expect(receiver.requests.at(-1)!.headers).toMatchObject({ 'x-good': 'yes' });
    expect(warnings.filter((each) => each.includes('the option headers'))).toHaveLength(3);
  });
});
