import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import type { ConversationSource } from '@convotel/query';
import {
  resolveBackendOptions,
  type LocalBackendOptions,
  type ResolvedBackendOptions,
  type RetentionOptions,
} from './backend-options.ts';
import { removePresence, writePresence } from './discovery/presence-file.ts';
import { createHttpServer, type Route } from './http/create-server.ts';
import { Precedence } from './http/precedence.ts';
import { questionRoutes } from './http/question-route.ts';
import { droppingRoute, traceRoute } from './http/trace-route.ts';
import { LocalError } from './local-error.ts';
import type { SpanStore } from './store/span-store.ts';

/** Requests in progress get this long to end when the back end stops. */
const STOP_GRACE_MS = 5_000;

/** A running embedded back end. */
export interface LocalBackend {
  /** Where it answers, such as `http://127.0.0.1:4318`; senders add `/v1/traces` themselves. */
  readonly url: string;
  /** Random, new with every start. */
  readonly instanceId: string;
  /** Absolute path of the store. */
  readonly storePath: string;
  /** What is deleted when, with the defaults filled in. */
  readonly retention: Required<RetentionOptions>;
  /** Answers questions from the store without HTTP; it is closed by {@link LocalBackend.stop}. */
  readonly source: ConversationSource;
  /** Stops listening, lets requests in progress end, and closes the store. Stopping twice is stopping once. */
  stop(): Promise<void>;
}

/**
 * Starts the embedded back end: takes spans over OTLP/HTTP at `/v1/traces` (JSON and protobuf, gzip), keeps them in
 * DuckDB, and answers the questions at `/api/v1/`. Metrics and logs are taken and dropped.
 *
 * Spans are answered 200 only after they are on disk, and 503 while they cannot be kept.
 * @throws {@link LocalError} `PORT_IN_USE`, `STORE_LOCKED`, `STORE_UNREADABLE`, `OPTION_OUT_OF_RANGE`
 */
export async function startLocalBackend(options: LocalBackendOptions): Promise<LocalBackend> {
  const settings = resolveBackendOptions(options);
  const storePath = resolve(settings.storePath);
  const { SpanStore } = await import('./store/span-store.ts');
  const { DuckDbSource } = await import('./source/duckdb-source.ts');
  const { startRetention } = await import('./store/retention.ts');
  const store = await SpanStore.open(storePath, { memoryLimitBytes: settings.storeMemoryBytes });
  const source = new DuckDbSource(storePath, { lend: (use) => store.read(use), close: async () => undefined });
  const instanceId = randomUUID();
  let port = settings.port;
  const server = createHttpServer(routesOf(settings, store, source, instanceId), {
    host: settings.host,
    port: () => port,
    onFailure: (error) => settings.onNotice(`a request failed: ${(error as Error).stack ?? String(error)}`),
  });
  try {
    port = await listen(server, settings);
  } catch (error) {
    await store.close();
    throw error;
  }
  const url = `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${port}`;
  await writePresence(storePath, { url, instanceId, pid: process.pid });
  const retention = startRetention(store, settings.retention, settings.retentionIntervalMs, settings.onNotice);

  const stop = async (): Promise<void> => {
    await removePresence(storePath, instanceId);
    await retention.stop();
    await closeServer(server);
    await store.close();
  };
  let stopped: Promise<void> | undefined;
  return {
    url,
    instanceId,
    storePath,
    retention: settings.retention,
    source,
    stop: () => (stopped ??= stop()),
  };
}

function routesOf(
  { maxBodyBytes, onNotice }: ResolvedBackendOptions,
  store: SpanStore,
  source: ConversationSource,
  instanceId: string,
): Map<string, Route> {
  const precedence = new Precedence();
  const dropped = new Set<string>();
  const dropping = (signal: string): Route =>
    droppingRoute(maxBodyBytes, () => {
      if (dropped.has(signal)) return;
      dropped.add(signal);
      onNotice(`${signal} are taken and dropped: this back end keeps traces only`);
    });
  return new Map<string, Route>([
    ['/v1/traces', traceRoute(store, maxBodyBytes, precedence)],
    ['/v1/metrics', dropping('metrics')],
    ['/v1/logs', dropping('logs')],
    ...questionRoutes(source, precedence),
    ['/healthz', healthRoute(store, instanceId)],
  ]);
}

/** `GET /healthz`: that it runs, which one it is, and what it has done since it started. */
function healthRoute(store: SpanStore, instanceId: string): Route {
  return {
    method: 'GET',
    handle: async () => ({
      contentType: 'application/json',
      body: JSON.stringify({ status: 'ok', instanceId, storePath: store.path, ...store.counts() }),
    }),
  };
}

function listen(server: Server, { port, host }: ResolvedBackendOptions): Promise<number> {
  return new Promise((resolvePort, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') {
        reject(error);
        return;
      }
      const message = `port ${port} of ${host} is in use: stop what listens there, or choose another port (--port 0 picks one)`;
      reject(new LocalError('PORT_IN_USE', message, { cause: error }));
    });
    server.listen(port, host, () => resolvePort((server.address() as AddressInfo).port));
  });
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolveClosed) => server.close(() => resolveClosed()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
  await closed;
  clearTimeout(timer);
}
