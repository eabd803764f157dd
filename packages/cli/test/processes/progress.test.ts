import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { main } from '../../src/main.ts';
import type { Terminal } from '../../src/terminal.ts';
import { recordingTerminal } from '../recording-terminal.ts';

let silent: Server;
let waiting: ServerResponse[];
let address: string;

beforeEach(async () => {
  waiting = [];
  silent = createServer((_request, response) => void waiting.push(response)).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  address = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
});

afterEach(async () => {
  silent.closeAllConnections();
  await new Promise((resolve) => silent.close(resolve));
});

async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error('waited in vain');
    await wait(5);
  }
}

test('a long read says so on standard error, where a person sees it, and takes the line away', async () => {
  const recording = recordingTerminal();
  const terminal: Terminal = { ...recording, writeError: recording.writeError, showsProgress: true };
  const ending = main(['recent', '--from', address], terminal);
  await until(() => recording.errors.includes('Ctrl-C to stop'));
  expect(recording.errors).toMatch(/^\r\u001b\[KReading http:\/\/127\.0\.0\.1:\d+ … \(Ctrl-C to stop\)/);
  expect(recording.output).toBe('');
  for (const response of waiting) response.writeHead(500).end();
  expect(await ending).toBe(3);
  expect(recording.errors).toMatch(/\r\u001b\[Kconvotel: [^\r]*\n$/);
});
