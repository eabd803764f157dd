import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startLocalBackend } from '@convotel/local';
import { median } from './figure.ts';
import type { Bench } from './figure.ts';

const BIN = fileURLToPath(new URL('bin/convotel.js', import.meta.resolve('convotel/package.json')));
const ROUNDS = 15;
const CONVERSATIONS = 2000;

/** How long a person waits for the command itself: its help, and the first rows of a query on the store's file. */
export const bench: Bench = async (report) => {
  const folder = mkdtempSync(join(tmpdir(), 'convotel-bench-'));
  try {
    const storePath = join(folder, 'store.duckdb');
    await fillStore(storePath);

    const bare: number[] = [];
    const help: number[] = [];
    const query: number[] = [];
    for (let round = -1; round < ROUNDS; round += 1) {
      const times = [
        timeOf(['-e', '0'], () => true),
        timeOf([BIN, '--help'], (output) => output.includes('convotel demo')),
        timeOf([BIN, 'averages', '--store', storePath], (output) => output.includes(` ${CONVERSATIONS} `)),
      ];
      // The first round fills the file system's caches.
      if (round < 0) continue;
      bare.push(times[0]!);
      help.push(times[1]! - times[0]!);
      query.push(times[2]! - times[0]!);
    }
    const note = `medians of ${ROUNDS} rounds in turn; node -e 0 took ${median(bare).toFixed(0)} ms`;
    report({ name: '--help beyond node -e 0', value: median(help), unit: 'ms', atMost: 60, note });
    report({
      name: 'averages on the store file beyond node -e 0',
      value: median(query),
      unit: 'ms',
      atMost: 500,
      note: `${CONVERSATIONS} conversations; the count in the table was checked`,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

function timeOf(words: string[], isRight: (output: string) => boolean): number {
  const start = performance.now();
  const output = execFileSync(process.execPath, words, { encoding: 'utf8' });
  const elapsed = performance.now() - start;
  if (!isRight(output)) throw new Error(`node ${words.join(' ')} printed something else:\n${output}`);
  return elapsed;
}

async function fillStore(storePath: string): Promise<void> {
  const backend = await startLocalBackend({ port: 0, storePath });
  const nowMs = Date.now();
  const spans = Array.from({ length: CONVERSATIONS }, (_, index) => ({
    traceId: index.toString(16).padStart(32, 'a'),
    spanId: index.toString(16).padStart(16, 'b'),
    name: 'gpt',
    startTimeUnixNano: `${nowMs - 3_600_000 + index}000000`,
    endTimeUnixNano: `${nowMs - 3_600_000 + index + 900}000000`,
    attributes: [{ key: 'conversation.step.name', value: { stringValue: 'gpt' } }],
  }));
  const response = await fetch(`${backend.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
  });
  if (response.status !== 200) throw new Error(`the back end answered ${response.status}`);
  await backend.stop();
}
