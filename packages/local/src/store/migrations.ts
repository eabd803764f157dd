import { readFile } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { LocalError } from '../local-error.ts';
import { sqlFile, transaction } from './database.ts';

/** One step from a schema version to the next. */
export interface Migration {
  /** The version that the store has afterwards. */
  version: number;
  readSql(): Promise<string>;
}

/** Files of `sql/migrations`, the oldest first. */
const FILES: readonly string[] = [
  '0001-spans',
  '0002-upkeep',
  '0003-clock',
  '0004-audio',
  '0005-look-ups',
  '0006-slice-summaries',
  '0007-failures-and-timings',
];

/** Those that change what counts as a root or a step; stored spans are classified again. */
const CHANGING_RULES: ReadonlySet<string> = new Set(['0003-clock']);

/** All steps, the oldest first; each stands whole in one file. */
export const MIGRATIONS: readonly Migration[] = FILES.map((name, index) => ({
  version: index + 1,
  readSql: async () => {
    const sql = await readFile(new URL(`../../sql/migrations/${name}.sql`, import.meta.url), 'utf8');
    return CHANGING_RULES.has(name) ? `${sql};\n${classifyAnew()}` : sql;
  },
}));

/** Only roots change: no new rule has made steps yet, and a new step would also need its step id. */
function classifyAnew(): string {
  return `UPDATE spans
SET role = classified.role, step_id = CASE WHEN classified.role = 'root' THEN 0 END
FROM (${sqlFile('classified-spans')}) AS classified
WHERE spans.rowid = classified.row_id AND spans.role <> classified.role AND classified.role <> 'step'`;
}

/** The version that this code reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.at(-1)!.version;

/**
 * Brings the store up to the newest of `migrations`, in one transaction for each; an empty file becomes a store. If one
 * fails, those before it stay, and the next start goes on from there.
 * @throws {@link LocalError} `STORE_UNREADABLE` for the store of a newer convotel, and for a file with other tables.
 */
export async function migrate(
  connection: DuckDBConnection,
  path: string,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  const version = await findSchemaVersion(connection);
  if (version === undefined && (await hasTables(connection))) throw foreign(path);
  const newest = migrations.at(-1)!.version;
  if (version !== undefined && version > newest) throw tooNew(path, version, newest);
  if (version === newest) return;
  for (const migration of migrations) {
    if (migration.version > (version ?? 0)) await runMigration(connection, migration, version === undefined);
  }
}

/** In a transaction of its own: DuckDB cannot change the columns of a table whose rows the same transaction has changed. */
async function runMigration(
  connection: DuckDBConnection,
  { version, readSql }: Migration,
  isNew: boolean,
): Promise<void> {
  await transaction(connection, async () => {
    if (isNew) await connection.run('CREATE TABLE IF NOT EXISTS convotel_schema (version INTEGER)');
    await connection.run(await readSql());
    await connection.run('DELETE FROM convotel_schema');
    await connection.run('INSERT INTO convotel_schema VALUES ($1)', [version]);
  });
}

/**
 * Checks that the store can be read without a migration.
 * @throws {@link LocalError} `STORE_UNREADABLE` for any version but this code's, and for a file that is not a store.
 */
export async function checkSchemaVersion(connection: DuckDBConnection, path: string): Promise<void> {
  const version = await findSchemaVersion(connection);
  if (version === undefined) throw foreign(path);
  if (version > SCHEMA_VERSION) throw tooNew(path, version, SCHEMA_VERSION);
  if (version < SCHEMA_VERSION) {
    throw new LocalError(
      'STORE_UNREADABLE',
      `${path} was written by an older convotel (schema version ${version}, this one reads ${SCHEMA_VERSION}); ` +
        'run `convotel serve` on it once, which brings it up to date',
    );
  }
}

async function findSchemaVersion(connection: DuckDBConnection): Promise<number | undefined> {
  const tables = await connection.runAndReadAll(
    "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() AND table_name = 'convotel_schema'",
  );
  if (tables.getRows()[0]![0] === 0n) return undefined;
  const versions = await connection.runAndReadAll('SELECT max(version) FROM convotel_schema');
  return (versions.getRows()[0]![0] as number | null) ?? undefined;
}

async function hasTables(connection: DuckDBConnection): Promise<boolean> {
  const tables = await connection.runAndReadAll(
    'SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database()',
  );
  return tables.getRows()[0]![0] !== 0n;
}

function foreign(path: string): LocalError {
  return new LocalError('STORE_UNREADABLE', `${path} is a DuckDB file, but not a store of convotel; name another file`);
}

function tooNew(path: string, version: number, newest: number): LocalError {
  return new LocalError(
    'STORE_UNREADABLE',
    `${path} was written by a newer convotel (schema version ${version}, this one knows ${newest}); update convotel`,
  );
}
