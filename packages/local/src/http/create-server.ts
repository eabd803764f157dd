import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import type { Access } from '../access/access.ts';
import type { Right } from '../access/rights.ts';
import { checkSender, originHeaders, preflightHeaders, type SenderRules } from './check-sender.ts';
import { ClientGone, encodingOf, HttpRefusal, MEDIA_TYPES, type Route, statusBody } from './http-answer.ts';
import type { MemoryBudget } from './memory-budget.ts';

/** What the server is told beside its routes. */
export interface ServerSettings {
  host: string;
  /** The port that clients name, once it is known. */
  port(): number;
  access: Access;
  /** Origins whose pages may ask and send. */
  allowedOrigins: readonly string[];
  /** Whether it listens on a Unix socket, whose file decides who reaches it. */
  isSocket: boolean;
  budget: MemoryBudget;
  /** Hears of failures that no request caused. */
  onFailure(error: unknown): void;
  /** Hears that a client closed its connection before its request was complete. */
  onClientGone(): void;
}

/** A request must be there whole within this time; it comes from the same machine. */
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 60_000;

/** Creates a server, not listening yet, that answers `routes` by path and everything else with a refusal. */
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
  // Without a listener Node answers 417 to any other expectation, and 100 to `100-continue` before the body is wanted.
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
  // A client that goes away while it is answered is not a failure.
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
      // Where the client goes away, the stream is destroyed; there is nobody to be told.
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

/** @throws {@link HttpRefusal} 401 for a sender without any right, 403 for one that lacks `right` */
function requireRight(rights: ReadonlySet<Right>, right: Right | 'none'): void {
  if (right === 'none' || rights.has(right)) return;
  if (rights.size > 0) throw new HttpRefusal(403, `this token may not ${right}: it may ${[...rights].join(' and ')}`);
  throw new HttpRefusal(
    401,
    'this back end asks for a token: send it as `Authorization: Bearer <token>`, or sign in on its page',
    { 'www-authenticate': 'Bearer realm="convotel"' },
  );
}

/** Pages of other origins may neither read an answer nor show it as something that it is not. */
const COMMON_HEADERS = {
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** @throws {@link HttpRefusal} 503 when `budget` has no memory left for the body */
function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | string,
  budget?: MemoryBudget,
): void {
  const length = Buffer.byteLength(body);
  const lease = budget?.lease();
  lease?.add(length);
  response.once('close', () => lease?.release());
  response.writeHead(status, { ...COMMON_HEADERS, ...headers, 'content-length': length });
  response.end(request.method === 'HEAD' ? undefined : body);
  // What is left of a refused body is read and dropped, within the time for a request: closing at once would take the
  // answer from the client together with the connection.
  request.resume();
}

function parseUrl(target: string | undefined): URL {
  try {
    return new URL(target ?? '/', 'http://localhost');
  } catch (error) {
    throw new HttpRefusal(400, 'the request target is not a valid URL', {}, { cause: error });
  }
}
