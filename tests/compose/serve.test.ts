import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { findFreePort } from '../stack/src/free-ports.ts';
import { ROOT } from './stack-files.ts';

const text = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

interface ServeFile {
  services: { convotel: Record<string, unknown> & { ports: string[]; volumes: string[]; secrets: string[] } };
  volumes: Record<string, unknown>;
  secrets: Record<string, { file: string }>;
}
const file = parse(text('docker-compose.serve.yml')) as ServeFile;
const { convotel } = file.services;

/** The instructions of the Dockerfile, each on one line. */
const instructions = text('Dockerfile')
  .replaceAll(/\\\n\s*/g, ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const);
const last = (name: string): string => instructions.findLast(([each]) => each === name)![1];
const list = (words: string): string[] => JSON.parse(words.slice(words.indexOf('['))) as string[];

describe('the container of serve', () => {
  test('runs as somebody without rights, and writes to its volume only', () => {
    expect(last('USER')).toBe('node');
    expect(convotel).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    const [volume, folder] = convotel.volumes[0]!.split(':');
    expect(Object.keys(file.volumes)).toEqual([volume]);
    expect(last('ENV')).toBe(`CONVOTEL_STORE=${folder!}/conversations.duckdb`);
    expect(last('VOLUME')).toBe(folder);
  });

  test('is the version of the command, and answers on this machine only', () => {
    const { version } = JSON.parse(text('packages/cli/package.json')) as { version: string };
    expect(convotel['image']).toBe(`convotel:${version}`);
    expect(convotel.ports).toEqual([`127.0.0.1:${last('EXPOSE')}:${last('EXPOSE')}`]);
  });

  test('asks for the tokens that it is given', () => {
    expect(list(last('CMD'))).toContain(`/run/secrets/${convotel.secrets[0]!}`);
    expect(Object.keys(file.secrets)).toEqual(convotel.secrets);
  });

  test('leaves out of the image what is not a source', () => {
    expect(text('.dockerignore').split('\n')).toEqual(expect.arrayContaining(['.git', '**/node_modules', '**/dist']));
  });
});

test('what the container runs serves, and its health check tells that from nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'convotel-container-'));
  try {
    const tokens = join(folder, 'tokens');
    await writeFile(tokens, 'a-token-of-this-test-0123456789\n');
    const port = await findFreePort();
    const health = list(last('HEALTHCHECK')).map((word) => word.replace(':4318/', `:${port}/`));
    const healthy = async (): Promise<boolean> => {
      const check = spawn(process.execPath, health.slice(1), { stdio: 'ignore' });
      const [status] = (await once(check, 'exit')) as [number];
      return status === 0;
    };
    expect(await healthy()).toBe(false);

    const words = list(last('CMD')).map((word) => (word.startsWith('/run/secrets/') ? tokens : word));
    const command = fileURLToPath(new URL('packages/cli/bin/convotel.js', ROOT));
    // On loopback: the rest of the machine is not to see a test.
    const onLoopback = words.map((word) => (word === '0.0.0.0' ? '127.0.0.1' : word));
    const serve = spawn(process.execPath, [command, ...onLoopback, '--port', String(port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, CONVOTEL_STORE: join(folder, 'store.duckdb') },
    });
    try {
      const ended = once(serve, 'exit').then(([status]) => `it ended with status ${String(status)}`);
      const greeted = once(serve.stdout, 'data').then(([greeting]) => String(greeting));
      const greeting = await Promise.race([greeted, ended]);
      expect(greeting).toContain(`http://127.0.0.1:${port}`);
      expect(await healthy()).toBe(true);
    } finally {
      serve.kill('SIGINT');
      if (serve.exitCode === null && serve.signalCode === null) await once(serve, 'exit');
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);
