import type { IncomingHttpHeaders } from 'node:http';
import { isLoopbackHost } from '../discovery/presence-file.ts';
import { HttpRefusal } from './http-answer.ts';

/**
 * Refuses requests that a foreign page made a browser send, with its own name (a foreign `Origin`) or under a name of
 * its own that resolves to this machine (DNS rebinding, a foreign `Host`). A browser that shows an answer inside a foreign
 * page sends no `Origin`, but says where the request comes from.
 * @param ownHost - The host name or address that was asked to be listened on, which is never foreign.
 * @throws {@link HttpRefusal} 403
 */
export function checkSender(headers: IncomingHttpHeaders, ownHost: string, port: number): void {
  const { host, origin } = headers;
  if (host === undefined || !isOwn(host, ownHost, port)) {
    throw new HttpRefusal(403, 'this back end answers only requests to a loopback address and its own port');
  }
  if (origin !== undefined && !(origin.startsWith('http://') && isOwn(origin.slice('http://'.length), ownHost, port))) {
    throw new HttpRefusal(403, 'this back end does not answer pages of other origins');
  }
  if (headers['sec-fetch-site'] === 'cross-site') {
    throw new HttpRefusal(403, 'this back end does not answer pages of other sites');
  }
}

/** Whether `authority`, a host with or without a port, is a loopback name or address, or `ownHost`, with `port`. */
function isOwn(authority: string, ownHost: string, port: number): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i.exec(authority);
  if (match === null) return false;
  const host = match[1]!.toLowerCase();
  return Number(match[2] ?? 80) === port && (isLoopbackHost(host) || host === bracketed(ownHost.toLowerCase()));
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
