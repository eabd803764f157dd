import type { ConversationSource } from '@convotel/query';
import { guardedAccess } from './access/access.ts';
import type { PageSettings } from './backend-options.ts';
import { closeServer, createHttpServer, listen, urlOf } from './http/server.ts';
import { ForegroundGate } from './http/foreground-gate.ts';
import { MemoryBudget } from './http/memory-budget.ts';
import { pageRoutes } from './http/page-routes.ts';
import { questionRoutes } from './http/api-routes.ts';

/** Most memory for all answers in progress together. */
const MAX_ANSWER_BYTES = 256 * 1024 ** 2;

/** The source that the page shows, and where to serve it. */
export interface PageServerOptions {
  /** Answers the page's questions. The caller closes it. */
  source: ConversationSource;
  /** Folder of the built page. */
  pageFolder: string;
  /** Settings of the page that differ from the defaults. */
  pageSettings?: PageSettings | undefined;
  /** TCP port; `0` picks a free one. @defaultValue `4319` */
  port?: number | undefined;
  /** Address or name to listen on. Anything but loopback needs `tokens`. @defaultValue `127.0.0.1` */
  host?: string | undefined;
  /** The contents of a token file, as for the back end. @defaultValue no token is required */
  tokens?: string | undefined;
  /** Called with what an operator should know, one sentence per call. @defaultValue notices are dropped */
  onNotice?: ((notice: string) => void) | undefined;
}

/** A running page server. */
export interface PageServer {
  /** Where the page is. */
  readonly url: string;
  /** Stops listening and lets requests in progress end. */
  stop(): Promise<void>;
}

/**
 * Shows the page in front of any source, and answers the questions at `/api/v1/` from it. It does not accept spans.
 * @throws `LocalError` `PORT_IN_USE`, `TOKEN_FILE_MALFORMED`, `TOKEN_MISSING`
 */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const {
    source,
    pageFolder,
    pageSettings = {},
    port: askedPort = 4319,
    host = '127.0.0.1',
    tokens,
    onNotice = () => undefined,
  } = options;
  const { kind, location } = source;
  const access = guardedAccess(tokens, host);
  let port = askedPort;
  const routes = new Map([
    ...questionRoutes(source, new ForegroundGate()),
    ...pageRoutes(pageFolder, access, { source: { kind, location }, takesSpans: false, settings: pageSettings }),
  ]);
  const server = createHttpServer(routes, {
    host,
    port: () => port,
    access,
    allowedOrigins: [],
    isSocket: false,
    budget: new MemoryBudget(MAX_ANSWER_BYTES),
    onClientGone: () => undefined,
    onFailure: (error) => onNotice(`a request failed: ${(error as Error).stack ?? String(error)}`),
  });
  port = await listen(server, { port, host });
  return { url: urlOf(host, port), stop: () => closeServer(server) };
}
