import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The command as it is installed; `npm test` has built it. */
export const BIN = resolve(dirname(fileURLToPath(import.meta.url)), '../../bin/convotel.js');

/** What a call left behind. */
export interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

/** Environment of a test's processes: nothing of the tester's own settings; `undefined` removes a variable. */
export function bareEnvironment(more: Record<string, string | undefined> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: '/nonexistent', TZ: 'UTC', ...more };
}

/** How a process of the command is run. */
export interface RunOptions {
  environment?: Record<string, string | undefined>;
  nodeOptions?: string[];
  /** Working folder. */
  folder?: string;
}

/** Runs the command in a process of its own and waits for its end. */
export function runConvotel(
  words: readonly string[],
  { environment = {}, nodeOptions = [], folder }: RunOptions = {},
): Promise<Ran> {
  return new Promise((settle) => {
    const env = bareEnvironment(environment);
    execFile(
      process.execPath,
      [...nodeOptions, BIN, ...words],
      { env, cwd: folder, timeout: 120_000 },
      (error, stdout, stderr) => {
        settle({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
      },
    );
  });
}

/** A `convotel serve` in a process of its own. */
export interface Serving {
  process: ChildProcess;
  url: string;
  /** All that it has printed so far. */
  output(): string;
  /** Waits until it has printed `text`. */
  printed(text: string): Promise<void>;
  /** Sends `signal` and waits for the end; its exit status, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | string>;
}

/** Starts `convotel serve` on a free port and waits until it has printed its address. */
export async function startServe(storePath: string, more: readonly string[] = []): Promise<Serving> {
  const child = spawn(process.execPath, [BIN, 'serve', '--port', '0', '--store', storePath, ...more], {
    env: bareEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = new Promise<number | string>((settle) => {
    child.once('exit', (code, signal) => settle(code ?? signal ?? -1));
  });
  const url = await new Promise<string>((settle, fail) => {
    const hear = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(output);
      if (address !== null) settle(address[0]);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    void ended.then((how) => fail(new Error(`serve ended with ${how}: ${output}`)));
  });
  return {
    process: child,
    url,
    output: () => output,
    printed: async (text) => {
      while (!output.includes(text)) {
        await Promise.race([once(child.stdout, 'data'), ended]);
        if (child.exitCode !== null) throw new Error(`serve ended with ${child.exitCode}: ${output}`);
      }
    },
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}
