import { existsSync, readFileSync, readdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Access } from '../access/access.ts';
import type { PageSettings } from '../backend-options.ts';
import { type HttpAnswer, HttpRefusal, type Route, readJsonObject } from './http-answer.ts';

/** What the page is told about the server. */
interface PageFacts {
  /** The source that answers the questions. */
  source: { kind: string; location: string };
  /** Whether programs may send spans to the same address. */
  takesSpans: boolean;
  settings: PageSettings;
}

/** Path that serves the {@link PageFacts}. */
const PAGE_FACTS_PATH = '/page/about.json';

/** The page loads only files and data from its own origin, and cannot be framed. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE_HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
} as const;

const MEDIA_TYPE_BY_ENDING: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * Routes for the page at `/`, its other files, and its {@link PageFacts}; `folder` contains the built page. The files
 * contain no secrets, so they need no token.
 */
export function pageRoutes(folder: string, access: Access, facts: PageFacts): [path: string, route: Route][] {
  const hasPage = existsSync(join(folder, 'index.html'));
  const about = JSON.stringify(facts);
  return [
    ...(hasPage ? fileRoutes(folder) : [['/', missingPage(folder)] as [string, Route]]),
    [SIGN_IN_PATH, signInRoute(access)],
    [
      PAGE_FACTS_PATH,
      { method: 'GET', right: 'read', handle: async () => ({ contentType: 'application/json', body: about }) },
    ],
  ];
}

function fileRoutes(folder: string): [path: string, route: Route][] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }): [string, Route] => {
    const path = join(parentPath, name);
    const place = path.slice(folder.length).replaceAll('\\', '/').replace(/^\/*/, '/');
    return [place === '/index.html' ? '/' : place, fileRoute(path, place)];
  });
}

/** Used if the page is not built: the server still answers questions, and `/` explains what is missing. */
function missingPage(folder: string): Route {
  return {
    method: 'GET',
    right: 'none',
    handle: async () => {
      throw new HttpRefusal(404, `the page is not in ${folder}: install convotel again, or run \`npm run build\``);
    },
  };
}

function fileRoute(path: string, place: string): Route {
  const contentType = MEDIA_TYPE_BY_ENDING[extname(path)] ?? 'application/octet-stream';
  // The names of files in `assets` contain a hash of their content, so browsers can cache them forever.
  const cacheControl = place.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
  let known: { plain: Buffer; gzipped: Buffer } | undefined;
  return {
    method: 'GET',
    right: 'none',
    handle: async (request): Promise<HttpAnswer> => {
      if (known === undefined) {
        const plain = readFileSync(path);
        known = { plain, gzipped: gzipSync(plain, { level: 9 }) };
      }
      const headers = { ...PAGE_HEADERS, 'cache-control': cacheControl, vary: 'accept-encoding' };
      return takesGzip(request)
        ? { contentType, body: known.gzipped, headers: { ...headers, 'content-encoding': 'gzip' } }
        : { contentType, body: known.plain, headers };
    },
  };
}

function takesGzip(request: IncomingMessage): boolean {
  const accepted = String(request.headers['accept-encoding'] ?? '');
  return /(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))|,|$)/i.test(accepted);
}

/** Path to which the page sends the token. */
const SIGN_IN_PATH = '/page/sign-in';

/** The body contains a token, which is short. */
const MAX_BODY_BYTES = 4096;

/**
 * `POST /page/sign-in` with `{"token": …}`: sets a cookie. Only JSON is accepted, because a form on a page of another
 * origin cannot send it.
 */
function signInRoute(access: Access): Route {
  return {
    method: 'POST',
    right: 'none',
    async handle(request) {
      const { token } = await readJsonObject(request, MAX_BODY_BYTES);
      if (typeof token !== 'string') throw new HttpRefusal(400, 'the body has no string "token"');
      const cookie = access.signIn(token, request.headers['x-forwarded-proto'] === 'https');
      if (cookie === undefined) throw new HttpRefusal(401, 'this token is unknown or may not read');
      return { contentType: 'application/json', body: '{}', headers: { 'set-cookie': cookie } };
    },
  };
}
