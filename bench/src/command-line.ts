import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startLocalBackend } from '@convotel/local';
import { type Bench, lowerQuartile } from './figure.ts';
import { JAEGER_ANSWERS, JAEGER_CONVERSATION } from './jaeger-answers.ts';
import { startServe } from './processes.ts';

const BIN = fileURLToPath(new URL('bin/convotel.js', import.meta.resolve('convotel/package.json')));
const ROUNDS = 25;
const CONVERSATIONS = 2000;

/** One way of starting the command, and what is promised of it as a multiple of `node -e 0`. */
interface Call {
  name: string;
  words: readonly string[];
  atMost: number;
  isRight: (output: string) => boolean;
}

/** How long a person waits for the command itself: its help, and the first rows from each kind of source. */
export const bench: Bench = async (report) => {
  const folder = mkdtempSync(join(tmpdir(), 'convotel-bench-'));
  const storePath = join(folder, 'store.duckdb');
  const servedPath = join(folder, 'served.duckdb');
  await fillStore(storePath);
  await fillStore(servedPath);
  const serve = await startServe(servedPath);
  const jaeger = await startJaegerStandIn();
  try {
    const calls: readonly Call[] = [
      { name: '--help', words: ['--help'], atMost: 1.3, isRight: (output) => output.includes('convotel demo') },
      {
        name: 'recent from a running serve',
        words: ['recent', '--store', servedPath],
        atMost: 1.7,
        isRight: (output) => output.includes('c1999'),
      },
      {
        name: 'summary from Jaeger',
        words: ['summary', JAEGER_CONVERSATION, '--from', jaeger.url],
        atMost: 1.6,
        isRight: (output) => output.includes('GPT step is the bottleneck'),
      },
      {
        name: 'averages on the store file',
        words: ['averages', '--store', storePath],
        atMost: 3.5,
        isRight: (output) => output.includes(` ${CONVERSATIONS} `),
      },
    ];
    const bareMs: number[] = [];
    const callMs = calls.map((): number[] => []);
    for (let round = -1; round < ROUNDS; round += 1) {
      const bare = await timeOf(['-e', '0'], () => true);
      const elapsed: number[] = [];
      for (const { words, isRight } of calls) elapsed.push(await timeOf([BIN, ...words], isRight));
      // The first round fills the file system's caches.
      if (round < 0) continue;
      bareMs.push(bare);
      for (const [index, ms] of elapsed.entries()) callMs[index]!.push(ms);
    }
    const bare = lowerQuartile(bareMs);
    report({ name: 'node -e 0', value: bare, unit: 'ms', note: `lower quartiles of ${ROUNDS} rounds in turn` });
    for (const [index, { name, atMost }] of calls.entries()) {
      const elapsed = lowerQuartile(callMs[index]!);
      const note = `${elapsed.toFixed(0)} ms; what it printed was checked`;
      report({ name, value: elapsed / bare, unit: '× node -e 0', atMost, note });
    }
  } finally {
    await serve.stop();
    await jaeger.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};

/** How long Node takes for `words`, in milliseconds, until it has ended. */
async function timeOf(words: readonly string[], isRight: (output: string) => boolean): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  const elapsed = performance.now() - start;
  if (!isRight(output)) throw new Error(`node ${words.join(' ')} printed something else:\n${output}`);
  return elapsed;
}

/** Replays what a Jaeger 2.13 says. */
async function startJaegerStandIn(): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    const answer = JAEGER_ANSWERS[new URL(request.url ?? '/', 'http://localhost').pathname];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(answer ?? '{"error":{"httpCode":404,"message":"No traces found"}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
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
    attributes: [
      { key: 'conversation.id', value: { stringValue: `c${index}` } },
      { key: 'conversation.step.name', value: { stringValue: 'gpt' } },
    ],
  }));
  const response = await fetch(`${backend.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
  });
  if (response.status !== 200) throw new Error(`the back end answered ${response.status}`);
  await backend.stop();
}
