import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Users } from './server/users.ts';

const MAIN = fileURLToPath(new URL('../dist/server/main.js', import.meta.url));

/** What to start. */
export interface EngineOptions {
  /** @defaultValue one user `default` without a password */
  users?: Users;
  /** @defaultValue a free port */
  port?: number;
  /** Where the data is kept when it stops. @defaultValue a temporary folder, which it removes */
  folder?: string | undefined;
}

/** A ClickHouse that answers over HTTP on 127.0.0.1, with a temporary folder of its own. */
export interface RunningEngine {
  /** Such as `http://127.0.0.1:38123`. */
  readonly url: string;
  readonly version: string;
  /** Everything that it has printed on standard error. */
  readErrors(): string;
  /** Kills it as `kill -9` does. */
  kill(): Promise<void>;
  /** Starts it again after {@link RunningEngine.kill}, at the same address on the same data. */
  restart(): Promise<void>;
  /** Ends it and removes its temporary folder. */
  stop(): Promise<void>;
}

/** Starts the engine in a process of its own. `npm run test:clickhouse` installs it. */
export async function startEngine({ users, port = 0, folder: kept }: EngineOptions = {}): Promise<RunningEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'convotel-clickhouse-'));
  if (kept !== undefined) await mkdir(kept, { recursive: true });
  const words = ['--path', kept ?? join(folder, 'data')];
  if (users !== undefined) {
    await writeFile(join(folder, 'users.json'), JSON.stringify(users));
    words.push('--users', join(folder, 'users.json'));
  }
  let errors = '';
  let child: ChildProcess;
  let ended: Promise<void>;
  const killOnExit = (): void => void child.kill('SIGKILL');
  const start = async (onPort: number): Promise<{ url: string; version: string }> => {
    child = spawn(process.execPath, [MAIN, ...words, '--port', String(onPort)], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text));
    ended = new Promise((resolve) => child.once('close', () => resolve()));
    for await (const line of createInterface({ input: child.stdout! })) {
      const ready = /^READY (\S+) (\S+)$/.exec(line);
      if (ready !== null) return { url: ready[1]!, version: ready[2]! };
    }
    throw new Error(`The engine ended before it was ready:\n${errors}`);
  };

  const first = await start(port);
  process.once('exit', killOnExit);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return {
    ...first,
    readErrors: () => errors,
    kill: () => end('SIGKILL'),
    restart: async () => void (await start(Number(new URL(first.url).port))),
    stop: async () => {
      process.off('exit', killOnExit);
      // Nothing in its own folder is needed any more, so there is no reason to wait for running queries.
      await end(kept === undefined ? 'SIGKILL' : 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
