import { randomBytes } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalBackend, openDuckDbSource, startLocalBackend } from '@convotel/local';
import { jsonRequest, jsonStep, send, text, until } from '../sending.ts';
import { startServe } from '../children/start-serve.ts';

const IN_FILE = 400;
const IN_LOG = 60;
const seed = Number(process.env['CONVOTEL_TEST_SEED'] ?? Math.floor(Math.random() * 1_000_000));

/** Mulberry32 (public domain, T. Ettinger): a small generator with a seed. */
function seededRandom(state: number): (below: number) => number {
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}

let folder: string;
let made: string;
const running: LocalBackend[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-damage-'));
  made = join(folder, 'made.duckdb');
  // Some spans in the file, others in the log only, as a process leaves them that was killed.
  const first = await startLocalBackend({ storePath: made, port: 0 });
  await send(`${first.url}/v1/traces`, {
    body: jsonRequest(...Array.from({ length: IN_FILE }, () => jsonStep('old'))),
  });
  await first.stop();
  const second = await startServe(made);
  for (let request = 0; request < IN_LOG; request++) {
    await send(`${second.url}/v1/traces`, { body: jsonRequest(jsonStep('new')) });
  }
  await second.kill('SIGKILL');
});
afterEach(async () => {
  for (const backend of running.splice(0)) await backend.stop();
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

let copies = 0;
/** A copy of the store, with its log or its file changed. */
function changedCopy(change: { log?: (log: Buffer) => Buffer; file?: (file: Buffer) => void }): string {
  const path = join(folder, `copy-${copies++}.duckdb`);
  const file = readFileSync(made);
  change.file?.(file);
  writeFileSync(path, file, { mode: 0o600 });
  const log = readFileSync(`${made}.wal`);
  writeFileSync(`${path}.wal`, change.log?.(log) ?? log, { mode: 0o600 });
  return path;
}

async function start(path: string, notices: string[] = []): Promise<LocalBackend> {
  const backend = await startLocalBackend({
    storePath: path,
    port: 0,
    retentionIntervalMs: 50,
    onNotice: (notice) => notices.push(notice),
  });
  running.push(backend);
  return backend;
}

async function stepCount(backend: LocalBackend, step: string): Promise<number> {
  const window = { sinceUnixNano: 0n, untilUnixNano: 2n ** 63n - 1n };
  const { data } = await backend.source.ask({ name: 'step-statistics', window });
  return data.find((row) => row.step === step)?.total ?? 0;
}

const asideOf = (path: string): string[] =>
  readdirSync(folder).filter((name) => name.startsWith(`${basename(path)}.`) && name.includes('.damaged-'));

async function postOne(backend: LocalBackend): Promise<number> {
  return (await send(`${backend.url}/v1/traces`, { body: jsonRequest(jsonStep('later')) })).status;
}

describe('a log', () => {
  test('that is whole is read whole, without a word', async () => {
    const notices: string[] = [];
    const backend = await start(changedCopy({}), notices);
    expect([await stepCount(backend, 'old'), await stepCount(backend, 'new')]).toEqual([IN_FILE, IN_LOG]);
    expect(notices).toEqual([]);
  });

  test('that breaks off within its last transaction, as after a kill, is no damage', async () => {
    const notices: string[] = [];
    const path = changedCopy({ log: (log) => log.subarray(0, log.length - 30) });
    const backend = await start(path, notices);
    expect(await stepCount(backend, 'new')).toBe(IN_LOG - 1);
    expect(notices).toEqual([]);
    expect(asideOf(path)).toEqual([]);
  });

  test.each<[string, (log: Buffer, at: number) => Buffer]>([
    ['with a zeroed tail', (log, at) => log.fill(0, at)],
    [
      'with a garbled tail',
      (log, at) => log.map((byte, index) => (index < at ? byte : (byte * 7 + index) & 255)) as Buffer,
    ],
    ['with a flipped bit', (log, at) => ((log[at]! ^= 1 << (at % 8)), log)],
  ])('%s: what is before it is kept, and what is lost is said', async (name, damage) => {
    console.log(`seed of "${name}": ${seed}`);
    const random = seededRandom(seed);
    let readable = 0;
    const rounds = 4;
    for (let round = 0; round < rounds; round++) {
      const notices: string[] = [];
      const length = readFileSync(`${made}.wal`).length;
      const at = random(length);
      const path = changedCopy({ log: (log) => damage(log, at) });
      const damaged = readFileSync(`${path}.wal`);
      const backend = await start(path, notices);
      expect([at, await stepCount(backend, 'old')]).toEqual([at, IN_FILE]);
      const left = await stepCount(backend, 'new');
      readable += left;
      // Requests came one after another, so each is a transaction: those before the damage are all there.
      expect(left).toBeGreaterThanOrEqual(Math.floor((at / length) * IN_LOG) - 1);
      if (left < IN_LOG) {
        expect([at, notices.join('\n')]).toEqual([at, expect.stringMatching(/the log of .* was damaged/)]);
        expect(asideOf(path)).toHaveLength(1);
        expect(readFileSync(join(folder, asideOf(path)[0]!)).equals(damaged)).toBe(true);
      }
      expect(await postOne(backend)).toBe(200);
      await backend.stop();
      // What came later is in the log behind the cut, and is read again.
      const again = await start(path);
      expect([await stepCount(again, 'new'), await stepCount(again, 'later')]).toEqual([left, 1]);
      await again.stop();
    }
    expect(readable).toBeGreaterThan(0);
  });

  test.each<[string, (log: Buffer) => Buffer, number]>([
    ['whose first bytes are damaged is read all the same', (log) => ((log[3]! ^= 4), log), IN_LOG],
    ['of zeros only is told from an empty one', (log) => log.fill(0), 0],
  ])('%s', async (_, log, left) => {
    const notices: string[] = [];
    const backend = await start(changedCopy({ log }), notices);
    expect(await stepCount(backend, 'new')).toBe(left);
    expect(notices.join('\n')).toMatch(left === 0 ? /bytes are lost/ : /Nothing that it held is lost/);
  });

  test.each<[string, (log: Buffer) => Buffer]>([
    ['DuckDB reports', (log) => log.fill(0, Math.floor(log.length / 2))],
    ['DuckDB does not report', (log) => ((log[3]! ^= 4), log)],
  ])('whose damage %s is not read as if it was whole, by a reader who may not mend it', async (_, log) => {
    const refused = {
      code: 'STORE_UNREADABLE',
      message: expect.stringMatching(/log .* is damaged: run `convotel serve`/),
    };
    await expect(openDuckDbSource(changedCopy({ log }))).rejects.toMatchObject(refused);
  });

  test('that seems to end early, by a length that was changed, is told from one that does', async () => {
    const notices: string[] = [];
    // The length of the first entry, behind the record of the version.
    const backend = await start(changedCopy({ log: (log) => ((log[8 + 6]! ^= 1), log) }), notices);
    expect(await stepCount(backend, 'old')).toBe(IN_FILE);
    expect(notices.join('\n')).toMatch(/at least 6\d transactions/);
  });
});

describe('a file', () => {
  const SPANS = 6_000;
  /** A store of which most is texts of steps, with a part of them overwritten. */
  async function storeWithDamagedTexts(): Promise<string> {
    const path = join(folder, `large-${copies++}.duckdb`);
    const backend = await start(path);
    for (let from = 0; from < SPANS; from += 1_000) {
      const steps = Array.from({ length: 1_000 }, (_, index) =>
        jsonStep('old', {
          attributes: [
            text('conversation.step.name', 'old'),
            text('conversation.id', `c${from + index}`),
            text('x', randomBytes(300).toString('hex')),
          ],
        }),
      );
      await send(`${backend.url}/v1/traces`, { body: jsonRequest(...steps) });
    }
    await backend.stop();
    const file = readFileSync(path);
    file.fill(0x55, Math.floor(file.length / 2), Math.floor(file.length / 2) + 200);
    writeFileSync(path, file);
    return path;
  }

  test.each<[string, (backend: LocalBackend) => Promise<void>]>([
    [
      'a question',
      async (backend) => {
        const answers: string[] = [];
        for (let index = 0; index < SPANS && !answers.includes('WRONG_ANSWER'); index += 20) {
          const answer = await backend.source.ask({ name: 'conversation', conversationId: `c${index}` }).then(
            ({ data }) => String(data.spans.length),
            (error: { code: string }) => error.code,
          );
          answers.push(answer);
        }
        // What lies elsewhere can be read.
        expect(new Set(answers)).toEqual(new Set(['1', 'WRONG_ANSWER']));
      },
    ],
    [
      'a backup',
      async (backend) => {
        const received = await send(`${backend.url}/api/v1/backup`, { method: 'POST' });
        expect([received.status, received.body.toString()]).toEqual([503, expect.stringMatching(/cannot be read/)]);
      },
    ],
  ])('of which a block is damaged is copied as far as it can be read once %s finds it, and kept', async (_, find) => {
    const path = await storeWithDamagedTexts();
    const notices: string[] = [];
    const backend = await start(path, notices);
    await find(backend);
    await until(() => notices.some((notice) => notice.includes('is kept as')));
    expect(asideOf(path).filter((name) => !name.endsWith('.wal'))).toHaveLength(1);
    const [, lost, incomplete] = /(\d+) spans? lost, (\d+) spans? without a value/.exec(notices.join('\n'))!;
    expect(Number(lost)).toBe(0);
    expect(Number(incomplete)).toBeGreaterThan(0);
    expect(await stepCount(backend, 'old')).toBe(SPANS);
    expect(await postOne(backend)).toBe(200);
    const health = await send(`${backend.url}/healthz`, { method: 'GET' });
    expect(JSON.parse(health.body.toString())).toMatchObject({ status: 'ok' });
    expect((await send(`${backend.url}/api/v1/backup`, { method: 'POST' })).status).toBe(200);
  });

  test.each(['removed', 'replaced'])('that is %s while it is in use is noticed before the next 200', async (how) => {
    const inner = await mkdtemp(join(folder, 'inner-'));
    const path = join(inner, 'store.duckdb');
    const notices: string[] = [];
    const backend = await start(path, notices);
    expect(await postOne(backend)).toBe(200);
    const other = changedCopy({});
    renameSync(inner, `${inner}-moved`);
    if (how === 'replaced') {
      await mkdir(inner);
      copyFileSync(other, path);
      copyFileSync(`${other}.wal`, `${path}.wal`);
    }
    const health = JSON.parse((await send(`${backend.url}/healthz`, { method: 'GET' })).body.toString());
    expect(health).toMatchObject({ status: 'unwritable', problem: expect.stringMatching(/removed or moved|replaced/) });
    expect(await postOne(backend)).toBe(503);
    expect(await postOne(backend)).toBe(200);
    expect(notices.join('\n')).toMatch(/(removed or moved|replaced by another file) while it was in use/);
    await backend.stop();
    // What was answered 200 is in the file at the path.
    const again = await start(path);
    expect(await stepCount(again, 'later')).toBe(1);
    expect(await stepCount(again, 'new')).toBe(how === 'replaced' ? IN_LOG : 0);
    rmSync(`${inner}-moved`, { recursive: true });
  });

  test('whose log is deleted while it is in use loses nothing', async () => {
    const path = join(folder, 'no-log.duckdb');
    const serve = await startServe(path);
    const post = (): Promise<{ status: number }> =>
      send(`${serve.url}/v1/traces`, { body: jsonRequest(jsonStep('later')) });
    for (let request = 0; request < 3; request++) expect((await post()).status).toBe(200);
    rmSync(`${path}.wal`);
    for (let request = 0; request < 3; request++) expect((await post()).status).toBe(200);
    await serve.kill('SIGKILL');
    expect(await stepCount(await start(path), 'later')).toBe(6);
  });

  test('in a folder called lock that is no store is not called locked', async () => {
    const inner = join(folder, 'block-lock');
    await mkdir(inner);
    const path = join(inner, 'lock.duckdb');
    writeFileSync(path, 'Could not set lock on file '.repeat(1000));
    await expect(start(path)).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
  });
});
