import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ProcessUse } from './serve-process.ts';

/** Starts the built script `name` of this folder with an IPC channel. */
export function startScript(name: string, argument: string): ChildProcess {
  return fork(fileURLToPath(new URL(`./${name}.js`, import.meta.url)), [argument], { stdio: 'inherit' });
}

/** The next message of a child; rejects when it ends without one. */
export async function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  const listening = new AbortController();
  const { signal } = listening;
  try {
    const [message] = (await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) =>
        Promise.reject(new Error(`a process ended with status ${String(code)}`)),
      ),
    ])) as [Message];
    return message;
  } finally {
    listening.abort();
  }
}

/** A back end in a process of its own. */
export interface ServeProcess {
  url: string;
  child: ChildProcess;
  use(): Promise<ProcessUse>;
  stop(): Promise<void>;
}

/** Starts a back end in a process of its own. */
export async function startServe(storePath: string): Promise<ServeProcess> {
  const child = startScript('serve-process', storePath);
  const url = await nextMessage<string>(child);
  return {
    url,
    child,
    use() {
      const answer = nextMessage<ProcessUse>(child);
      child.send('use');
      return answer;
    },
    async stop() {
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
}
