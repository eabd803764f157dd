import { connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { startStack } from './src/start-stack.ts';
import type { Stack } from './src/start-stack.ts';

let stack: Stack | undefined;

afterEach(async () => {
  await stack?.stop();
});

function askPermission(url: string, origin: string): Promise<Response> {
  return fetch(`${url}/v1/traces`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    },
  });
}

test('no web page may send, unless its origin is named', async () => {
  stack = await startStack({ programs: ['collector'] });
  const refused = await askPermission(stack.otlpUrl, 'https://app.example.com');
  expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  await stack.stop();

  const environment = { COLLECTOR_CORS_ORIGINS: '[https://app.example.com]' };
  stack = await startStack({ programs: ['collector'], environment });
  const allowed = await askPermission(stack.otlpUrl, 'https://app.example.com');
  expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
  const foreign = await askPermission(stack.otlpUrl, 'https://evil.example.com');
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
});

test('OTLP is taken by HTTP and by gRPC, and the collector tells how it is', async () => {
  stack = await startStack({ programs: ['collector'] });
  const empty = await fetch(`${stack.otlpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"resourceSpans":[]}',
  });
  expect(empty.status).toBe(200);
  expect(await greetingOfHttp2(stack.ports.otlpGrpc)).toBe(SETTINGS_FRAME);
  expect((await fetch(`http://127.0.0.1:${stack.ports.collectorHealth}/`)).status).toBe(200);
  expect(await (await fetch(stack.collectorMetricsUrl)).text()).toContain('otelcol_exporter_queue_capacity');
});

/** Type of the frame with which every HTTP/2 server begins (RFC 9113, section 3.4). */
const SETTINGS_FRAME = 4;

function greetingOfHttp2(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'),
    );
    socket.once('error', reject);
    socket.once('data', (data) => {
      resolve(data[3]);
      socket.destroy();
    });
  });
}
