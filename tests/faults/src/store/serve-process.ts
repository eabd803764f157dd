import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The command line's program. */
export const COMMAND = fileURLToPath(new URL('../../../../packages/cli/bin/convotel.js', import.meta.url));
/** A start that takes longer has failed. */
const START_DEADLINE_MS = 60_000;

/** `convotel serve` in a process of its own. */
export interface ServeProcess {
  url: string;
  child: ChildProcess;
  /** What it has said on standard error. */
  notices(): string;
  /** Ends it, and waits until it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export async function startServe(
  storePath: string,
  words: readonly string[] = [],
  {
    nodeWords = [],
    environment = {},
    userId,
  }: { nodeWords?: string[]; environment?: Record<string, string>; userId?: number } = {},
): Promise<ServeProcess> {
  const child = spawn(
    process.execPath,
    [...nodeWords, COMMAND, 'serve', '--port', '0', '--store', storePath, ...words],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
      ...(userId !== undefined && { uid: userId, gid: userId }),
    },
  );
  let output = '';
  let notices = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (notices += chunk.toString()));
  const exited = once(child, 'exit');
  const deadline = performance.now() + START_DEADLINE_MS;
  let url: string | undefined;
  while ((url = /listens on (\S+)/.exec(output)?.[1]) === undefined) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`serve did not start: ${notices}`);
    }
    await pause(10);
  }
  return {
    url,
    child,
    notices: () => notices,
    async stop(signal = 'SIGINT') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
    },
  };
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A condition that does not come true in this time never will. */
const CONDITION_DEADLINE_MS = 300_000;

/** Waits until `isTrue`. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + CONDITION_DEADLINE_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`never came true: ${isTrue.toString()}`);
    await pause(5);
  }
}

/** A folder for one fault, removed after it. */
export async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'convotel-fault-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Resident memory in MB, now and at its highest; Linux only. */
export function memoryOf({ pid }: ChildProcess): { nowMb: number; peakMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / 1024;
  return { nowMb: read('VmRSS'), peakMb: read('VmHWM') };
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const sockets = new WeakSet<Socket>();

/** A server that answers before it has read a body may reset the connection after its answer, when nobody listens. */
function passOverReset(socket: Socket): void {
  if (sockets.has(socket)) return;
  sockets.add(socket);
  socket.on('error', () => undefined);
}

/** One request; status 0 where the connection ended without an answer. */
export function send(
  url: string,
  {
    method = 'POST',
    body = '',
    headers = {},
  }: { method?: string; body?: Uint8Array | string; headers?: Record<string, string> } = {},
): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const sending = request(
      url,
      { method, agent, headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode!, text }));
        response.on('error', () => resolve({ status: 0, text: '' }));
      },
    );
    sending.on('error', () => resolve({ status: 0, text: '' }));
    sending.on('socket', passOverReset);
    sending.end(body);
  });
}

/** What `GET` of a path answers, read as JSON. */
export async function ask(url: string, path: string): Promise<Record<string, unknown>> {
  return JSON.parse((await send(url + path, { method: 'GET' })).text) as Record<string, unknown>;
}

/** Bytes of a store's file and its log. */
export function storeBytes(path: string): number {
  return [path, `${path}.wal`].reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}
