import { request as httpRequest } from 'node:http';
import type { ClientRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { AgentOptions, RequestOptions } from 'node:https';
import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { clearTimer, setTimer } from '../settings/timers.ts';
import type { VariableReader } from '../settings/variables.ts';

/**
 * Returns the proxy for `url` from `HTTPS_PROXY` or `HTTP_PROXY`, or undefined if there is none or `NO_PROXY` excludes
 * the host. Lower-case names take precedence, as in curl. An invalid address causes a warning and is ignored.
 */
export function proxyFor(url: URL, variables: VariableReader): URL | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const found = variables.firstOf([name.toLowerCase(), name]);
  if (found === undefined || isExcepted(url, variables.firstOf(['no_proxy', 'NO_PROXY'])?.value ?? ''))
    return undefined;
  const text = found.value.includes('://') ? found.value : `http://${found.value}`;
  const proxy = URL.canParse(text) ? new URL(text) : undefined;
  if (proxy !== undefined && /^https?:$/.test(proxy.protocol) && proxy.hostname !== '') return proxy;
  const value = text.replace(/\/\/[^/@]*@/, '//');
  variables.warnInvalid(
    { name: found.name, value },
    'connections are made without a proxy',
    'Write an http:// or https:// address, for example http://proxy.example:8080.',
  );
  return undefined;
}

/**
 * `NO_PROXY` lists hosts, with or without a port; `example.com` and `.example.com` include subdomains, `*` means all.
 */
function isExcepted(url: URL, list: string): boolean {
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, '');
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = '', onlyPort] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(entry) ?? [];
      if (onlyPort !== undefined && onlyPort !== port) return false;
      const suffix = name.replace(/^\*?\./, '');
      return host === suffix || host.endsWith(`.${suffix}`);
    });
}

/** `Proxy-Authorization` for a proxy with a user name and password in its address. */
function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` };
}

/** Makes a request to the proxy itself, over TLS if its address is https. */
export function requestToProxy(
  proxy: URL,
  options: Omit<RequestOptions, 'headers'>,
  given: Readonly<Record<string, string | number>>,
): ClientRequest {
  const headers = { ...given, ...proxyAuthorization(proxy) };
  // Without the credentials: Node would send those in the address to the back end.
  const address = `${proxy.protocol}//${proxy.host}`;
  return (proxy.protocol === 'https:' ? httpsRequest : httpRequest)(address, { ...options, headers });
}

/** Deadline of the response to CONNECT; the request itself has its own. */
const TUNNEL_DEADLINE_MS = 10_000;

/**
 * Connects to TLS servers through a proxy tunnel (`CONNECT`, RFC 9110). The agent of newer Node.js versions supports
 * this too (`proxyEnv`), but keeps the process alive while the proxy does not answer (22.23). Node.js 20 lacks it.
 */
export class ProxyTunnelAgent extends HttpsAgent {
  readonly #proxy: URL;
  readonly #opening = new Set<ClientRequest>();

  constructor(proxy: URL, options: AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(
    options: RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const done = callback as (error: Error | null, stream?: Duplex) => void;
    const host = String(options.host);
    const target = `${isIPv6(host) ? `[${host}]` : host}:${options.port}`;
    const tunnel = requestToProxy(
      this.#proxy,
      {
        method: 'CONNECT',
        path: target,
        agent: false,
      },
      { host: target },
    );
    this.#opening.add(tunnel);
    const deadline = setTimer(() => tunnel.destroy(new Error('no answer to CONNECT')), TUNNEL_DEADLINE_MS);
    const isOpened = (): void => {
      clearTimer(deadline);
      this.#opening.delete(tunnel);
    };
    tunnel.on('socket', (socket) => socket.unref());
    tunnel.once('connect', ({ statusCode }, socket) => {
      isOpened();
      if (statusCode !== 200) {
        socket.destroy();
        done(new Error(`the proxy ${this.#proxy.host} answered ${statusCode} to CONNECT`));
        return;
      }
      done(
        null,
        connectTls({ ...(options as ConnectionOptions), socket, servername: options.servername ?? options.host ?? '' }),
      );
    });
    // A server that is not a proxy treats CONNECT like any other request.
    tunnel.once('response', (response) => {
      isOpened();
      response.destroy();
      done(new Error(`the proxy ${this.#proxy.host} answered ${response.statusCode} to CONNECT`));
    });
    tunnel.once('error', (error: NodeJS.ErrnoException) => {
      isOpened();
      const reason = error.code === 'ECONNREFUSED' ? 'connection refused (ECONNREFUSED)' : error.message;
      done(new Error(`the proxy ${this.#proxy.host}: ${reason}`, { cause: error }));
    });
    tunnel.end();
    return undefined;
  }

  override destroy(): void {
    for (const tunnel of this.#opening) tunnel.destroy();
    super.destroy();
  }
}
