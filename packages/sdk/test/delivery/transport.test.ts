import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startLocalBackend } from '@convotel/local';
import { startTracing } from '@convotel/sdk';
import type { Tracing, TracingOptions } from '@convotel/sdk';
import { conversation } from '@convotel/tracing';
import { trace } from '@opentelemetry/api';
import { withEnvironment } from '../support/environment.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { OtlpReceiver } from '../support/otlp-receiver.ts';

let receiver: OtlpReceiver;
let folder: string;
let warnings: string[];
let running: Tracing | undefined;
const servers: Server[] = [];

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  folder = mkdtempSync(join(tmpdir(), 'convotel-transport-'));
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

function start(options: TracingOptions): Tracing {
  running = startTracing({
    metrics: false,
    journal: { folder: join(folder, 'journal') },
    warn: (message) => void warnings.push(message),
    ...options,
  });
  return running;
}

test.each([
  ['http/protobuf', 'none'],
  ['http/protobuf', 'gzip'],
  ['http/json', 'gzip'],
])('a real back end understands %s with compression %s', async (protocol, compression) => {
  const storePath = join(folder, 'store.duckdb');
  const backend = await startLocalBackend({ storePath, port: 0 });
  await withEnvironment(
    { OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_EXPORTER_OTLP_COMPRESSION: compression },
    async () => {
      const { shutdown } = start({ endpoint: backend.url, serviceName: 'wire' });
      await conversation({ conversationId: 'on-the-wire', workflow: 'voice' }, async (c) => {
        await c.step(
          'stt',
          { attributes: { big: 2 ** 60, list: ['a', 'b'], ratio: 0.5, on: true, text: 'ü'.repeat(9000) } },
          async () => 'hello',
        );
        await c.step('gpt', () => Promise.reject(new Error('no answer'))).catch(() => {});
      });
      const span = trace.getTracer('other').startSpan('linked', {
        links: [{ context: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 } }],
      });
      span.addEvent('event', { attempt: 2 }).end();
      expect(await shutdown()).toEqual({ deliveredSpans: 4, undeliveredSpans: 0 });
    },
  );
  await backend.stop();
});

describe('TLS', () => {
  /** A certificate of its own for 127.0.0.1. */
  function certificate(): { key: string; cert: string; path: string } {
    const [key, path] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        key,
        '-out',
        path,
        '-days',
        '2',
        '-subj',
        '/CN=127.0.0.1',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
      ],
      { stdio: 'ignore' },
    );
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(path, 'utf8'), path };
  }

  test('with a certificate that the environment names, directly and through a proxy', async () => {
    const { key, cert, path } = certificate();
    let requests = 0;
    const port = await listen(
      createTlsServer({ key, cert }, (request, response) => {
        requests += 1;
        request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
      }),
    );
    const endpoint = `https://127.0.0.1:${port}`;
    await withEnvironment({ OTEL_EXPORTER_OTLP_CERTIFICATE: path }, async () => {
      const { shutdown } = start({ endpoint });
      conversation((c) => c.step('first', () => 1));
      expect(await shutdown()).toEqual({ deliveredSpans: 2, undeliveredSpans: 0 });
    });
    const tunnels: (string | undefined)[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket) => {
      tunnels.push(request.url);
      const upstream = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      for (const each of [upstream, socket]) each.on('error', () => {});
    });
    const proxyPort = await listen(proxy);
    await withEnvironment(
      { OTEL_EXPORTER_OTLP_CERTIFICATE: path, HTTPS_PROXY: `http://127.0.0.1:${proxyPort}` },
      async () => {
        const { shutdown } = start({ endpoint });
        conversation((c) => c.step('second', () => 1));
        expect(await shutdown()).toEqual({ deliveredSpans: 2, undeliveredSpans: 0 });
      },
    );
    expect(tunnels).toEqual([`127.0.0.1:${port}`]);
    expect(requests).toBe(2);
  });

  test('without one, the reason is told', async () => {
    const { key, cert } = certificate();
    const port = await listen(createTlsServer({ key, cert }));
    const { shutdown } = start({ endpoint: `https://127.0.0.1:${port}` });
    conversation((c) => c.step('first', () => 1));
    expect(await shutdown()).toMatchObject({
      undeliveredSpans: 2,
      problem: 'the certificate is self-signed (DEPTH_ZERO_SELF_SIGNED_CERT)',
    });
  });
});

test('a web page is not taken for a back end', async () => {
  receiver.answerBy((response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'));
  const { shutdown } = start({ endpoint: receiver.endpoint });
  conversation((c) => c.step('first', () => 1));
  expect(await shutdown()).toMatchObject({
    deliveredSpans: 0,
    problem: expect.stringContaining('answered with a web page'),
  });
});
