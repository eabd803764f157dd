import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  type ConnectOptions as ElsewhereOptions,
  type ConversationSource,
  ServeSource,
  SourceError,
  connect as connectElsewhere,
} from '@convotel/query';
import { findRunningBackend } from '../discovery.ts';
import { LocalError } from '../local-error.ts';
import { resolveStore } from '../store-files.ts';

/** Most memory that DuckDB takes while a file is read without a running back end. */
const READER_MEMORY_BYTES = 1024 ** 3;

/** Options of {@link connect}, besides the address. */
export interface ConnectOptions extends ElsewhereOptions {
  /**
   * The embedded back end's file, for `local`.
   * @defaultValue `CONVOTEL_STORE`, else where `convotel serve` keeps it: `convotel/conversations.duckdb` below
   *   `XDG_DATA_HOME` or `~/.local/share`
   */
  storePath?: string | undefined;
}

/**
 * Opens what `where` names, as `--from` of the command line takes it: `local`, which is the running `convotel serve`
 * that holds the store, else its file; or anything that `connect` of `@convotel/query` opens.
 *
 * ```typescript
 * const source = await connect();
 * ```
 * Close the source when you are done.
 * @param where - default `local`
 * @throws `QueryError` `OPTION_OUT_OF_RANGE` when `where` is neither an address nor a path; `SourceError` when it
 *   cannot be opened.
 */
export async function connect(where = 'local', options: ConnectOptions = {}): Promise<ConversationSource> {
  const { storePath, ...elsewhere } = options;
  if (where !== 'local') return connectElsewhere(where, elsewhere);
  const path = storePath ?? (process.env['CONVOTEL_STORE'] || defaultStorePath(process.env));
  const url = await findRunningBackend(path);
  return url === undefined ? openDuckDbSource(path) : new ServeSource(url, { token: options.token });
}

/** Where `convotel serve` keeps its store unless told: below the base directory specification's data folder. */
export function defaultStorePath(environment: Readonly<Record<string, string | undefined>>): string {
  const dataHome = environment['XDG_DATA_HOME'] || join(environment['HOME'] || homedir(), '.local', 'share');
  return join(dataHome, 'convotel', 'conversations.duckdb');
}

/**
 * Opens the store of the embedded back end for reading. Nothing is written: a store that a killed back end left behind
 * is read with everything that it had acknowledged.
 *
 * DuckDB is loaded by the first call, not by importing this package.
 * @throws `SourceError` `UNREACHABLE` when there is no such file, `STORE_LOCKED` while another process holds it,
 *   `STORE_UNREADABLE` when it is not a store, or one of another version
 */
export async function openDuckDbSource(storePath: string): Promise<ConversationSource> {
  const path = resolveStore(storePath);
  try {
    await access(path);
  } catch (error) {
    throw new SourceError(
      'UNREACHABLE',
      `there is no store at ${path} yet; run \`convotel serve\` and send spans to it, or name another file`,
      { cause: error },
    );
  }
  const { Database, explainedDamage } = await import('../store/database.ts');
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
    throw asSourceError(explainedDamage(path, error));
  }
}

function asSourceError(error: unknown): unknown {
  if (!(error instanceof LocalError)) return error;
  const code = error.code === 'STORE_LOCKED' ? 'STORE_LOCKED' : 'STORE_UNREADABLE';
  return new SourceError(code, error.message, { cause: error });
}
