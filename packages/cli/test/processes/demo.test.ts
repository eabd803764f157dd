import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { BIN, bareEnvironment, runConvotel } from './run-convotel.ts';
import type { Ran } from './run-convotel.ts';

describe('the demo', () => {
  // Other programs may run a demo beside this one.
  let temporary: string;
  let demo: Ran;
  const strangers: string[] = [];

  beforeAll(async () => {
    // What the user has set up for other programs must neither be asked nor be sent to.
    const server = createServer((request, response) => {
      strangers.push(request.url ?? '');
      response.end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    temporary = await mkdtemp(join(tmpdir(), 'convotel-test-'));
    demo = await runConvotel(['demo', '--speed', '3'], {
      environment: {
        TMPDIR: temporary,
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_TRACES_SAMPLER: 'always_off',
        OTEL_SDK_DISABLED: 'true',
        CONVOTEL_FROM: url,
        CONVOTEL_STORE: '/nonexistent/store.duckdb',
      },
    });
    await new Promise((resolve) => server.close(resolve));
  }, 180_000);

  test('answers all ten steps of the session, then what is asked further', () => {
    expect({ status: demo.status, stderr: demo.stderr }).toEqual({ status: 0, stderr: '' });
    expect([...demo.stdout.matchAll(/^STEP (\d+): /gm)].map((match) => Number(match[1]))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ]);
  });

  test('runs four conversations live, the last of which fails', () => {
    expect(demo.stdout.match(/^ {2}\[1\/5\] REQUEST - Capturing audio\.\.\.$/gm)).toHaveLength(4);
    expect(demo.stdout.match(/^ {2}\[5\/5\] RESPONSE - Playing audio\.\.\.$/gm)).toHaveLength(3);
    expect(demo.stdout.match(/^✓ Conversation complete: \d{8}_\d{6}_[0-9a-f]{16}$/gm)).toHaveLength(3);
    expect(demo.stdout).toContain('✗ Conversation failed: API rate limit exceeded');
  });

  test.each([
    ['the summary of a live conversation', /Step Breakdown:\n-+\n {2}✓ request {5}:/],
    ['its bottleneck', /← \d+% of total time/],
    ['the texts of the trace', / {2}Input: {4}Tell me a story about a robot\n {2}Error: {4}API rate limit exceeded/],
    ['averages of the last day', /Average Step Durations \(last 24 hours\)/],
    ['slow conversations', /Slowest Conversations \(>8000ms\)\n=+\n[^]*?\n-+\n\d{8}_/],
    ['the failing step', /gpt +\d+ +\d+ +\d+\.\d\d%/],
    ['the peak hour', /← Peak hour/],
    ['the most active hour', /← Most active/],
    ['percentiles', /P50 +\d+\.\d {2}← Median/],
    ['the improvement', /GPT time reduced by \d+\.\dms \(\d+% improvement\)/],
    ['an alert', /^⚠️ {2}HIGH ERROR RATE: gpt at \d+\.\d+%$/m],
    ['why the slowest conversation was slow', /EXPLANATION:\n• It took \d+\.\ds, \d\.\ds over the target of 7s\n/],
    ['how it compares with the week', /• GPT took longer than (9\d|100)% of its \d+ calls in the seven days before/],
    ['what goes together', /^gpt +duration +0\.\d\d +0\.\d\d\.\.0\.\d\d +\d+$/m],
    ['the share that is fast enough', /Satisfied when: completed in less than 7s\n/],
    ['the same by response', /Satisfied when: completed, and answered in less than 6s\n/],
    ['the newest sessions', /^call-\d{3} +\d{4}-/m],
    ['the conversations of one', /Session: call-\d{3}\n/],
    ['averages of each model', /Average Step Durations \(last 7 days\)[^]*?example-large[^]*?example-small/],
    ['usage with its cost', /Cost \(EUR\)\n-+\nexample-large +\d+ +\d+ +\d+ +- +\d\.\d{4}\n/],
    ['the other alert', /^⚠️ {2}SLOW PERFORMANCE: \d+ conversations >8s$/m],
  ])('shows %s', (_what, pattern) => {
    expect(demo.stdout).toMatch(pattern);
  });

  test('leaves nothing behind and disturbs nobody', async () => {
    expect(await readdir(temporary)).toEqual([]);
    await rm(temporary, { recursive: true });
    expect(strangers).toEqual([]);
  });
});

test('the demo stays with --keep, says what to try, and answers until Ctrl-C', async () => {
  const child = spawn(process.execPath, [BIN, 'demo', '--keep', '--speed', '500'], { env: bareEnvironment() });
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      const address = /export CONVOTEL_FROM=(\S+)[^]*Ctrl-C/.exec(output);
      if (address?.[1] !== undefined) resolve(address[1]);
    });
    child.once('exit', () => reject(new Error(`the demo ended:\n${output}`)));
  });
  const { status, stdout } = await runConvotel(['longest', '--since', '7d', '--limit', '3', '--json', '--from', url]);
  expect(status).toBe(0);
  expect((JSON.parse(stdout) as { data: unknown[] }).data).toHaveLength(3);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.removeAllListeners('exit').once('exit', () => undefined);
  child.kill('SIGINT');
  await Promise.race([ended, new Promise((resolve) => child.once('close', resolve))]);
  expect(child.exitCode).toBe(0);
}, 180_000);
