import type { IncomingMessage } from 'node:http';
import type { Access } from '../access/access.ts';
import { HttpRefusal, type Route } from './http-answer.ts';

/** Where the page sends the token. */
export const SIGN_IN_PATH = '/page/sign-in';

/** A token is short; nothing else comes here. */
const MAX_BODY_BYTES = 4096;

/**
 * `POST /page/sign-in` with `{"token": …}`: answers with a cookie. Only JSON is taken, which a form of a foreign page
 * cannot send.
 */
export function signInRoute(access: Access): Route {
  return {
    method: 'POST',
    right: 'none',
    async handle(request) {
      if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
        throw new HttpRefusal(415, 'the content type must be application/json');
      }
      const cookie = access.signIn(await readToken(request), request.headers['x-forwarded-proto'] === 'https');
      if (cookie === undefined) throw new HttpRefusal(401, 'this is not a token that may read here');
      return { contentType: 'application/json', body: '{}', headers: { 'set-cookie': cookie } };
    },
  };
}

async function readToken(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > MAX_BODY_BYTES) throw new HttpRefusal(413, `the body is larger than ${MAX_BODY_BYTES} bytes`);
  }
  try {
    const { token } = JSON.parse(text) as { token?: unknown };
    if (typeof token === 'string') return token;
  } catch (error) {
    throw new HttpRefusal(400, 'the body is not valid JSON', {}, { cause: error });
  }
  throw new HttpRefusal(400, 'the body has no text "token"');
}
