import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { main } from '../../src/main.ts';
import { recordingTerminal } from '../recording-terminal.ts';

async function call(...words: string[]): Promise<{ status: number; said: string }> {
  const terminal = recordingTerminal({ HOME: '/nonexistent', CONVOTEL_DEBUG: '1' });
  const status = await main(words, terminal);
  return { status, said: terminal.output + terminal.errors };
}

describe('a name, password or token in an address is never shown', () => {
  test.each([
    ['when nothing listens there', 'http://name:SECRET@127.0.0.1:9'],
    ['without a name', 'http://:SECRET@127.0.0.1:9'],
    ['as a name alone', 'http://SECRET@127.0.0.1:9'],
    ['in the query', 'http://127.0.0.1:9/?token=SECRET'],
    ['in the fragment', 'http://127.0.0.1:9/#SECRET'],
    ['with a slash, which makes the address invalid', 'http://name:SEC/SECRET@127.0.0.1:9'],
    ['with a blank', 'http://name:SEC SECRET@127.0.0.1:99999'],
    ['with a sign that is not escaped', 'http://name:SECRET%zz@127.0.0.1:9'],
    ['with another scheme', 'ftp://name:SECRET@127.0.0.1:9'],
    ['without a scheme', 'name:SECRET@127.0.0.1:9'],
  ])('%s', async (_where, address) => {
    for (const words of [
      ['recent', '--from', address],
      ['recent', '--from', address, '--json'],
      ['recent', `--form=${address}`],
      [`--from=${address}`, 'recent'],
      [address],
      ['recent', address],
    ]) {
      const { status, said } = await call(...words);
      expect({ words, said, status }).toMatchObject({ words, said: expect.not.stringContaining('SECRET') });
      expect(said).toMatch(/^convotel: ./);
      expect(status).not.toBe(0);
    }
  });

  test('and goes to the server in a header', async () => {
    const seen: unknown[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.setHeader('content-type', 'application/json');
      response.end('{"services":[]}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const { said } = await call(
        'success',
        '--hours',
        '1',
        '--from',
        `http://:SECRET@${host}/?token=SECRET`,
        '--json',
      );
      expect(JSON.parse(said)).toMatchObject({ source: { kind: 'jaeger', location: `http://${host}` } });
      expect(said).not.toContain('SECRET');
      expect(seen).toContain(`Basic ${Buffer.from(':SECRET').toString('base64')}`);
    } finally {
      server.close();
    }
  });
});

test('a word that is not understood is escaped before it is repeated', async () => {
  const odd = '\u001b[31m\u2028\u202e\nconvotel: all is well';
  for (const words of [
    [odd],
    ['recent', `--${odd}`],
    [`--${odd}`, 'recent'],
    ['help', odd],
    ['recent', '--limit', odd],
  ]) {
    const { status, said } = await call(...words);
    expect(status).toBe(2);
    expect(said).toContain(String.raw`\u001b[31m\u2028\u202e\nconvotel: all is well`);
    expect(said).not.toMatch(/[\u001b\u2028\u202e]|^convotel: all/m);
  }
});

test('a suggestion still stands on a line of its own', async () => {
  expect((await call('recnt')).said).toMatch(/^convotel: unknown command 'recnt'\n\(Did you mean recent\?\)\n/);
});
