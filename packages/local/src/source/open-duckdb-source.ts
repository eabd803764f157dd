import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SourceError, type ConversationSource } from '@convotel/query';
import { LocalError } from '../local-error.ts';

/** Most memory that DuckDB takes while a file is read without a running back end. */
const READER_MEMORY_BYTES = 1024 ** 3;

/**
 * Opens the store of the embedded back end for reading. Nothing is written: a store that a killed back end left behind
 * is read with everything that it had acknowledged.
 *
 * DuckDB is loaded by the first call, not by importing this package.
 * @throws `SourceError` `UNREACHABLE` without such a file, `STORE_LOCKED` while another process holds it,
 *   `STORE_UNREADABLE` when it is no store or one of another version
 */
export async function openDuckDbSource(storePath: string): Promise<ConversationSource> {
  const path = resolve(storePath);
  try {
    await access(path);
  } catch (error) {
    throw new SourceError(
      'UNREACHABLE',
      `there is no store at ${path} yet; run \`convotel serve\` and send spans to it, or name another file`,
      { cause: error },
    );
  }
  const { Database } = await import('../store/database.ts');
  const { checkSchemaVersion } = await import('../store/migrations.ts');
  const { DuckDbSource } = await import('./duckdb-source.ts');
  try {
    const database = await Database.open(path, { isReadOnly: true, memoryLimitBytes: READER_MEMORY_BYTES });
    try {
      await database.lend((connection) => checkSchemaVersion(connection, path));
    } catch (error) {
      await database.close();
      throw error;
    }
    return new DuckDbSource(path, database);
  } catch (error) {
    throw asSourceError(error);
  }
}

function asSourceError(error: unknown): unknown {
  if (!(error instanceof LocalError)) return error;
  const code = error.code === 'STORE_LOCKED' ? 'STORE_LOCKED' : 'STORE_UNREADABLE';
  return new SourceError(code, error.message, { cause: error });
}
