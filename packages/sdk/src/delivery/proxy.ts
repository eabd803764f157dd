import { request } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AgentOptions, RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment names for `url`: `HTTPS_PROXY` or `HTTP_PROXY`, unless `NO_PROXY` excepts the host.
 * Lower-case names win, as curl has it. Undefined when there is none, or its address cannot be read.
 */
export function proxyFor(url: URL, variables: Variables): URL | undefined {
  const name = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const address = (variables[name] ?? variables[name.toUpperCase()] ?? '').trim();
  if (address === '' || isExcepted(url, variables['no_proxy'] ?? variables['NO_PROXY'] ?? '')) return undefined;
  const text = address.includes('://') ? address : `http://${address}`;
  if (!URL.canParse(text)) return undefined;
  const proxy = new URL(text);
  return proxy.protocol === 'http:' ? proxy : undefined;
}

/** `NO_PROXY` lists hosts, with a port or not; `example.com` and `.example.com` except what lies below too, `*` all. */
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

/** The header for a proxy whose address carries a user and a password. */
export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` };
}

/** Connects to servers by TLS through a tunnel that an HTTP proxy opens (`CONNECT`, RFC 9110). */
export class ProxyTunnelAgent extends HttpsAgent {
  readonly #proxy: URL;

  constructor(proxy: URL, options: AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(
    options: RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const done = callback as (error: Error | null, stream?: Duplex) => void;
    const target = `${options.host}:${options.port}`;
    const tunnel = request(this.#proxy, {
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...proxyAuthorization(this.#proxy) },
      agent: false,
    });
    tunnel.on('socket', (socket) => socket.unref());
    tunnel.once('connect', ({ statusCode }, socket) => {
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
    tunnel.once('error', (error) =>
      done(new Error(`the proxy ${this.#proxy.host}: ${error.message}`, { cause: error })),
    );
    tunnel.end();
    return undefined;
  }
}
