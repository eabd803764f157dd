import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { runConvotel } from '../../packages/cli/test/processes/run-convotel.ts';
import { waitUntil } from './src/wait-until.ts';

const RUN = fileURLToPath(new URL('./dist/run.js', import.meta.url));

test('`npm run stack` prints addresses, has the demo in it, and Ctrl-C ends all of it', async () => {
  const child = spawn(process.execPath, [RUN], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  try {
    await waitUntil('the stack to be ready', async () => output.includes('Ctrl-C ends it.'), { timeoutMs: 60_000 });
    const jaegerUrl = addressOf(output, 'Jaeger API');
    const total = Number(/(\d+) made-up conversations/.exec(output)?.[1]);
    await waitUntil('Jaeger to have the demo', async () => {
      const { stdout } = await runConvotel(['averages', '--since', '8d', '--from', jaegerUrl, '--json']);
      return (JSON.parse(stdout) as { coverage: { conversations: number } }).coverage.conversations === total;
    });
    expect((await fetch(`${addressOf(output, 'Prometheus')}/-/ready`)).status).toBe(200);
  } finally {
    child.kill('SIGINT');
  }
  expect(await ended).toBe(0);
  await expect(fetch(addressOf(output, 'Jaeger API'))).rejects.toThrow('fetch failed');
  expect(existsSync(/Files, logs +(\S+)/.exec(output)![1]!)).toBe(false);
});

function addressOf(output: string, name: string): string {
  return new RegExp(`${name} +(http:\\S+)`).exec(output)![1]!;
}
