import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { connect, errors, parseInstant } from '@convotel/query';

let server: Server;
let port: number;
let folder: string;
beforeEach(async () => {
  server = createServer((request, response) => {
    if (request.url === '/healthz') response.end('{"status":"ok","instanceId":"5f"}');
    else response.writeHead(404).end('{}');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  ({ port } = server.address() as AddressInfo);
  folder = await mkdtemp(join(tmpdir(), 'convotel-connect-'));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

test('an address is asked by HTTP, with its scheme or with its port alone', async () => {
  for (const where of [`http://127.0.0.1:${port}`, `127.0.0.1:${port}`, `HTTP://127.0.0.1:${port}/`]) {
    expect((await connect(where)).kind).toBe('serve');
  }
});

test('a path is a file, whatever its name looks like', async () => {
  const path = join(folder, `127.0.0.1:${port}`);
  await writeFile(path, '{"resourceSpans":[]}\n');
  const source = await connect(path);
  const window = {
    sinceUnixNano: parseInstant('2025-10-08T00:00:00Z'),
    untilUnixNano: parseInstant('2025-10-09T00:00:00Z'),
  };
  expect((await errors(source, { window, timeZone: 'UTC' })).data).toEqual([]);
  expect(source).toMatchObject({ kind: 'file', location: path });
});

test.each([
  ['', 'where is empty.'],
  ['http://', 'where is not a valid address.'],
  ['localhost', 'where localhost has no port. Did you mean localhost:4318'],
  ['127.0.0.1', 'where 127.0.0.1 has no port.'],
  ['grpc://localhost:4317', 'where takes an http:// or https:// address'],
  ['name:password@host:16686', 'where takes an http:// or https:// address'],
  ['local', 'where is "local", which connect() of @convotel/local opens.'],
])('%j is refused, and what would be right is said', async (where, message) => {
  await expect(connect(where)).rejects.toMatchObject({
    code: 'OPTION_OUT_OF_RANGE',
    message: expect.stringContaining(message),
  });
});

test('a file that is not there cannot be reached', async () => {
  await expect(connect(join(folder, 'none.jsonl'))).rejects.toMatchObject({ code: 'UNREACHABLE' });
});
