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

/** How many damaged files `/healthz` names at most; the newest. */
const MAX_DAMAGED_FILES = 20;

/** What `/healthz` reports on. */
interface HealthSubjects {
  instanceId: string;
  store: SpanStore;
  upkeep: Upkeep;
  retention: ResolvedRetentionOptions;
  budget: MemoryBudget;
  rejected: RejectionCounts;
  /** Connections that clients closed before their request was complete. */
  gone: { clientsGone: number };
}

/**
 * `GET /healthz`: which back end it is, whether it can keep spans, and what it has done since it started. Its status is
 * `ok`, `unwritable` with the reason as `problem`, or `damaged`; the HTTP status is always 200, since the server
 * answers.
 */
export function healthRoute({ instanceId, store, upkeep, retention, budget, rejected, gone }: HealthSubjects): Route {
  return {
    method: 'GET',
    // Needs no right: monitoring and other commands may know that it runs.
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
        // `Infinity` cannot be written in JSON, so a limit that keeps everything is left out.
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

/** Checks that the store's file is still there: it may have gone since the last write. */
function missingFile(store: SpanStore): string | undefined {
  try {
    store.checkFile();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * `POST /api/v1/backup`: a consistent copy of the store, which is a store itself. One at a time: each takes as much
 * disk space as the store until it has been sent.
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

/** Path at which a running back end deletes one conversation, by POST. */
export const FORGET_PATH = '/api/v1/forget';
/** The reason of a 404 from there; a server that does not know the path has another one. */
export const NO_SUCH_ID = 'no conversation has this id';
/** The body holds an id, which is short. */
const MAX_ORDER_BYTES = 65_536;

/** How much of a conversation was deleted. */
export interface Forgotten {
  traces: number;
  spans: number;
}

/**
 * `POST /api/v1/forget` with `{"conversationId": …}`: deletes every span of the conversation, rewrites the store
 * without them, and then answers how many there were.
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

/** Every trace that carries the conversation's id. */
export async function traceIdsOf(source: Pick<ConversationSource, 'ask'>, conversationId: string): Promise<string[]> {
  const { data } = await source.ask({ name: 'conversation', conversationId });
  return [...new Set([...data.spans.map(({ traceId }) => traceId), ...data.otherTraceIds])];
}

/** One route a question, `GET /api/v1/<name>`, answered by `source` before bulk work. */
export function questionRoutes(source: ConversationSource, gate: ForegroundGate): [path: string, route: Route][] {
  return QUESTION_NAMES.map((name) => [
    QUESTION_PATH_PREFIX + name,
    { method: 'GET', right: 'read', handle: (_request, url) => gate.runFirst(() => answerQuestion(source, url)) },
  ]);
}

async function answerQuestion(source: ConversationSource, url: URL): Promise<{ contentType: string; body: string }> {
  try {
    const question = decodeQuestion(url);
    // Two characters that JSON allows but that end a line in a script.
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
