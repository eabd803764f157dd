import type { IncomingHttpHeaders } from 'node:http';
import { isLoopbackHost } from '../discovery.ts';
import { HttpRefusal } from './http-answer.ts';

export interface SenderRules {
  /** The host name or address that the server listens on, which is always allowed. */
  ownHost: string;
  port: number;
  /**
   * Whether a token is required. If so, any host name is allowed: a page that uses DNS rebinding has neither the token
   * nor the cookie.
   */
  isGuarded: boolean;
  /** Origins whose pages may query and send, such as `https://app.example.com`. */
  allowedOrigins: readonly string[];
}

/**
 * Rejects requests that a browser sends for a page of another site: with another `Origin`, or with another `Host` that
 * resolves to this machine (DNS rebinding). If such a page embeds a response, the browser sends no `Origin`, but
 * `Sec-Fetch-Site`. Following a link from another site is allowed.
 * @throws {@link HttpRefusal} 403
 */
export function checkSender(headers: IncomingHttpHeaders, rules: SenderRules): void {
  const { host, origin } = headers;
  if (host === undefined || !(rules.isGuarded || isOwn(host, rules))) {
    throw new HttpRefusal(
      403,
      `this back end answers only requests to a loopback address and its own port, such as http://127.0.0.1:${rules.port}; a serve with --token-file answers to any name`,
    );
  }
  if (origin !== undefined && !isOwnOrigin(origin, host, rules) && !isAllowedOrigin(origin, rules)) {
    throw new HttpRefusal(
      403,
      'this back end does not answer pages of other origins; --allow-origin names those that it does',
    );
  }
  const isLinkFollowed = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  const isAllowed = origin !== undefined && isAllowedOrigin(origin, rules);
  if (headers['sec-fetch-site'] === 'cross-site' && !isLinkFollowed && !isAllowed) {
    throw new HttpRefusal(403, 'this back end does not answer pages of other sites');
  }
}

/** CORS headers that let a page of an allowed origin read the response; none for other origins. */
export function originHeaders(origin: string | undefined, rules: SenderRules): Record<string, string> {
  if (origin === undefined || !isAllowedOrigin(origin, rules)) return {};
  return { 'access-control-allow-origin': origin, 'cross-origin-resource-policy': 'cross-origin', vary: 'origin' };
}

/** Headers of the response to a CORS preflight request from an allowed origin. */
export function preflightHeaders(origin: string, rules: SenderRules): Record<string, string> {
  return {
    ...originHeaders(origin, rules),
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'authorization, content-type, content-encoding',
    'access-control-max-age': '7200',
  };
}

function isAllowedOrigin(origin: string, { allowedOrigins }: SenderRules): boolean {
  return allowedOrigins.includes(origin.toLowerCase());
}

function isOwnOrigin(origin: string, host: string, rules: SenderRules): boolean {
  const authority = /^https?:\/\/(.+)$/i.exec(origin)?.[1];
  if (authority === undefined) return false;
  // Behind an https proxy, the origin of our page has the host name in the request's `Host`.
  if (rules.isGuarded) return authority.toLowerCase() === host.toLowerCase();
  return origin.startsWith('http://') && isOwn(authority, rules);
}

/**
 * Whether `authority`, a host with or without a port, is our port on our own host or on a loopback name or address.
 */
function isOwn(authority: string, { ownHost, port }: SenderRules): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i.exec(authority);
  if (match === null) return false;
  const host = match[1]!.toLowerCase();
  return Number(match[2] ?? 80) === port && (isLoopbackHost(host) || host === bracketed(ownHost.toLowerCase()));
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
