import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DuckDBConnection } from '@duckdb/node-api';
import { openDuckDbSource, startLocalBackend } from '@convotel/local';
import { Database } from '../../src/store/database.ts';
import { migrate, MIGRATIONS, SCHEMA_VERSION } from '../../src/store/migrations.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-migrations-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function changing<Result>(
  path: string,
  change: (connection: DuckDBConnection) => Promise<Result>,
): Promise<Result> {
  const database = await Database.open(path, { isReadOnly: false, memoryLimitBytes: 64 * 2 ** 20 });
  try {
    return await database.lend(change);
  } finally {
    await database.close();
  }
}

const rowsOf = async (connection: DuckDBConnection, sql: string): Promise<unknown[][]> =>
  (await connection.runAndReadAll(sql)).getRows();

const NEXT = {
  version: SCHEMA_VERSION + 1,
  readSql: async () => 'ALTER TABLE spans ADD COLUMN tenant VARCHAR DEFAULT 1',
};

test('a store of an older version is brought up, with what is in it', async () => {
  const path = join(folder, 'older.duckdb');
  await changing(path, async (connection) => {
    await migrate(connection, path);
    await connection.run("INSERT INTO spans (trace_id, name) VALUES (1, 'gpt')");
  });
  await changing(path, async (connection) => {
    await migrate(connection, path, [...MIGRATIONS, NEXT]);
    expect(await rowsOf(connection, 'SELECT name, tenant FROM spans')).toEqual([['gpt', '1']]);
    expect(await rowsOf(connection, 'SELECT version FROM convotel_schema')).toEqual([[NEXT.version]]);
  });
  // Again, when there is nothing left to do.
  await changing(path, (connection) => migrate(connection, path, [...MIGRATIONS, NEXT]));
  const refused = { code: 'STORE_UNREADABLE', message: expect.stringMatching(/newer convotel.*update convotel/) };
  await expect(startLocalBackend({ storePath: path, port: 0 })).rejects.toMatchObject(refused);
  await expect(openDuckDbSource(path)).rejects.toMatchObject(refused);
});

test('a migration that fails leaves the store as it was', async () => {
  const path = join(folder, 'failing.duckdb');
  await changing(path, (connection) => migrate(connection, path));
  const failing = { version: NEXT.version, readSql: async () => `${await NEXT.readSql()}; SELECT nothing` };
  await expect(changing(path, (connection) => migrate(connection, path, [...MIGRATIONS, failing]))).rejects.toThrow(
    /nothing/,
  );
  await (await openDuckDbSource(path)).close();
});

test('a store of an older version is not read before it was brought up', async () => {
  const path = join(folder, 'old.duckdb');
  await changing(path, async (connection) => {
    await migrate(connection, path);
    await connection.run('UPDATE convotel_schema SET version = 0');
  });
  await expect(openDuckDbSource(path)).rejects.toMatchObject({
    code: 'STORE_UNREADABLE',
    message: expect.stringMatching(/older convotel.*run `convotel serve`/),
  });
});

test('a DuckDB file of somebody else is left alone', async () => {
  const path = join(folder, 'foreign.duckdb');
  await changing(path, (connection) => connection.run('CREATE TABLE mine (a INTEGER)'));
  const refused = { code: 'STORE_UNREADABLE', message: expect.stringMatching(/not a store of convotel/) };
  await expect(startLocalBackend({ storePath: path, port: 0 })).rejects.toMatchObject(refused);
  await expect(openDuckDbSource(path)).rejects.toMatchObject(refused);
  expect(await changing(path, (connection) => rowsOf(connection, 'SELECT table_name FROM duckdb_tables()'))).toEqual([
    ['mine'],
  ]);
});

test('what is no DuckDB file, or not there, is said to be so', async () => {
  const path = join(folder, 'text.duckdb');
  await writeFile(path, 'plain text, and long enough to be looked at as a header\n'.repeat(500));
  await expect(openDuckDbSource(path)).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
  await expect(startLocalBackend({ storePath: path, port: 0 })).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
  await expect(openDuckDbSource(join(folder, 'missing.duckdb'))).rejects.toMatchObject({
    code: 'UNREACHABLE',
    message: expect.stringContaining('convotel serve'),
  });
});
