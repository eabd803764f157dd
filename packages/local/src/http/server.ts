import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { pipeline } from 'node:stream';
import type { Access, Right } from '../access/access.ts';
import { type SenderRules, checkSender, originHeaders, preflightHeaders } from './check-sender.ts';
import { ClientGone, HttpRefusal, MEDIA_TYPES, type Route, encodingOf, statusBody } from './http-answer.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { LocalError } from '../local-error.ts';

interface ServerSettings {
  host: string;
  /** The port that clients use. Called only after the server has started to listen. */
  port(): number;
  access: Access;
  /** Origins whose pages may query and send spans. */
  allowedOrigins: readonly string[];
  /** Whether the server listens on a Unix socket, whose file permissions determine who can connect. */
  isSocket: boolean;
  budget: MemoryBudget;
  /** Called with unexpected errors, which are answered with 500. */
  onFailure(error: unknown): void;
  /** Called when a client has closed the connection before its request was complete. */
  onClientGone(): void;
}

/** Timeout for receiving a complete request, which usually comes from the same machine. */
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 60_000;
/** A client that takes nothing of its answer for this long is gone; the answer would stay in memory for ever. */
const ANSWER_TIMEOUT_MS = 30_000;
/** A longer answer is kept as bytes only: as a text it would be in memory twice while it is sent. */
const LONG_ANSWER_BYTES = 65_536;

/** Creates a server for `routes`, by path. It does not listen yet. */
export function createHttpServer(routes: ReadonlyMap<string, Route>, settings: ServerSettings): Server {
  const server = createServer({
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: 5_000,
  });
  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    void answer(request, response, routes, settings);
  };
  server.on('request', listen);
  // Without these listeners, Node.js answers 417 to other expectations, and 100 to `100-continue` before a route has
  // accepted the body.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    response.writeContinue();
    listen(request, response);
  });
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: ReadonlyMap<string, Route>,
  settings: ServerSettings,
): Promise<void> {
  // A client that disconnects during the response is not an error.
  response.on('error', () => undefined);
  const rules: SenderRules = {
    ownHost: settings.host,
    port: settings.port(),
    isGuarded: settings.access.isGuarded || settings.isSocket,
    allowedOrigins: settings.allowedOrigins,
  };
  const forOrigin = originHeaders(request.headers.origin, rules);
  try {
    checkSender(request.headers, rules);
    if (request.method === 'OPTIONS' && request.headers.origin !== undefined) {
      response.writeHead(204, preflightHeaders(request.headers.origin, rules)).end();
      return;
    }
    const url = parseUrl(request.url);
    const route = routes.get(url.pathname);
    if (route === undefined) throw new HttpRefusal(404, `nothing is at ${url.pathname}`);
    if (route.method !== (request.method === 'HEAD' ? 'GET' : request.method)) {
      const allow = route.method === 'GET' ? 'GET, HEAD' : route.method;
      throw new HttpRefusal(405, `${url.pathname} takes ${allow}`, { allow });
    }
    const rights = settings.access.rightsOf(request.headers);
    requireRight(rights, route.right);
    const { contentType, body, contentLength, headers } = await route.handle(request, url, rights);
    if (typeof body === 'string' || body instanceof Uint8Array) {
      send(request, response, 200, { 'content-type': contentType, ...headers, ...forOrigin }, body, settings.budget);
    } else {
      response.writeHead(200, {
        ...COMMON_HEADERS,
        ...forOrigin,
        'content-type': contentType,
        'content-length': contentLength,
      });
      response.setTimeout(ANSWER_TIMEOUT_MS);
      // If the client disconnects, the stream is destroyed, and there is nobody to report the error to.
      pipeline(body, response, () => undefined);
    }
  } catch (error) {
    if (error instanceof ClientGone) {
      settings.onClientGone();
      response.destroy();
      return;
    }
    const refusal = error instanceof HttpRefusal ? error : new HttpRefusal(500, 'the back end failed; see its output');
    if (refusal !== error) settings.onFailure(error);
    const encoding = encodingOf(request.headers['content-type']) ?? 'json';
    const headers = { ...refusal.headers, ...forOrigin, 'content-type': MEDIA_TYPES[encoding] };
    send(request, response, refusal.status, headers, statusBody(refusal.status, refusal.message, encoding));
  }
}

/** @throws {@link HttpRefusal} 401 if the sender has no rights, 403 if it has others than `right` */
function requireRight(rights: ReadonlySet<Right>, right: Right | 'none'): void {
  if (right === 'none' || rights.has(right)) return;
  if (rights.size > 0) throw new HttpRefusal(403, `this token may not ${right}: it may ${[...rights].join(' and ')}`);
  throw new HttpRefusal(
    401,
    'this back end asks for a token: send it as `Authorization: Bearer <token>`, or sign in on its page',
    { 'www-authenticate': 'Bearer realm="convotel"' },
  );
}

/** Pages of other origins may not embed a response, and browsers must not guess its content type. */
const COMMON_HEADERS = {
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** @throws {@link HttpRefusal} 503 if the body exceeds `budget` */
function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | string,
  budget?: MemoryBudget,
): void {
  const length = Buffer.byteLength(body);
  if (budget !== undefined) takeFrom(budget, length, response);
  response.setTimeout(ANSWER_TIMEOUT_MS);
  response.writeHead(status, { ...COMMON_HEADERS, ...headers, 'content-length': length });
  const sent = typeof body === 'string' && length > LONG_ANSWER_BYTES ? Buffer.from(body) : body;
  response.end(request.method === 'HEAD' ? undefined : sent);
  // Reads and discards the rest of a rejected body, within the request timeout: if the connection were closed
  // immediately, the response could be lost.
  request.resume();
}

/** Takes the memory of an answer until it is sent, or until the client, too slow where memory is short, is cut off. */
function takeFrom(budget: MemoryBudget, bytes: number, response: ServerResponse): void {
  const lease = budget.lease(() => response.destroy());
  const end = (): void => {
    budget.transferred(lease);
    lease.release();
  };
  try {
    lease.add(bytes);
  } catch (refusal) {
    end();
    throw refusal;
  }
  response.once('close', end);
}

function parseUrl(target: string | undefined): URL {
  try {
    return new URL(target ?? '/', 'http://localhost');
  } catch (error) {
    throw new HttpRefusal(400, 'the request target is not a valid URL', {}, { cause: error });
  }
}

/** How long a server that is stopping waits for requests in progress. */
const STOP_GRACE_MS = 5_000;

/**
 * Starts listening; resolves to the port, which is chosen if `port` is 0. @throws {@link LocalError} `PORT_IN_USE`
 */
export function listen(server: Server, { port, host }: { port: number; host: string }): Promise<number> {
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

/** Stops listening, waits for requests in progress, and aborts them after {@link STOP_GRACE_MS}. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolveClosed) => server.close(() => resolveClosed()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
  await closed;
  clearTimeout(timer);
}

/** The URL of a server. */
export function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * Starts listening on a Unix socket that only its owner can use. Replaces a socket that a killed process left behind.
 * @throws {@link LocalError} `PORT_IN_USE` if another process listens on it, or the file is not a socket
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined) {
    if (!found.isSocket() || (await isListening(path))) {
      const what = found.isSocket() ? 'is in use' : 'is not a socket';
      throw new LocalError('PORT_IN_USE', `${path} ${what}: stop what listens there, or choose another path`);
    }
    rmSync(path);
  }
  // With this umask, other users cannot connect even at the moment when the file is created.
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
