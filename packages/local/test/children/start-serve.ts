import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A back end in a process of its own. */
export interface ServeProcess {
  url: string;
  process: ChildProcess;
  /** Ends it at once, and waits until it is gone. */
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

/** Starts a back end in a process of its own, from what has been built. Rejects with its output when it fails. */
export async function startServe(storePath: string): Promise<ServeProcess> {
  const script = fileURLToPath(new URL('./serve.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, storePath], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const url = await Promise.race([
    once(lines, 'line').then(([line]) => String(line)),
    exited.then(() => Promise.reject(new Error(`the back end did not start: ${errors}`))),
  ]);
  return {
    url,
    process: child,
    async kill(signal) {
      child.kill(signal);
      await exited;
    },
  };
}
