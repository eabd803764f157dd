import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { type ConversationSource, SourceError } from '@convotel/query';
import {
  QUESTION_NAMES,
  QUESTION_PATH_PREFIX,
  QuestionFormatError,
  decodeQuestion,
  encodedParts,
  mapInSlices,
} from '@convotel/query/engine';
import type { ResolvedRetentionOptions } from '../backend-options.ts';
import type { ForegroundGate } from './foreground-gate.ts';
import { HttpRefusal, type Route, readJsonObject } from './http-answer.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { RejectionCounts } from './trace-route.ts';
import { LocalError } from '../local-error.ts';
import { damagedFilesOf } from '../store-files.ts';
import type { SpanStore } from '../store/span-store.ts';
import type { Upkeep } from '../store/upkeep.ts';

/** Maximum number of damaged files in `/healthz`; the newest ones are listed. */
const MAX_DAMAGED_FILES = 20;

/** The parts of the back end that `/healthz` reports on. */
interface HealthSubjects {
  instanceId: string;
  store: SpanStore;
  upkeep: Upkeep;
  retention: ResolvedRetentionOptions;
  budget: MemoryBudget;
  rejected: RejectionCounts;
  /** Number of connections that clients closed before their request was complete. */
  gone: { clientsGone: number };
}

/**
 * `GET /healthz`: identifies the back end, and reports whether it can store spans and what it has done since it
 * started. `status` is `ok`, `unwritable` (with the reason in `problem`) or `damaged`. The HTTP status is always 200.
 */
export function healthRoute({ instanceId, store, upkeep, retention, budget, rejected, gone }: HealthSubjects): Route {
  return {
    method: 'GET',
    // No right is needed, so that monitoring and other commands can check that it is running.
    right: 'none',
    handle: async (_request, _url, rights) => {
      const problem = store.problem ?? missingFile(store);
      const status = problem !== undefined ? 'unwritable' : store.hasDamage ? 'damaged' : 'ok';
      if (!rights.has('read')) {
        return { contentType: 'application/json', body: JSON.stringify({ status, instanceId }) };
      }
      const body = {
        status,
        problem,
        instanceId,
        storePath: store.path,
        damagedFiles: damagedFilesOf(store.path).slice(-MAX_DAMAGED_FILES),
        // An infinite limit is left out, because JSON cannot represent it.
        ...(Number.isFinite(retention.maxAgeDays) && { maxAgeDays: retention.maxAgeDays }),
        maxBytes: retention.maxBytes,
        ...store.counts(),
        ...rejected,
        ...upkeep.counts,
        ...gone,
        requestBytes: budget.usedBytes,
      };
      return { contentType: 'application/json', body: JSON.stringify(body) };
    },
  };
}

/** Checks that the store's file still exists: it may have been deleted since the last write. */
function missingFile(store: SpanStore): string | undefined {
  try {
    store.checkFile();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * `POST /api/v1/backup`: sends a consistent copy of the store, which is itself a valid store. Only one at a time,
 * because a copy takes as much disk space as the store until it has been sent.
 */
export function backupRoute(store: SpanStore): Route {
  let isRunning = false;
  return {
    method: 'POST',
    right: 'read',
    async handle() {
      if (isRunning) throw new HttpRefusal(503, 'another backup is being made', { 'retry-after': '30' });
      isRunning = true;
      const path = `${store.path}.backup-${randomUUID()}`;
      const end = (): void => {
        isRunning = false;
        void rm(path, { force: true });
      };
      try {
        await store.backUpTo(path);
        const { size } = await stat(path);
        const body = createReadStream(path);
        body.once('close', end);
        return { contentType: 'application/vnd.duckdb', body, contentLength: size };
      } catch (error) {
        end();
        if (!(error instanceof LocalError)) throw error;
        throw new HttpRefusal(503, error.message, {}, { cause: error });
      }
    },
  };
}

/** `POST` to this path deletes one conversation from the running back end. */
export const FORGET_PATH = '/api/v1/forget';
/** The reason of a 404 from there; a server that does not know the path has another one. */
export const NO_SUCH_ID = 'no conversation has this id';
/** The body contains an id, which is short. */
const MAX_ORDER_BYTES = 65_536;

/** What was deleted of a conversation. */
export interface Forgotten {
  traces: number;
  spans: number;
}

/**
 * `POST /api/v1/forget` with `{"conversationId": …}`: deletes all spans of the conversation, rewrites the store without
 * them, and responds with their number.
 */
export function forgetRoute(store: SpanStore, source: ConversationSource): Route {
  return {
    method: 'POST',
    right: 'delete',
    async handle(request) {
      const { conversationId } = await readJsonObject(request, MAX_ORDER_BYTES);
      if (typeof conversationId !== 'string' || conversationId === '') {
        throw new HttpRefusal(400, 'the body has no string "conversationId"');
      }
      const traceIds = await traceIdsOf(source, conversationId);
      if (traceIds.length === 0) throw new HttpRefusal(404, NO_SUCH_ID);
      try {
        const forgotten: Forgotten = { traces: traceIds.length, spans: await store.forgetTraces(traceIds) };
        return { contentType: 'application/json', body: JSON.stringify(forgotten) };
      } catch (error) {
        if (!(error instanceof LocalError)) throw error;
        throw new HttpRefusal(503, error.message, {}, { cause: error });
      }
    },
  };
}

/** The ids of all traces with this conversation id. */
export async function traceIdsOf(source: Pick<ConversationSource, 'ask'>, conversationId: string): Promise<string[]> {
  const { data } = await source.ask({ name: 'conversation', conversationId });
  return [...new Set([...data.spans.map(({ traceId }) => traceId), ...data.otherTraceIds])];
}

/** One route per question, `GET /api/v1/<name>`, answered by `source` with priority over bulk work. */
export function questionRoutes(source: ConversationSource, gate: ForegroundGate): [path: string, route: Route][] {
  return QUESTION_NAMES.map((name) => [
    QUESTION_PATH_PREFIX + name,
    { method: 'GET', right: 'read', handle: (_request, url) => gate.runFirst(() => answerQuestion(source, url)) },
  ]);
}

async function answerQuestion(source: ConversationSource, url: URL): Promise<{ contentType: string; body: string }> {
  try {
    const question = decodeQuestion(url);
    // U+2028 and U+2029 are allowed in JSON, but are line terminators in scripts.
    const escaped = (part: string): string => part.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
    const parts = await mapInSlices(encodedParts(question, await source.ask(question)), escaped);
    return { contentType: 'application/json', body: parts.join('') };
  } catch (error) {
    if (error instanceof QuestionFormatError) throw new HttpRefusal(400, error.message, {}, { cause: error });
    if (error instanceof SourceError || error instanceof LocalError)
      throw new HttpRefusal(503, error.message, {}, { cause: error });
    throw error;
  }
}
