import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopbackHost } from '../discovery.ts';
import { LocalError } from '../local-error.ts';

/** Rights of a sender: send spans, read conversations, delete conversations. */
const RIGHTS = ['send', 'read', 'delete'] as const;

export type Right = (typeof RIGHTS)[number];

const ALL_RIGHTS: ReadonlySet<Right> = new Set(RIGHTS);
const NO_RIGHTS: ReadonlySet<Right> = new Set();

/** A shorter token could be found by brute force. */
const MIN_TOKEN_LENGTH = 16;
const COOKIE_NAME = 'convotel';
/** How long a browser stays signed in, in seconds. */
const COOKIE_SECONDS = 30 * 86_400;

interface Token {
  /** SHA-256 of the token, because a constant-time comparison needs equal lengths. */
  hash: Buffer;
  /** The cookie of a signed-in browser. The token cannot be derived from it. */
  cookie: string;
  rights: ReadonlySet<Right>;
}

/** Access control by tokens. Without tokens, anyone who can reach the server has all rights. */
export class Access {
  readonly #tokens: readonly Token[];

  /**
   * @param text - The contents of a token file: one token per line, optionally preceded by its rights (`read`, or
   *   `send,read`; default: all). Empty lines and lines that begin with `#` are ignored. If undefined, no token is
   *   required.
   * @throws {@link LocalError} `TOKEN_FILE_MALFORMED`
   */
  constructor(text?: string) {
    this.#tokens = text === undefined ? [] : parseTokens(text);
  }

  /** Whether a token is required. */
  get isGuarded(): boolean {
    return this.#tokens.length > 0;
  }

  /** The rights of a request, from its bearer token, its basic-authentication password, or its cookie. */
  rightsOf(headers: IncomingHttpHeaders): ReadonlySet<Right> {
    if (!this.isGuarded) return ALL_RIGHTS;
    const shown = tokenIn(headers.authorization);
    if (shown !== undefined) return this.#find(shown)?.rights ?? NO_RIGHTS;
    const cookie = cookieIn(headers.cookie);
    if (cookie === undefined) return NO_RIGHTS;
    const token = this.#tokens.find((each) => isSame(hashOf(each.cookie), hashOf(cookie)));
    // A signed-in browser may only read.
    return token?.rights.has('read') === true ? new Set<Right>(['read']) : NO_RIGHTS;
  }

  /**
   * The `Set-Cookie` header that signs a browser in; undefined if `token` may not read.
   * @param isEncrypted - Whether the browser uses https; the cookie is then restricted to https.
   */
  signIn(token: string, isEncrypted: boolean): string | undefined {
    const found = this.#find(token);
    if (found?.rights.has('read') !== true) return undefined;
    const secure = isEncrypted ? '; Secure' : '';
    // Lax: the user is signed in when following a link from another site, but other sites cannot post with the cookie.
    return `${COOKIE_NAME}=${found.cookie}; Path=/; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Lax${secure}`;
  }

  /** Compares with every token in constant time. */
  #find(token: string): Token | undefined {
    const hash = hashOf(token);
    let found: Token | undefined;
    for (const each of this.#tokens) if (isSame(each.hash, hash)) found = each;
    return found;
  }
}

/**
 * Creates the access control for a server that listens on `host` or `socketPath`.
 * @throws {@link LocalError} `TOKEN_FILE_MALFORMED`; `TOKEN_MISSING` if other machines can reach `host` and there
 *   are no tokens
 */
export function guardedAccess(tokens: string | undefined, host: string, socketPath?: string): Access {
  const access = new Access(tokens);
  const isPrivate = socketPath !== undefined || isLoopbackHost(host === '::1' ? '[::1]' : host.toLowerCase());
  if (access.isGuarded || isPrivate) return access;
  throw new LocalError(
    'TOKEN_MISSING',
    `${host} can be reached from other machines, and anyone who can reach the port could read every conversation. Give a token file (--token-file), or listen on 127.0.0.1 or a Unix socket (--socket).`,
  );
}

function parseTokens(text: string): Token[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const tokens = lines.flatMap((line, index): Token[] => {
    if (line === '' || line.startsWith('#')) return [];
    const words = line.split(/\s+/);
    const token = words.at(-1)!;
    if (words.length > 2) throw malformed(`line ${index + 1} has more than rights and a token`);
    if (token.length < MIN_TOKEN_LENGTH) {
      throw malformed(`the token in line ${index + 1} has fewer than ${MIN_TOKEN_LENGTH} characters`);
    }
    const cookie = createHmac('sha256', token).update('convotel page').digest('base64url');
    return [{ hash: hashOf(token), cookie, rights: words.length === 1 ? ALL_RIGHTS : parseRights(words[0]!, index) }];
  });
  if (tokens.length === 0) throw malformed('it contains no tokens');
  return tokens;
}

function parseRights(text: string, index: number): ReadonlySet<Right> {
  return new Set(
    text.split(',').map((word) => {
      const right = RIGHTS.find((each) => each === word);
      if (right === undefined)
        throw malformed(`line ${index + 1} has "${word}", which is not a right; the rights are ${RIGHTS.join(', ')}`);
      return right;
    }),
  );
}

function malformed(what: string): LocalError {
  return new LocalError(
    'TOKEN_FILE_MALFORMED',
    `the token file cannot be used: ${what}. Write one token per line, for example the output of \`openssl rand -hex 32\`.`,
  );
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function isSame(one: Buffer, other: Buffer): boolean {
  return timingSafeEqual(one, other);
}

/** The token in `Bearer <token>`, or the password in `Basic …`, which clients send for a URL with credentials. */
function tokenIn(authorization: string | undefined): string | undefined {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+)$/.exec(authorization ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return undefined;
  return Buffer.from(value, 'base64')
    .toString('utf8')
    .replace(/^[^:]*:/, '');
}

function cookieIn(cookies: string | undefined): string | undefined {
  for (const cookie of (cookies ?? '').split(';')) {
    const [name, value] = cookie.trim().split('=', 2);
    if (name === COOKIE_NAME) return value;
  }
  return undefined;
}
