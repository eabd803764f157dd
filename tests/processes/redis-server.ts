import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findFreePort } from '../stack/src/free-ports.ts';

const INSTALL = join(dirname(fileURLToPath(import.meta.url)), 'install-redis.sh');

/** A Redis server of the test's own, in memory. */
export interface RedisServer {
  port: number;
  stop(): Promise<void>;
}

/** Installs Redis where it is missing, and starts it on a free port. */
export async function startRedis(): Promise<RedisServer> {
  await promisify(execFile)(INSTALL);
  const folder = mkdtempSync(join(tmpdir(), 'convotel-redis-'));
  const port = await findFreePort();
  const server = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let output = '';
    server.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('Ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`redis-server ended before it was ready:\n${output}`)));
  });
  return {
    port,
    async stop() {
      server.kill();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
