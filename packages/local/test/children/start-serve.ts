import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A back end in a process of its own. */
export interface ServeProcess {
  url: string;
  process: ChildProcess;
  /** What it has printed, and what it has said on standard error. */
  lines: string[];
  notices(): string;
  /** Ends it at once, and waits until it is gone. */
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

/** Starts a back end in a process of its own, from what has been built. Rejects with its output when it fails. */
export async function startServe(storePath: string, mode?: 'rewriting'): Promise<ServeProcess> {
  const script = fileURLToPath(new URL('./serve.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, storePath, ...(mode === undefined ? [] : [mode])], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const exited = once(child, 'exit');
  const reader = createInterface({ input: child.stdout });
  const lines: string[] = [];
  reader.on('line', (line) => lines.push(line));
  const url = await Promise.race([
    once(reader, 'line').then(([line]) => String(line)),
    exited.then(() => Promise.reject(new Error(`the back end did not start: ${errors}`))),
  ]);
  return {
    url,
    process: child,
    lines,
    notices: () => errors,
    async kill(signal) {
      child.kill(signal);
      await exited;
    },
  };
}
