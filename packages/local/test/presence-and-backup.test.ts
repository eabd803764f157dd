import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  backUpStore,
  findRunningBackend,
  forgetConversation,
  type LocalBackend,
  openDuckDbSource,
  startLocalBackend,
} from '@convotel/local';
import { startServe } from './children/start-serve.ts';
import { jsonRequest, jsonStep, send } from './sending.ts';

let folder: string;
const running: LocalBackend[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-presence-'));
});
afterEach(async () => {
  for (const backend of running.splice(0)) await backend.stop();
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

let count = 0;
const nextFolder = (): string => {
  const path = join(folder, `${count++}`);
  mkdirSync(path, { mode: 0o700 });
  return path;
};

async function start(storePath: string, onNotice?: (notice: string) => void): Promise<LocalBackend> {
  const backend = await startLocalBackend({ storePath, port: 0, onNotice });
  running.push(backend);
  return backend;
}

const post = async (url: string, step: string): Promise<number> =>
  (await send(`${url}/v1/traces`, { body: jsonRequest(jsonStep(step)) })).status;

async function stepsIn(storePath: string): Promise<string[]> {
  const source = await openDuckDbSource(storePath);
  const { data } = await source.ask({
    name: 'step-statistics',
    window: { sinceUnixNano: 0n, untilUnixNano: 2n ** 63n - 1n },
  });
  await source.close();
  return data.map(({ step }) => step).toSorted();
}

describe('the presence file', () => {
  test('of a store that was copied with its folder does not lead to the original', async () => {
    const inner = nextFolder();
    const backend = await start(join(inner, 'store.duckdb'));
    await post(backend.url, 'before');
    const copy = `${inner}-copy`;
    cpSync(inner, copy, { recursive: true });
    await post(backend.url, 'after');
    expect(await findRunningBackend(join(copy, 'store.duckdb'))).toBeUndefined();
    expect(await stepsIn(join(copy, 'store.duckdb'))).toEqual(['before']);
    expect(await findRunningBackend(join(inner, 'store.duckdb'))).toBe(backend.url);
  });

  test('leads to the back end after its store was rewritten', async () => {
    const path = join(nextFolder(), 'store.duckdb');
    const backend = await start(path);
    await post(backend.url, 'one');
    await backend.reclaim();
    expect(await findRunningBackend(path)).toBe(backend.url);
    expect(await post(backend.url, 'two')).toBe(200);
  });

  test.each<[string, (presence: Record<string, unknown>) => Record<string, unknown>]>([
    [
      'names another machine',
      (presence) => ({ ...presence, url: (presence['url'] as string).replace('127.0.0.1', '192.0.2.1') }),
    ],
    ['names a host that only looks like this one', (presence) => ({ ...presence, url: 'http://127.0.0.1.example' })],
    [
      'holds a name and password',
      (presence) => ({ ...presence, url: (presence['url'] as string).replace('//', '//a:b@') }),
    ],
    ['holds a query', (presence) => ({ ...presence, url: `${presence['url'] as string}/?token=b` })],
    ['names no address', (presence) => ({ ...presence, url: 'file:///etc/passwd' })],
    ['names another store', (presence) => ({ ...presence, storePath: '/elsewhere' })],
    ['names another file', (presence) => ({ ...presence, storeFiles: ['1:2'] })],
  ])('that %s is not followed', async (_, change) => {
    const path = join(nextFolder(), 'store.duckdb');
    await start(path);
    const presenceFile = `${path}.serve.json`;
    const presence = JSON.parse(readFileSync(presenceFile, 'utf8')) as Record<string, unknown>;
    expect(await findRunningBackend(path)).toBeDefined();
    writeFileSync(presenceFile, JSON.stringify(change(presence)));
    expect(await findRunningBackend(path)).toBeUndefined();
  });

  test.each<[string, (place: string, target: string) => void]>([
    ['a link', (place, target) => symlinkSync(target, place)],
    ['a folder', (place) => mkdirSync(place)],
    ['a pipe', (place) => execFileSync('mkfifo', [place])],
    ['a large file', (place) => writeFileSync(place, ' '.repeat(100_000))],
  ])('in whose place stands %s is not read, and nobody waits for it', async (what, put) => {
    const path = join(nextFolder(), 'store.duckdb');
    const backend = await start(path);
    const kept = `${path}.kept`;
    cpSync(`${path}.serve.json`, kept);
    rmSync(`${path}.serve.json`);
    put(`${path}.serve.json`, kept);
    expect(await findRunningBackend(path)).toBeUndefined();
    await backend.stop();
    // A start replaces what it can, and says what it cannot.
    if (what === 'a folder') {
      await expect(start(path)).rejects.toMatchObject({ code: 'STORE_UNWRITABLE' });
    } else {
      expect(await findRunningBackend((await start(path)).storePath)).toBeDefined();
      expect(readFileSync(kept, 'utf8')).toContain('instanceId');
    }
  });

  test('that cannot be written ends the start, and leaves port and store to others', async () => {
    const path = join(nextFolder(), 'store.duckdb');
    mkdirSync(`${path}.serve.json.new`);
    const port = Number(new URL((await start(join(nextFolder(), 'x.duckdb'))).url).port);
    await running.pop()!.stop();
    await expect(startLocalBackend({ storePath: path, port })).rejects.toMatchObject({
      code: 'STORE_UNWRITABLE',
      message: expect.stringMatching(/serve\.json.*cannot be written/),
    });
    rmSync(`${path}.serve.json.new`, { recursive: true });
    const backend = await startLocalBackend({ storePath: path, port });
    running.push(backend);
    expect(await post(backend.url, 'x')).toBe(200);
  });
});

test('a store in use is said with the process and its address', async () => {
  const path = join(nextFolder(), 'lock', 'block.duckdb');
  const serve = await startServe(path);
  try {
    const message = expect.stringMatching(
      new RegExp(`process ${serve.process.pid}, a back end that answers at ${serve.url}`),
    );
    await expect(start(path)).rejects.toMatchObject({ code: 'STORE_LOCKED', message });
    await expect(openDuckDbSource(path)).rejects.toMatchObject({ code: 'STORE_LOCKED', message });
  } finally {
    await serve.kill('SIGTERM');
  }
});

const hasModes = process.platform !== 'win32';
(hasModes ? test : test.skip)('only the owner can open the store and what is beside it', async () => {
  const inner = join(nextFolder(), 'made');
  const path = join(inner, 'store.duckdb');
  const modes = (): string[] =>
    ['', ...readdirSync(inner)].map((name) => `${name} ${(statSync(join(inner, name)).mode & 0o777).toString(8)}`);
  const first = await start(path);
  await post(first.url, 'x');
  expect(modes()).toEqual([' 700', 'store.duckdb 600', 'store.duckdb.serve.json 600', 'store.duckdb.wal 600']);
  await first.reclaim();
  await post(first.url, 'x');
  expect(modes()).toEqual([' 700', 'store.duckdb 600', 'store.duckdb.serve.json 600', 'store.duckdb.wal 600']);
  await first.stop();

  chmodSync(inner, 0o755);
  chmodSync(path, 0o644);
  const notices: string[] = [];
  await start(path, (notice) => notices.push(notice));
  expect(modes().slice(0, 2)).toEqual([' 700', 'store.duckdb 600']);
  expect(notices).toEqual([
    expect.stringMatching(/others could open .*store\.duckdb \(mode 0644\), .*made \(mode 0755\)/),
  ]);
  await running.pop()!.stop();

  // A folder that holds other things is not the store's to close.
  writeFileSync(join(inner, 'other.txt'), '');
  chmodSync(inner, 0o755);
  await start(path);
  expect(modes()[0]).toBe(' 755');
});

(hasModes ? test : test.skip)('files of others beside the store keep their modes', async () => {
  const inner = nextFolder();
  const path = join(inner, 'c');
  const target = join(nextFolder(), 'target.txt');
  for (const other of [join(inner, 'config.json'), target]) {
    writeFileSync(other, '');
    chmodSync(other, 0o644);
  }
  symlinkSync(target, `${path}.link`);
  await start(path);
  for (const other of [join(inner, 'config.json'), target]) expect(statSync(other).mode & 0o777).toBe(0o644);
});

describe('a store that a link leads to', () => {
  test('is one store with the file behind the link, and a rewrite leaves no other', async () => {
    const [inner, elsewhere] = [nextFolder(), nextFolder()];
    const path = join(elsewhere, 'real.duckdb');
    const link = join(inner, 'link.duckdb');
    const folderLink = join(inner, 'folder');
    await (await start(path)).stop();
    symlinkSync(path, link);
    symlinkSync(elsewhere, folderLink);
    const backend = await start(link);
    expect(backend.storePath).toBe(path);
    await post(backend.url, 'secret step');
    for (const way of [path, link, join(folderLink, 'real.duckdb')]) {
      expect(await findRunningBackend(way)).toBe(backend.url);
    }
    await forgetConversation({ conversationId: 'talk about secret step', storePath: link });
    expect(readFileSync(path).includes('secret step')).toBe(false);
    expect(statSync(link).ino).toBe(statSync(path).ino);
    await backend.stop();
    expect(readdirSync(inner).toSorted()).toEqual(['folder', 'link.duckdb']);
  });

  test('is found where its folder did not exist before', async () => {
    const [inner, elsewhere] = [nextFolder(), nextFolder()];
    symlinkSync(elsewhere, join(inner, 'link'));
    const path = join(inner, 'link', 'new', 'folder', 'store.duckdb');
    const backend = await start(path);
    expect(await findRunningBackend(path)).toBe(backend.url);
  });
});

describe('what is in the place of a store, or of its log,', () => {
  const KINDS: [string, (place: string, target: string) => void][] = [
    ['a folder', (place) => mkdirSync(place)],
    ['a pipe', (place) => execFileSync('mkfifo', [place])],
    ['a symbolic link', (place, target) => symlinkSync(target, place)],
  ];

  test.each(KINDS.slice(0, 2))('and is %s, is refused at once by all that open it', async (what, put) => {
    const path = join(nextFolder(), 'store.duckdb');
    put(path, '');
    const message = expect.stringContaining(`${path} is ${what}, not a regular file`);
    await expect(start(path)).rejects.toMatchObject({ code: 'STORE_UNREADABLE', message });
    await expect(openDuckDbSource(path)).rejects.toMatchObject({ code: 'STORE_UNREADABLE', message });
    await expect(backUpStore(path, `${path}.copy`)).rejects.toMatchObject({ code: 'STORE_UNREADABLE', message });
    await expect(forgetConversation({ conversationId: 'x', storePath: path })).rejects.toMatchObject({ message });
  });

  test('and is a symbolic link that leads nowhere, is refused and left alone', async () => {
    const path = join(nextFolder(), 'store.duckdb');
    symlinkSync(`${path}-target`, path);
    const message = expect.stringContaining(`${path} is a symbolic link to a file that does not exist`);
    await expect(start(path)).rejects.toMatchObject({ code: 'STORE_UNREADABLE', message });
    await expect(openDuckDbSource(path)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect(readdirSync(join(path, '..'))).toEqual(['store.duckdb']);
  });

  // DuckDB would answer from the tables in a file with some of these names, and keep what is written in memory.
  test.each(['json', 'csv', 'parquet', 'duckdb'].flatMap((ending) => ['', '{"a":1}\n'].map((text) => [ending, text])))(
    'and is a file of another kind called .%s that holds %j, is refused and left alone',
    async (ending, text) => {
      const path = join(nextFolder(), `store.${ending}`);
      writeFileSync(path, text);
      const message = expect.stringContaining(`${path} does not begin like a DuckDB file: name another file`);
      const refused = { code: 'STORE_UNREADABLE', message };
      await expect(start(path)).rejects.toMatchObject(refused);
      await expect(openDuckDbSource(path)).rejects.toMatchObject(refused);
      await expect(backUpStore(path, `${path}.copy`)).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
      await expect(forgetConversation({ conversationId: 'x', storePath: path })).rejects.toMatchObject(refused);
      expect(readFileSync(path, 'utf8')).toBe(text);
      expect(readdirSync(join(path, '..'))).toEqual([`store.${ending}`]);
    },
  );

  test('but a store may be called like a table', async () => {
    const path = join(nextFolder(), 'store.json');
    const backend = await start(path);
    expect(await post(backend.url, 'a')).toBe(200);
    await backend.stop();
    expect(await post((await start(path)).url, 'b')).toBe(200);
    await running.pop()!.stop();
    expect(await stepsIn(path)).toEqual(['a', 'b']);
  });

  test.each(KINDS)('and is %s as the log, is refused and left alone', async (what, put) => {
    const path = join(nextFolder(), 'store.duckdb');
    await (await start(path)).stop();
    const target = `${path}-target`;
    writeFileSync(target, 'of somebody else');
    put(`${path}.wal`, target);
    const message = expect.stringContaining(`${path}.wal is ${what}, not a regular file`);
    await expect(start(path)).rejects.toMatchObject({ code: 'STORE_UNREADABLE', message });
    await expect(openDuckDbSource(path)).rejects.toMatchObject({ code: 'STORE_UNREADABLE', message });
    expect(readFileSync(target, 'utf8')).toBe('of somebody else');
  });
});

describe('a backup', () => {
  test('of a store in use is a store with what had been acknowledged, and more is taken meanwhile', async () => {
    const path = join(nextFolder(), 'store.duckdb');
    const backend = await start(path);
    for (const step of ['a', 'b', 'c']) await post(backend.url, step);
    const target = join(folder, 'backup.duckdb');
    let isOver = false;
    const making = backUpStore(path, target).finally(() => (isOver = true));
    let statuses = 0;
    while (!isOver) statuses += await post(backend.url, 'meanwhile');
    expect(statuses % 200).toBe(0);
    expect(await making).toEqual({ path: target, bytes: statSync(target).size, from: backend.url });
    expect((await stepsIn(target)).filter((step) => step !== 'meanwhile')).toEqual(['a', 'b', 'c']);
    expect((statSync(target).mode & 0o777).toString(8)).toBe('600');
    // It is a store: a back end runs on it.
    expect(await post((await start(target)).url, 'd')).toBe(200);
    expect(readdirSync(join(path, '..')).filter((name) => name.includes('backup'))).toEqual([]);
  });

  test('of a store that nobody uses, also one that a killed back end left behind', async () => {
    const path = join(nextFolder(), 'store.duckdb');
    const serve = await startServe(path);
    await post(serve.url, 'kept');
    await serve.kill('SIGKILL');
    const target = join(folder, 'closed.duckdb');
    expect(await backUpStore(path, target)).toMatchObject({ path: target, from: undefined });
    expect(await stepsIn(target)).toEqual(['kept']);
  });

  test('overwrites nothing, and leaves nothing where it fails', async () => {
    const path = join(nextFolder(), 'store.duckdb');
    await (await start(path)).stop();
    const target = join(nextFolder(), 'mine.txt');
    writeFileSync(target, 'mine');
    await expect(backUpStore(path, target)).rejects.toMatchObject({ code: 'BACKUP_FAILED', message: /exists/ });
    expect(readFileSync(target, 'utf8')).toBe('mine');
    await expect(backUpStore(join(folder, 'none'), `${target}.2`)).rejects.toMatchObject({ code: 'BACKUP_FAILED' });
    await expect(backUpStore(path, join(folder, 'no', 'where'))).rejects.toMatchObject({ code: 'BACKUP_FAILED' });
    expect(readdirSync(join(target, '..'))).toEqual(['mine.txt']);
  });
});

test('a finished copy takes the store’s place when a process ended between the last two steps of a rewrite', async () => {
  const inner = nextFolder();
  const path = join(inner, 'store.duckdb');
  const backend = await start(path);
  await post(backend.url, 'old');
  const rewritten = join(inner, 'made.duckdb');
  await post(backend.url, 'new');
  await backUpStore(path, rewritten);
  await backend.stop();
  const before = await start(path);
  await post(before.url, 'in a log that must not be replayed');
  cpSync(`${path}.wal`, `${path}.wal-kept`);
  await before.stop();
  cpSync(rewritten, `${path}.rewritten`);
  cpSync(`${path}.wal-kept`, `${path}.wal`);
  // A reader, which may not change anything, already reads the copy.
  expect(await stepsIn(path)).toEqual(['new', 'old']);
  await (await start(path)).stop();
  expect(await stepsIn(path)).toEqual(['new', 'old']);
  expect(readdirSync(inner).filter((name) => name.includes('rewritten'))).toEqual([]);
});

test.each<[string, (place: string) => void]>([
  ['text', (place) => writeFileSync(place, 'not a store')],
  ['nothing', (place) => writeFileSync(place, '')],
  ['a folder', (place) => mkdirSync(place)],
])('%s that is only called like a finished copy does not take the store’s place', async (_, put) => {
  const inner = nextFolder();
  const path = join(inner, 'store.duckdb');
  const backend = await start(path);
  await post(backend.url, 'kept');
  await backend.stop();
  put(`${path}.rewritten`);
  expect(await stepsIn(path)).toEqual(['kept']);
  await (await start(path)).stop();
  expect(await stepsIn(path)).toEqual(['kept']);
  expect(readdirSync(inner).filter((name) => name.includes('rewritten'))).toEqual([
    expect.stringMatching(/^store\.duckdb\.rewritten\.damaged-/),
  ]);
});
