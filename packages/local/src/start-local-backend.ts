import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { ConversationSource } from '@convotel/query';
import { type Access, guardedAccess } from './access/access.ts';
import {
  resolveBackendOptions,
  type LocalBackendOptions,
  type ResolvedBackendOptions,
  type ResolvedRetentionOptions,
} from './backend-options.ts';
import { type Presence, removePresence, writePresence } from './discovery.ts';
import { closeServer, createHttpServer, listen, listenOnSocket, urlOf } from './http/server.ts';
import { ForegroundGate } from './http/foreground-gate.ts';
import { BACKUP_PATH, type Route } from './http/http-answer.ts';
import { MemoryBudget } from './http/memory-budget.ts';
import { FORGET_PATH, backupRoute, forgetRoute, healthRoute, questionRoutes } from './http/api-routes.ts';
import { pageRoutes } from './http/page-routes.ts';
import { droppingRoute, type ReceivingOptions, traceRoute } from './http/trace-route.ts';
import { fileIdOf, resolveStore } from './store-files.ts';
import type { SpanStore } from './store/span-store.ts';
import type { Upkeep } from './store/upkeep.ts';

/** A running embedded back end. */
export interface LocalBackend {
  /** Where it answers, such as `http://127.0.0.1:4318`, or `unix:/run/convotel.sock`; senders add `/v1/traces` themselves. */
  readonly url: string;
  /** Random, new with every start. */
  readonly instanceId: string;
  /** Absolute path of the store. */
  readonly storePath: string;
  /** The limits on age and size, with the defaults filled in. */
  readonly retention: Readonly<ResolvedRetentionOptions>;
  /** Answers questions from the store without HTTP; {@link LocalBackend.stop} closes it. */
  readonly source: ConversationSource;
  /**
   * Rewrites the store without deleted rows; when this resolves, they are off the disk. Without this call it happens
   * within a day. Spans are accepted and questions answered meanwhile.
   */
  reclaim(): Promise<void>;
  /** Stops listening, lets requests in progress end, and closes the store. Further calls have no effect. */
  stop(): Promise<void>;
}

/**
 * Starts the embedded back end: takes spans over OTLP/HTTP at `/v1/traces` (JSON and protobuf, gzip), keeps them in
 * DuckDB, and answers the questions at `/api/v1/`. Metrics and logs are accepted and discarded.
 *
 * Spans are answered 200 only after they are on disk, and 503 while they cannot be kept.
 * @throws {@link LocalError} `PORT_IN_USE`, `STORE_LOCKED`, `STORE_UNREADABLE`, `OPTION_OUT_OF_RANGE`,
 *   `TOKEN_FILE_MALFORMED`, `TOKEN_MISSING`, `STORE_UNWRITABLE` when the file by which other commands find this back
 *   end cannot be written
 */
export async function startLocalBackend(options: LocalBackendOptions): Promise<LocalBackend> {
  const settings = resolveBackendOptions(options);
  const access = guardedAccess(settings.tokens, settings.host, settings.socketPath);
  const storePath = resolveStore(settings.storePath);
  const instanceId = randomUUID();
  const { SpanStore } = await import('./store/span-store.ts');
  const { Upkeep } = await import('./store/upkeep.ts');
  const { DuckDbSource } = await import('./source/duckdb-source.ts');

  let presence: Presence | undefined;
  const gate = new ForegroundGate();
  const store = await SpanStore.open(storePath, {
    yieldToQuestions: () => gate.yield(),
    memoryLimitBytes: settings.storeMemoryBytes,
    checkpointBytes: Math.min(MAX_LOG_BYTES, Math.ceil(settings.retention.maxBytes * MAX_LOG_SHARE)),
    onNotice: settings.onNotice,
    onFileChange: async (storeFiles) => {
      if (presence !== undefined) await writePresence(storePath, { ...presence, storeFiles });
    },
  });
  const release: (() => Promise<unknown>)[] = [() => store.close()];
  try {
    const upkeep = await Upkeep.open(store, {
      retention: settings.retention,
      intervalMs: settings.retentionIntervalMs,
      onNotice: settings.onNotice,
    });
    const source = new DuckDbSource(storePath, { lend: (use) => store.read(use), close: async () => undefined });
    const budget = new MemoryBudget(settings.maxRequestBytes);
    const gone = { clientsGone: 0 };
    let port = settings.port;
    const server = createHttpServer(
      routesOf(settings, { access, store, upkeep, source, budget, gate, instanceId, gone }),
      {
        host: settings.host,
        port: () => port,
        access,
        allowedOrigins: settings.allowedOrigins,
        isSocket: settings.socketPath !== undefined,
        budget,
        onFailure: (error) => settings.onNotice(`a request failed: ${(error as Error).stack ?? String(error)}`),
        onClientGone: () => (gone.clientsGone += 1),
      },
    );
    if (settings.socketPath === undefined) port = await listen(server, settings);
    else await listenOnSocket(server, settings.socketPath);
    release.unshift(() => closeServer(server));
    const url = settings.socketPath === undefined ? urlOf(settings.host, port) : `unix:${resolve(settings.socketPath)}`;
    presence = {
      url: settings.socketPath === undefined ? urlOf(reachableHost(settings.host), port) : url,
      instanceId,
      pid: process.pid,
      storePath,
      storeFiles: [fileIdOf(storePath) ?? ''],
    };
    await writePresence(storePath, presence);
    release.unshift(() => removePresence(storePath, instanceId));
    upkeep.start();
    release.splice(1, 0, () => upkeep.stop());

    let stopped: Promise<void> | undefined;
    return {
      url,
      instanceId,
      storePath,
      retention: settings.retention,
      source,
      reclaim: async () => void (await store.rewrite()),
      stop: () => (stopped ??= releaseAll(release)),
    };
  } catch (error) {
    await releaseAll(release);
    throw error;
  }
}

/**
 * Limit of the log: a small part of what the store may take, because the log counts too. Of small spans, it holds almost one
 * row group. A longer one would fill row groups better, but questions meanwhile take several times as long during the
 * checkpoint, and its content takes memory too.
 */
const MAX_LOG_BYTES = 30_000_000;
const MAX_LOG_SHARE = 0.05;

/** Releases each resource in turn, also after one of them fails. */
async function releaseAll(release: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const letGo of release) {
    try {
      await letGo();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** An address at which commands on this machine reach a back end that listens on `host`. */
function reachableHost(host: string): string {
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
}

interface BackendParts {
  access: Access;
  store: SpanStore;
  upkeep: Upkeep;
  source: ConversationSource;
  budget: MemoryBudget;
  gate: ForegroundGate;
  instanceId: string;
  gone: { clientsGone: number };
}

function routesOf(
  { maxBodyBytes, pageFolder, pageSettings, retention, onNotice }: ResolvedBackendOptions,
  { access, store, upkeep, source, budget, gate, instanceId, gone }: BackendParts,
): Map<string, Route> {
  const receiving: ReceivingOptions = { maxBodyBytes, budget, gate };
  const rejected = { tooOldSpans: 0, futureSpans: 0, foreignBodies: 0, metricsDiscarded: 0, logsDiscarded: 0 };
  const discarded = new Set<string>();
  const discarding = (signal: 'metrics' | 'logs'): Route =>
    droppingRoute(receiving, () => {
      rejected[`${signal}Discarded`] += 1;
      if (discarded.has(signal)) return;
      discarded.add(signal);
      onNotice(`${signal} are accepted and discarded: this back end keeps traces only`);
    });
  return new Map<string, Route>([
    ['/v1/traces', traceRoute(store, upkeep, rejected, receiving)],
    ['/v1/metrics', discarding('metrics')],
    ['/v1/logs', discarding('logs')],
    ...questionRoutes(source, gate),
    [BACKUP_PATH, backupRoute(store)],
    [FORGET_PATH, forgetRoute(store, source)],
    ['/healthz', healthRoute({ instanceId, store, upkeep, retention, budget, rejected, gone })],
    ...(pageFolder === undefined
      ? []
      : pageRoutes(pageFolder, access, {
          source: { kind: 'local', location: store.path },
          takesSpans: true,
          settings: pageSettings,
        })),
  ]);
}
