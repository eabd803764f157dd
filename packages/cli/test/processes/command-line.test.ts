import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FOUR_CONVERSATIONS, temporaryFolder, toRequest, writeOtlpFile } from '../main/otlp-file.ts';
import { BIN, bareEnvironment, runConvotel, startServe } from './run-convotel.ts';
import type { Serving } from './run-convotel.ts';

let serving: Serving;
let storePath: string;
let file: string;

beforeAll(async () => {
  file = await writeOtlpFile(FOUR_CONVERSATIONS);
  storePath = join(await temporaryFolder(), 'store.duckdb');
  serving = await startServe(storePath, ['--max-age', '36500d']);
  for (const conversation of FOUR_CONVERSATIONS) {
    const response = await fetch(`${serving.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(toRequest(conversation)),
    });
    expect(response.status).toBe(200);
  }
}, 60_000);

afterAll(() => serving.end('SIGTERM'));

describe('short forms', () => {
  test.each([[['-v']], [['--version']]])('%j prints the version', async (words) => {
    expect(await runConvotel(words)).toEqual({ status: 0, stdout: '0.1.0\n', stderr: '' });
  });

  test('help <command> is the help of the command, and help alone that of all', async () => {
    expect(await runConvotel(['help', 'slow'])).toEqual(await runConvotel(['slow', '--help']));
    expect(await runConvotel(['help', 'slow'])).toEqual(await runConvotel(['slow', '-h']));
    expect(await runConvotel(['help'])).toEqual(await runConvotel(['--help']));
    expect((await runConvotel(['help'])).status).toBe(0);
  });

  test('-n and -j are --limit and --json', async () => {
    const short = await runConvotel(['recent', '-n', '2', '-j', '--from', file]);
    expect(short).toEqual(await runConvotel(['recent', '--limit', '2', '--json', '--from', file]));
    expect((JSON.parse(short.stdout) as { data: unknown[] }).data).toHaveLength(2);
  });
});

describe('one conversation', () => {
  test.each(['summary', 'trace', 'timeline'])('%s latest is about the newest', async (command) => {
    const latest = await runConvotel([command, 'latest', '--from', serving.url]);
    expect(latest).toEqual(await runConvotel([command, 'bad-0', '--from', serving.url]));
    expect(latest.status).toBe(0);
  });

  test('latest may be chosen by filters', async () => {
    const { stdout } = await runConvotel(['summary', 'latest', '--workflow', 'voice', '--from', file]);
    expect(stdout).toContain('Conversation: good-2');
    const none = await runConvotel(['summary', 'latest', '--workflow', 'nobody', '--from', file]);
    expect(none).toMatchObject({ status: 4, stdout: '' });
    expect(none.stderr).toMatch(/no conversation that matches the filters/);
  });

  test('the beginning of an id or of a trace id is enough where it fits one', async () => {
    const whole = await runConvotel(['summary', 'bad-0', '--json', '--from', file]);
    const { traceId } = (JSON.parse(whole.stdout) as { data: { traceId: string } }).data;
    expect(await runConvotel(['summary', 'bad-', '--json', '--from', file])).toEqual(whole);
    expect(await runConvotel(['summary', traceId.slice(0, 12), '--json', '--from', file])).toEqual(whole);
  });

  test('a beginning that fits several is refused, with their ids', async () => {
    const { status, stdout, stderr } = await runConvotel(['summary', 'good', '--from', file]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/3 conversations have an id that begins with "good": good-2, good-1, good-0\./);
  });

  test.each(['ba', 'nobody', '20251008_143022_a1b2c3d4'])('%s fits none', async (id) => {
    expect(await runConvotel(['summary', id, '--from', file])).toMatchObject({ status: 4, stdout: '' });
  });
});

describe('where to read', () => {
  test('a host with a port is asked by HTTP', async () => {
    const { host, port } = new URL(serving.url);
    const byHost = await runConvotel(['recent', '--json', '--from', host]);
    expect(JSON.parse(byHost.stdout)).toMatchObject({ source: { kind: 'serve', location: serving.url } });
    const byName = await runConvotel(['recent', '--json'], { environment: { CONVOTEL_FROM: `localhost:${port}` } });
    expect(JSON.parse(byName.stdout)).toMatchObject({ source: { kind: 'serve' } });
    const byPort = await runConvotel(['recent', '--json', '--from', `:${port}`]);
    expect(JSON.parse(byPort.stdout)).toMatchObject({ source: { kind: 'serve' } });
  });

  test('a file whose name looks like one is read', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'spans:4318');
    await writeFile(path, JSON.stringify(toRequest(FOUR_CONVERSATIONS[0]!)));
    const { stdout } = await runConvotel(['recent', '--json', '--from', path]);
    expect(JSON.parse(stdout)).toMatchObject({ source: { kind: 'file' }, data: [{ conversationId: 'good-0' }] });
  });
});

describe('the time zone', () => {
  test.each(['', 'Foo/Bar', 'CET-1CEST'])('is UTC where TZ is "%s", and a line says so once', async (TZ) => {
    const inUtc = await runConvotel(['hours', '--since', '2025-10-01', '--from', file, '--tz', 'UTC']);
    const { status, stdout, stderr } = await runConvotel(['hours', '--since', '2025-10-01', '--from', file], {
      environment: { TZ },
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: inUtc.stdout });
    expect(stderr).toBe(`Note: TZ is "${TZ}", which is not the name of a time zone; times are in UTC.\n`);
  });

  test('is that of TZ where it is one, and --tz goes before it', async () => {
    const words = ['recent', '-n', '1', '--from', file];
    const inKolkata = await runConvotel(words, { environment: { TZ: ':Asia/Kolkata' } });
    expect(inKolkata).toMatchObject({ stderr: '', stdout: expect.stringContaining('2025-10-08T20:10:00') });
    const inTokyo = await runConvotel([...words, '--tz', 'Asia/Tokyo'], { environment: { TZ: 'Foo/Bar' } });
    expect(inTokyo).toMatchObject({ stderr: '', stdout: expect.stringContaining('2025-10-08T23:40:00') });
  });
});

test('an id is printed as it is', async () => {
  const id = '+15551234567';
  const from = await writeOtlpFile([
    { id, start: '2025-10-08T14:30:00Z', steps: [{ step: '=SUM', durationMs: 10, error: '@x' }] },
  ]);
  const { stdout } = await runConvotel(['recent', '--from', from]);
  expect(stdout).toMatch(/^\+15551234567 /m);
  const { stdout: errors } = await runConvotel(['errors', '--since', '2025-01-01', '--from', from]);
  expect(errors).toMatch(/^=SUM /m);
});

test('a store that is served already is not served twice, and the second one says where it is', async () => {
  const { status, stdout, stderr } = await runConvotel(['serve', '--port', '0', '--store', storePath]);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain(
    `${storePath} is in use by process ${serving.process.pid}, a back end that answers at ${serving.url}`,
  );
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});

test('an answer that cannot be written is a failure', () => {
  const shell = spawnSync('sh', ['-c', `"${process.execPath}" "${BIN}" recent --from "${file}" > /dev/full`], {
    env: bareEnvironment(),
    encoding: 'utf8',
  });
  expect(shell.status).toBe(1);
  expect(shell.stderr).toMatch(/^convotel: The answer could not be written to standard output: ENOSPC/);
});

test('a reader that closes the pipe early is content', () => {
  const shell = spawnSync(
    'bash',
    ['-c', `"${process.execPath}" "${BIN}" trace bad-0 --from "${file}" | head -1; exit \${PIPESTATUS[0]}`],
    { env: bareEnvironment(), encoding: 'utf8' },
  );
  expect(shell).toMatchObject({ status: 0, stderr: '', stdout: `${'='.repeat(80)}\n` });
});

test.each([
  ['compare --before 2025-10-08..2025-10-09 --after 2025-10-01..2025-10-08', 0],
  ['avrages', 2],
])('nobody who reads standard error changes no status: %s', (words, status) => {
  // `true` has ended, and its end of the pipe is closed, long before anything is written.
  const shell = spawnSync(
    'bash',
    ['-c', `"${process.execPath}" "${BIN}" ${words} --from "${file}" 2>&1 >/dev/null | true; exit \${PIPESTATUS[0]}`],
    { env: bareEnvironment(), encoding: 'utf8' },
  );
  expect(shell.status).toBe(status);
});

test('watch takes a time zone, and says what a limit must look like', async () => {
  const { status } = await runConvotel(['watch', '--once', '--tz', 'UTC', '--from', file]);
  expect(status).toBe(0);
  const wrong = await runConvotel(['watch', '--once', '--max-error-rate', 'gpt:5', '--from', file]);
  expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining('Did you mean gpt=5?') });
});

test('two sides of a comparison may be written as durations before now', async () => {
  const nowMs = Date.now();
  const before = await runConvotel(['compare', '--before', '2d..1d', '--after', '1d..now', '--json', '--from', file]);
  const { windows } = JSON.parse(before.stdout) as {
    windows: Record<'before' | 'after', { since: string; until: string }>;
  };
  const daysAgo = (instant: string): number => Math.abs(Math.round((nowMs - Date.parse(instant)) / 86_400_000));
  expect([windows.before.since, windows.before.until, windows.after.since, windows.after.until].map(daysAgo)).toEqual([
    2, 1, 1, 0,
  ]);
});
