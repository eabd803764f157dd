import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startTracing } from '@convotel/sdk';
import type { Tracing, TracingOptions } from '@convotel/sdk';
import { conversation, startConversation } from '@convotel/tracing';
import { attributesOf, startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { OtlpReceiver } from '../support/otlp-receiver.ts';
import { withEnvironment } from '../support/environment.ts';

const NOBODY = 'http://127.0.0.1:9';

let receiver: OtlpReceiver;
let folder: string;
let warnings: string[];
let running: Tracing | undefined;

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  folder = mkdtempSync(join(tmpdir(), 'convotel-journal-'));
  warnings = [];
});

afterEach(async () => {
  await running?.shutdown({ deadlineMs: 100 });
  running = undefined;
  await receiver.stop();
  rmSync(folder, { recursive: true, force: true });
});

function start(options: TracingOptions = {}): Tracing {
  running = startTracing({
    serviceName: 'journal-test',
    endpoint: NOBODY,
    metrics: false,
    journal: { folder },
    warn: (message) => void warnings.push(message),
    ...options,
  });
  return running;
}

/** All bytes of all segments, as text. */
function journalText(): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.seg'))
    .map((file) => readFileSync(join(folder, file), 'latin1'))
    .join('');
}

/** Runs a program that kills itself; its first argument is the folder. */
function runToItsEnd(program: string): void {
  const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program, folder], {
    cwd: import.meta.dirname,
    env: { ...process.env, NODE_OPTIONS: '' },
    encoding: 'utf8',
  });
  if (signal !== 'SIGKILL') throw new Error(`the program was not killed: ${stderr}`);
}

/** The address of a package as it is published, for programs outside of the project. */
function built(name: string): string {
  return JSON.stringify(join(import.meta.dirname, `../../../${name}/dist/esm/index.js`));
}

function balance(tracing: Tracing): number {
  const { finishedSpans, inheritedSpans, deliveredSpans, waitingSpans, droppedSpans } = tracing.report();
  const dropped = Object.values(droppedSpans).reduce((sum, each) => sum + each, 0);
  return finishedSpans + inheritedSpans - deliveredSpans - waitingSpans - dropped;
}

describe('a finished step', () => {
  test('is in the file when its end returns, for this user only', () => {
    start();
    const handle = startConversation();
    handle.step('first', () => 1);
    expect(journalText()).toContain('"name":"first"');
    const [service] = readdirSync(folder);
    const [process] = readdirSync(join(folder, service!));
    expect(service).toBe('journal-test');
    expect(statSync(join(folder, service!)).mode & 0o777).toBe(0o700);
    const segment = readdirSync(join(folder, service!, process!)).find((file) => file.endsWith('.seg'))!;
    expect(statSync(join(folder, service!, process!, segment)).mode & 0o777).toBe(0o600);
    handle.end();
  });

  test('that was delivered leaves nothing behind', async () => {
    const { shutdown } = start({ endpoint: receiver.endpoint });
    conversation((c) => c.step('first', () => 1));
    expect(await shutdown()).toEqual({ deliveredSpans: 2, undeliveredSpans: 0 });
    expect(readdirSync(join(folder, 'journal-test'))).toEqual([]);
  });

  test('that was not delivered is sent by the next start, in the form in which it was written', async () => {
    await withEnvironment({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }, async () => {
      const first = start({ serviceName: 'journal-test', resourceAttributes: { 'service.version': '1' } });
      conversation((c) => c.step('kept', () => 1));
      expect(await first.shutdown()).toMatchObject({ undeliveredSpans: 2 });
      expect(first.report()).toMatchObject({ waitingSpans: 2, droppedSpans: {} });
    });
    const second = start({ endpoint: receiver.endpoint, resourceAttributes: { 'service.version': '2' } });
    expect(await second.flush()).toEqual({ deliveredSpans: 2, undeliveredSpans: 0 });
    expect(second.report()).toMatchObject({ finishedSpans: 0, inheritedSpans: 2, deliveredSpans: 2 });
    expect(receiver.resource()).toMatchObject({ 'service.version': '1' });
    expect(
      receiver
        .spans()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['conversation', 'kept']);
    expect(balance(second)).toBe(0);
  });

  test('of another service is left alone', async () => {
    const first = start({ serviceName: 'one' });
    conversation((c) => c.step('kept', () => 1));
    await first.shutdown();
    const second = start({ serviceName: 'other', endpoint: receiver.endpoint });
    await second.flush();
    expect(second.report().inheritedSpans).toBe(0);
  });
});

describe('the end of what a killed process has left', () => {
  const LAST = Buffer.from('"name":"last"');

  /**
   * A journal of which the newest record, that of the step `last`, is the last thing; returns its file. `beforeKill`
   * runs in the process, which has `folder` as its first argument.
   */
  function leaveBehind(beforeKill = ''): string {
    const program = `
      import { startTracing } from '@convotel/sdk';
      import { startConversation } from '@convotel/tracing';
      startTracing({ serviceName: 'journal-test', endpoint: '${NOBODY}', metrics: false, journal: { folder: process.argv[1] }, warn() {} });
      const handle = startConversation();
      handle.step('first', () => 1);
      handle.step('last', () => 1);
      ${beforeKill}
      process.kill(process.pid, 'SIGKILL');
    `;
    runToItsEnd(program);
    const [process] = readdirSync(join(folder, 'journal-test'));
    const file = readdirSync(join(folder, 'journal-test', process!)).find((name) => name.endsWith('.seg'))!;
    return join(folder, 'journal-test', process!, file);
  }

  /** Where the record of the step `last` begins. */
  function beginOfLast(bytes: Buffer): number {
    return bytes.lastIndexOf(Buffer.from([0xc0, 0xff, 0xc1, 0xf5]), bytes.lastIndexOf(LAST));
  }

  test.each([1, 10, 100, 'all but one byte', 'all'])(
    'is counted as a torn record, not as a span, when it had just been begun: %s bytes cut',
    async (cut) => {
      const path = leaveBehind();
      const bytes = readFileSync(path);
      const begin = beginOfLast(bytes);
      const length = typeof cut === 'number' ? bytes.length - cut : cut === 'all' ? begin : begin + 1;
      truncateSync(path, length);
      const next = start({ endpoint: receiver.endpoint });
      await next.flush();
      expect(next.report()).toMatchObject({ tornRecords: cut === 'all' ? 0 : 1, droppedSpans: {} });
      expect(receiver.spans().some(({ name }) => name === 'first')).toBe(true);
      expect(balance(next)).toBe(0);
    },
  );

  // By then, its process had said how many spans it had written.
  test.each(['cut', 'cut with the record before it', 'damaged in its length', 'emptied'])(
    'is a lost span when it had ended for long: %s',
    async (damage) => {
      const path = leaveBehind(`
      const { readFileSync, readdirSync } = await import('node:fs');
      const heartbeat = readdirSync(process.argv[1], { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('heartbeat'));
      while (!readFileSync(process.argv[1] + '/' + heartbeat, 'utf8').includes('"spans":2')) await new Promise((resolve) => setTimeout(resolve, 20));
    `);
      const bytes = readFileSync(path);
      const begin = beginOfLast(bytes);
      if (damage === 'damaged in its length') {
        bytes[begin + 9]! ^= 0x80;
        writeFileSync(path, bytes);
      } else {
        const first = bytes.lastIndexOf(Buffer.from([0xc0, 0xff, 0xc1, 0xf5]), bytes.indexOf('"name":"first"'));
        truncateSync(path, damage === 'cut' ? begin : damage === 'emptied' ? 0 : first);
      }
      const next = start({ endpoint: receiver.endpoint });
      await next.flush();
      const lost = damage === 'cut' || damage === 'damaged in its length' ? 1 : 2;
      expect(next.report().droppedSpans).toEqual({ damaged: lost });
      expect(balance(next)).toBe(0);
    },
  );

  test('is a lost span when it is whole but damaged', async () => {
    const path = leaveBehind();
    const bytes = readFileSync(path);
    bytes[bytes.lastIndexOf(LAST)]! ^= 1;
    writeFileSync(path, bytes);
    const next = start({ endpoint: receiver.endpoint });
    await next.flush();
    expect(next.report()).toMatchObject({ tornRecords: 0, droppedSpans: { damaged: 1 } });
    expect(balance(next)).toBe(0);
  });

  test('is no lost span when bytes that are missing between two other records make them look like one', async () => {
    const path = leaveBehind();
    // Two records of four bytes, from the fifteenth byte of the first to the second of the other: the length of the
    // second stands where the first had its kind, and 4 is the kind of a span.
    const first = 'c0ffc1f5 9d3a7c11 04000000 0700';
    const other = 'c1f5 e2b8550d 04000000 08000000 02000000 05000000 02000000';
    appendFileSync(path, Buffer.from((first + other).replaceAll(' ', ''), 'hex'));
    const next = start({ endpoint: receiver.endpoint });
    await next.flush();
    expect(next.report().droppedSpans).toEqual({});
    expect(receiver.spans().map(({ name }) => name)).toEqual(expect.arrayContaining(['first', 'last']));
    expect(balance(next)).toBe(0);
  });
});

describe('what was open when a process died', () => {
  const PROGRAM = `
    import { startTracing } from '@convotel/sdk';
    import { startConversation } from '@convotel/tracing';
    startTracing({ serviceName: 'journal-test', endpoint: '${NOBODY}', metrics: false, journal: { folder: process.argv[1] }, warn() {} });
    const handle = startConversation({ conversationId: 'died', workflow: 'voice' });
    handle.step('done', () => 1);
    handle.step('hangs', () => new Promise(() => {}));
    // What another process will end is not closed here.
    const { trace } = await import('@opentelemetry/api');
    const elsewhere = trace.getTracer('other').startSpan('elsewhere', { attributes: { 'conversation.step.name': 'elsewhere' } });
    for (const released of globalThis[Symbol.for('convotel')].releaseListeners) released(elsewhere);
    // The segment in which those two began is full, delivered or not, long before the end.
    for (let index = 0; index < 100; index += 1) handle.step('more', { attributes: { padding: 'x'.repeat(200000) } }, () => index);
    process.kill(process.pid, 'SIGKILL');
  `;

  test('is closed once, as abandoned, by the next start', async () => {
    runToItsEnd(PROGRAM);
    const next = start({ endpoint: receiver.endpoint });
    await next.flush({ deadlineMs: 20_000 });
    const open = receiver.spans().filter((span) => attributesOf(span)['conversation.recovered'] === true);
    expect(open.map(({ name }) => name).toSorted()).toEqual(['conversation', 'hangs']);
    for (const span of open) {
      expect(attributesOf(span)).toMatchObject({ 'conversation.outcome': 'abandoned', 'conversation.id': 'died' });
      const { startTimeUnixNano, endTimeUnixNano } = span as unknown as Record<string, string>;
      expect(BigInt(endTimeUnixNano!)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano!));
      expect(BigInt(endTimeUnixNano!)).toBeLessThanOrEqual(BigInt(Date.now()) * 1_000_000n + 1_000_000_000n);
    }
    expect(receiver.spans().filter(({ name }) => name === 'more')).toHaveLength(100);
    expect(next.report()).toMatchObject({ inheritedSpans: 103, deliveredSpans: 103, waitingSpans: 0 });
    await next.shutdown();
    const third = start({ endpoint: receiver.endpoint });
    await third.flush();
    expect(third.report().inheritedSpans).toBe(0);
  });
});

test('cluster workers and forked children have a folder each, and the next start sends what is in all of them', async () => {
  const program = join(folder, 'program.mjs');
  const state = join(folder, 'state');
  writeFileSync(
    program,
    `
    import cluster from 'node:cluster';
    import { fork } from 'node:child_process';
    import { once } from 'node:events';
    import { startTracing } from ${built('sdk')};
    import { conversation } from ${built('tracing')};
    startTracing({ serviceName: 'journal-test', endpoint: '${NOBODY}', metrics: false, journal: { folder: ${JSON.stringify(state)} }, warn() {} });
    const isChild = cluster.isWorker || process.argv[2] === 'forked';
    conversation((c) => c.step(cluster.isWorker ? 'cluster' : isChild ? 'forked' : 'primary', () => 1));
    if (isChild) process.kill(process.pid, 'SIGKILL');
    await once(cluster.fork(), 'exit');
    await once(cluster.fork(), 'exit');
    await once(fork(${JSON.stringify(program)}, ['forked']), 'exit');
    process.kill(process.pid, 'SIGKILL');
    `,
  );
  const environment = { ...process.env, NODE_OPTIONS: '' };
  const { signal, stderr } = spawnSync(process.execPath, [program], { env: environment, encoding: 'utf8' });
  expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
  expect(readdirSync(join(state, 'journal-test'))).toHaveLength(4);
  const next = start({ endpoint: receiver.endpoint, journal: { folder: state } });
  await next.flush({ deadlineMs: 20_000 });
  const steps = receiver
    .spans()
    .map(({ name }) => name)
    .filter((name) => name !== 'conversation');
  expect(steps.toSorted()).toEqual(['cluster', 'cluster', 'forked', 'primary']);
  expect(next.report()).toMatchObject({ inheritedSpans: 8, deliveredSpans: 8 });
});

describe('where no folder can be written', () => {
  test('one sentence says so, and spans wait in memory', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const { flush, report } = start({ endpoint: receiver.endpoint, journal: { folder: join(file, 'below') } });
    conversation((c) => c.step('first', () => 1));
    expect(await flush()).toEqual({ deliveredSpans: 2, undeliveredSpans: 0 });
    expect(report()).toMatchObject({ finishedSpans: 2, droppedSpans: {} });
    expect(warnings).toEqual([expect.stringMatching(/cannot be used \(ENOTDIR\), so finished spans wait in memory/)]);
  });

  test('a file system that says ENOENT below a folder that is there does not hold the program', () => {
    const program = `
      import { startTracing } from '@convotel/sdk';
      import { conversation } from '@convotel/tracing';
      const tracing = startTracing({ metrics: false, endpoint: '${receiver.endpoint}', journal: { folder: '/proc/none' }, warn: console.log });
      conversation((c) => c.step('first', () => 1));
      process.exit(0);
    `;
    const ended = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
      env: { ...process.env, NODE_OPTIONS: '' },
      // For a program that never goes on.
      timeout: 60_000,
      encoding: 'utf8',
    });
    expect(ended).toMatch(/so finished spans wait in memory/);
  }, 90_000);

  test('two programs that start at once in a folder that does not exist yet can both write to it', () => {
    const program = join(folder, 'program.mjs');
    writeFileSync(
      program,
      `
      import { isMainThread, Worker, workerData } from 'node:worker_threads';
      import { startTracing } from ${built('sdk')};
      if (isMainThread) {
        const arrived = new Int32Array(new SharedArrayBuffer(4));
        for (let thread = 0; thread < 2; thread++) new Worker(new URL(import.meta.url), { workerData: arrived });
      } else {
        for (let round = 1; round <= 300; round++) {
          Atomics.add(workerData, 0, 1);
          while (Atomics.load(workerData, 0) < 2 * round);
          const journal = { folder: ${JSON.stringify(folder)} + '/' + round + '/not/made' };
          const tracing = startTracing({ endpoint: '${NOBODY}', metrics: false, journal, warn: console.error });
          await tracing.shutdown({ deadlineMs: 0 });
        }
      }
      `,
    );
    const environment = { ...process.env, NODE_OPTIONS: '' };
    const { status, stderr } = spawnSync(process.execPath, [program], { env: environment, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  }, 300_000);

  test('without a journal, what remains at shutdown is counted as dropped', async () => {
    const { shutdown, report } = start({ journal: false });
    conversation((c) => c.step('first', () => 1));
    await shutdown();
    expect(report()).toMatchObject({ finishedSpans: 2, waitingSpans: 0, droppedSpans: { stopped: 2 } });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('CONVOTEL_JOURNAL=off does the same', async () => {
    await withEnvironment({ CONVOTEL_JOURNAL: 'OFF', XDG_STATE_HOME: folder }, async () => {
      const tracing = start({ journal: undefined });
      conversation((c) => c.step('first', () => 1));
      await tracing.shutdown();
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('by default the journal is below XDG_STATE_HOME', async () => {
    await withEnvironment({ XDG_STATE_HOME: folder }, async () => {
      const tracing = start({ journal: undefined });
      conversation((c) => c.step('first', () => 1));
      expect(readdirSync(join(folder, 'convotel', 'journal'))).toEqual(['journal-test']);
      await tracing.shutdown();
    });
  });
});
