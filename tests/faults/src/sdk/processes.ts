import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TalkerOptions } from './programs/talker.ts';

/** A program that runs, and the lines that it has noted. */
export interface Talker {
  child: ChildProcess;
  started: Set<string>;
  ended: Set<string>;
  /** Resolves when every line has been read and the program is gone. */
  gone: Promise<{ code: number | null; signal: string | null; stderr: string }>;
  done: Promise<void>;
  report(): unknown;
  /** Resolves when the program has noted so many steps; rejects when it is gone before. */
  noted(steps: number): Promise<void>;
}

/** Programs run from their built form, also under Jest. */
export function startTalker(options: TalkerOptions): Talker {
  const program = fileURLToPath(new URL('../../dist/sdk/programs/talker.js', import.meta.url));
  const soon = options.pipeline === 'stock' ? {} : { OTEL_BSP_SCHEDULE_DELAY: '100' };
  const environment = { ...process.env, NODE_OPTIONS: '', ...soon };
  const child = spawn(process.execPath, [program, JSON.stringify(options)], { env: environment });
  const started = new Set<string>();
  const ended = new Set<string>();
  let report: unknown;
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const lines = createInterface({ input: child.stdout });
  const done = new Promise<void>((resolve) => {
    // A program that is gone says nothing more; what it did not do is missed below.
    lines.on('close', resolve);
    lines.on('line', (line) => {
      const [kind = '', rest = ''] = line.split(/ (.*)/s);
      if (kind === 'S') started.add(rest);
      else if (kind === 'E') ended.add(rest);
      else if (kind === 'REPORT') report = JSON.parse(rest);
      else resolve();
    });
  });
  const read = new Promise((resolve) => lines.on('close', resolve));
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on('exit', (code, signal) => resolve({ code, signal })),
  );
  const gone = Promise.all([exited, read]).then(([how]) => ({ ...how, stderr }));
  const noted = async (steps: number): Promise<void> => {
    while (ended.size < steps) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the program is gone: ${stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { child, started, ended, gone, done, report: () => report, noted };
}

/** The next start of the service: takes over what is there, sends it, and ends. */
export async function drainJournal(endpoint: string, journal: string): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const talker = startTalker({ endpoint, journal, conversations: 1, steps: 1, end: 'shutdown' });
    await talker.gone;
    const [, report] = (talker.report() ?? []) as [unknown, { waitingSpans: number } | undefined];
    if (report?.waitingSpans === 0) return;
  }
  throw new Error('the journal was not empty after five starts');
}
