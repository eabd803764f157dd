import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { QueryError } from '@convotel/query';
import { askBackend, BackendRefusal, findRunningBackend, readText } from './discovery/find-running-backend.ts';
import { type Forgotten, FORGET_PATH, traceIdsOf } from './http/operator-routes.ts';
import { LocalError } from './local-error.ts';

/** Memory of DuckDB while a store is changed that no back end runs on, in bytes. */
const CHANGING_MEMORY_BYTES = 256 * 1024 ** 2;
const MAX_ANSWER_LENGTH = 1_000;

/** Which conversation is deleted, and where. */
export interface ForgetOptions {
  conversationId: string;
  /** The store; the back end that runs on it is asked. */
  storePath?: string | undefined;
  /** The address of a `convotel serve`, in place of a store. */
  address?: string | undefined;
  /** Shown to a back end that asks for one. */
  token?: string | undefined;
}

/** What was deleted. */
export interface ForgottenConversation extends Forgotten {
  /** The back end that did it; undefined when none runs on the store. */
  from: string | undefined;
}

/**
 * Deletes every span of a conversation, and writes the store anew without them, so that they are off the disk when this
 * resolves. A conversation is named by its whole id, or by its trace id.
 * @throws `QueryError` `NO_SUCH_CONVERSATION`; {@link LocalError} `FORGET_FAILED` when it cannot be deleted, which says
 *   whether it is still there
 */
export async function forgetConversation(options: ForgetOptions): Promise<ForgottenConversation> {
  const { conversationId, storePath = '', token } = options;
  const from = options.address ?? (await findRunningBackend(storePath));
  try {
    if (from === undefined) return { ...(await forgetInFile(resolve(storePath), conversationId)), from };
    const response = await askBackend(from, { path: FORGET_PATH, body: { conversationId }, token });
    const { traces, spans } = JSON.parse(await readText(response, MAX_ANSWER_LENGTH)) as Forgotten;
    return { traces, spans, from };
  } catch (error) {
    if (error instanceof QueryError || error instanceof LocalError) throw error;
    const { message } = error as Error;
    if (error instanceof BackendRefusal && error.status === 404) throw noSuchConversation(conversationId, message);
    throw new LocalError('FORGET_FAILED', `the conversation was not deleted: ${message}`, { cause: error });
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
    if (traceIds.length === 0) throw noSuchConversation(conversationId, `${storePath} has none of that id`);
    const spans = await store.forgetTraces(traceIds);
    return { traces: traceIds.length, spans };
  } finally {
    await store.close();
  }
}

function noSuchConversation(conversationId: string, why: string): QueryError {
  return new QueryError('NO_SUCH_CONVERSATION', `no conversation "${conversationId}": ${why}`);
}
