import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, constants, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { askBackend, findRunningBackend } from './discovery/find-running-backend.ts';
import { BACKUP_PATH } from './http/http-answer.ts';
import { LocalError } from './local-error.ts';
import { syncFolder } from './store-files.ts';

/** Memory of DuckDB while a store is copied that no back end runs on, in bytes. */
const COPYING_MEMORY_BYTES = 256 * 1024 ** 2;

/** A backup that was made. */
export interface StoreBackup {
  /** Absolute path of the backup. */
  path: string;
  bytes: number;
  /** The back end that made it; undefined when none runs on the store. */
  from: string | undefined;
}

/**
 * Writes a copy of the store at `storePath` to `targetPath`, as the store is at one moment, and only for its owner to read.
 * The copy is a store itself. A back end that runs on the store makes it, and takes spans meanwhile; `token` is shown to it.
 * @throws {@link LocalError} `BACKUP_FAILED` when there is no store, something is at `targetPath`, or the copy cannot be
 *   made; `STORE_LOCKED`, `STORE_UNREADABLE`. Nothing is left at `targetPath` then.
 */
export async function backUpStore(
  storePath: string,
  targetPath: string,
  { token }: { token?: string | undefined } = {},
): Promise<StoreBackup> {
  const path = resolve(targetPath);
  if (await exists(path)) throw failed(`${path} exists; name a file that does not, so that nothing is overwritten`);
  if (!(await exists(resolve(storePath)))) throw failed(`there is no store at ${resolve(storePath)}`);
  if (!(await exists(dirname(path)))) throw failed(`there is no folder ${dirname(path)}`);
  const from = await findRunningBackend(storePath);
  const part = `${path}.part-${randomUUID()}`;
  try {
    if (from === undefined) await copyClosedStore(resolve(storePath), part);
    else await fetchCopy(from, part, token);
    await rename(part, path);
    syncFolder(dirname(path));
  } catch (error) {
    await rm(part, { force: true });
    throw error instanceof LocalError ? error : failed((error as Error).message, error);
  }
  return { path, bytes: (await stat(path)).size, from };
}

async function copyClosedStore(storePath: string, path: string): Promise<void> {
  const { SpanStore } = await import('./store/span-store.ts');
  const store = await SpanStore.open(storePath, { memoryLimitBytes: COPYING_MEMORY_BYTES });
  try {
    await store.backUpTo(path);
  } finally {
    await store.close();
  }
}

async function fetchCopy(url: string, path: string, token: string | undefined): Promise<void> {
  const response = await askBackend(url, { path: BACKUP_PATH, token });
  await pipeline(response, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  const { size } = await stat(path);
  if (size !== Number(response.headers['content-length'])) throw failed(`${url} broke off after ${size} bytes`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path, constants.F_OK);
    return true;
  } catch {
    return false;
  }
}

function failed(reason: string, cause?: unknown): LocalError {
  return new LocalError('BACKUP_FAILED', `no backup was made: ${reason}`, { cause });
}
