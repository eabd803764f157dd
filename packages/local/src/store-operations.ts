import { randomUUID } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { access, constants, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { QueryError } from '@convotel/query';
import { BackendRefusal, askBackend, findRunningBackend, readText } from './discovery.ts';
import { FORGET_PATH, type Forgotten, NO_SUCH_ID, traceIdsOf } from './http/api-routes.ts';
import { BACKUP_PATH } from './http/http-answer.ts';
import { LocalError } from './local-error.ts';
import { resolveStore, syncFolder } from './store-files.ts';

/** Memory of DuckDB while it copies a store that no back end runs on, in bytes. */
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
 * Writes a consistent copy of the store at `storePath` to `targetPath`, readable by its owner only. The copy is a store
 * itself. If a back end runs on the store, it makes the copy and accepts spans meanwhile; `token` is sent to it.
 * @throws {@link LocalError} `BACKUP_FAILED` when there is no store, something is at `targetPath`, or the copy cannot
 *   be made; `STORE_LOCKED`, `STORE_UNREADABLE`. Nothing is left at `targetPath` then.
 */
export async function backUpStore(
  storePath: string,
  targetPath: string,
  { token }: { token?: string | undefined } = {},
): Promise<StoreBackup> {
  const path = resolve(targetPath);
  if (await exists(path)) throw failed(`${path} exists; name a file that does not, so that nothing is overwritten`);
  if (!(await exists(resolveStore(storePath)))) throw failed(`there is no store at ${resolveStore(storePath)}`);
  if (!(await exists(dirname(path)))) throw failed(`there is no folder ${dirname(path)}`);
  const from = await findRunningBackend(storePath);
  const part = `${path}.part-${randomUUID()}`;
  try {
    if (from === undefined) await copyClosedStore(resolveStore(storePath), part);
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

/** Memory of DuckDB while it changes a store that no back end runs on, in bytes. */
const CHANGING_MEMORY_BYTES = 256 * 1024 ** 2;
const MAX_ANSWER_LENGTH = 1_000;

/** Which conversation is deleted, and where. */
export interface ForgetOptions {
  conversationId: string;
  /** The store; if a back end runs on it, that does the work. */
  storePath?: string | undefined;
  /** The address of a `convotel serve`, instead of a store. */
  address?: string | undefined;
  /** Sent to a back end that requires one. */
  token?: string | undefined;
}

/** How much was deleted, and by which back end. */
export interface ForgottenConversation extends Forgotten {
  /** The back end that did it; undefined when none runs on the store. */
  from: string | undefined;
}

/**
 * Deletes every span of a conversation and rewrites the store without them; when this resolves, they are off the disk.
 * A conversation is named by its whole id, or by its trace id.
 * @throws `QueryError` `NO_SUCH_CONVERSATION`; {@link LocalError} `FORGET_FAILED` when it cannot be deleted; the
 *   message says whether it is still there
 */
export async function forgetConversation(options: ForgetOptions): Promise<ForgottenConversation> {
  const { conversationId, storePath = '', token } = options;
  const from = options.address ?? (await findRunningBackend(storePath));
  try {
    if (from === undefined) return { ...(await forgetInFile(resolveStore(storePath), conversationId)), from };
    const response = await askBackend(from, { path: FORGET_PATH, body: { conversationId }, token });
    const { traces, spans } = JSON.parse(await readText(response, MAX_ANSWER_LENGTH)) as Forgotten;
    return { traces, spans, from };
  } catch (error) {
    if (error instanceof QueryError || error instanceof LocalError) throw error;
    if (error instanceof BackendRefusal && error.reason === NO_SUCH_ID) {
      throw noSuchConversation(conversationId, error.location);
    }
    throw new LocalError('FORGET_FAILED', `the conversation was not deleted: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function forgetInFile(storePath: string, conversationId: string): Promise<Forgotten> {
  if (!existsSync(storePath)) throw new Error(`there is no store at ${storePath}`);
  const { SpanStore } = await import('./store/span-store.ts');
  const { DuckDbSource } = await import('./source/duckdb-source.ts');
  const store = await SpanStore.open(storePath, { memoryLimitBytes: CHANGING_MEMORY_BYTES });
  try {
    const source = new DuckDbSource(storePath, { lend: (use) => store.read(use), close: async () => undefined });
    const traceIds = await traceIdsOf(source, conversationId);
    if (traceIds.length === 0) throw noSuchConversation(conversationId, storePath);
    const spans = await store.forgetTraces(traceIds);
    return { traces: traceIds.length, spans };
  } finally {
    await store.close();
  }
}

function noSuchConversation(conversationId: string, location: string): QueryError {
  return new QueryError('NO_SUCH_CONVERSATION', `no conversation ${JSON.stringify(conversationId)} in ${location}`);
}
