import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopbackHost } from '../discovery.ts';
import { LocalError } from '../local-error.ts';

/** What a sender may do: send spans, read conversations, delete them. */
const RIGHTS = ['send', 'read', 'delete'] as const;

export type Right = (typeof RIGHTS)[number];

const ALL_RIGHTS: ReadonlySet<Right> = new Set(RIGHTS);
const NO_RIGHTS: ReadonlySet<Right> = new Set();

/** A shorter token could be guessed. */
const MIN_TOKEN_LENGTH = 16;
const COOKIE_NAME = 'convotel';
/** How long a browser stays signed in, in seconds. */
const COOKIE_SECONDS = 30 * 86_400;

interface Token {
  /** SHA-256 of the token, so that all have the same length, which a constant-time comparison needs. */
  hash: Buffer;
  /** What a signed-in browser sends instead of the token; the token cannot be derived from it. */
  cookie: string;
  rights: ReadonlySet<Right>;
}

/** Who may do what. Without tokens, anyone who can reach the server may do everything. */
export class Access {
  readonly #tokens: readonly Token[];

  /**
   * @param text - The contents of a token file: one token per line, optionally preceded by its rights (`read`, or
   *   `send,read`; default: all). Empty lines and lines that begin with `#` are ignored. Undefined: no token is
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

  /** What the sender of a request may do, by its bearer token, the password of its address, or its cookie. */
  rightsOf(headers: IncomingHttpHeaders): ReadonlySet<Right> {
    if (!this.isGuarded) return ALL_RIGHTS;
    const shown = tokenIn(headers.authorization);
    if (shown !== undefined) return this.#find(shown)?.rights ?? NO_RIGHTS;
    const cookie = cookieIn(headers.cookie);
    if (cookie === undefined) return NO_RIGHTS;
    const token = this.#tokens.find((each) => isSame(hashOf(each.cookie), hashOf(cookie)));
    // A signed-in browser only reads; it neither sends nor deletes.
    return token?.rights.has('read') === true ? new Set<Right>(['read']) : NO_RIGHTS;
  }

  /**
   * The header that keeps a browser signed in; undefined when `token` may not read.
   * @param isEncrypted - Whether the browser used https, so that the cookie can be restricted to https.
   */
  signIn(token: string, isEncrypted: boolean): string | undefined {
    const found = this.#find(token);
    if (found?.rights.has('read') !== true) return undefined;
    const secure = isEncrypted ? '; Secure' : '';
    // Lax: a link from a chat opens signed in, but no foreign page can post with the cookie.
    return `${COOKIE_NAME}=${found.cookie}; Path=/; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Lax${secure}`;
  }

  /** Compares with every token, so that the time taken does not reveal which one was close. */
  #find(token: string): Token | undefined {
    const hash = hashOf(token);
    let found: Token | undefined;
    for (const each of this.#tokens) if (isSame(each.hash, hash)) found = each;
    return found;
  }
}

/**
 * Who may ask and send.
 * @throws {@link LocalError} `TOKEN_FILE_MALFORMED`; `TOKEN_MISSING` when other machines can reach `host` and no token
 *   is required
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

/** The token of `Bearer <token>`, or the password of `Basic …`, which is how an address with one is sent. */
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
