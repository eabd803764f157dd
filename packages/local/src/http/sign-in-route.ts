import type { Access } from '../access/access.ts';
import { HttpRefusal, readJsonObject, type Route } from './http-answer.ts';

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
      const { token } = await readJsonObject(request, MAX_BODY_BYTES);
      if (typeof token !== 'string') throw new HttpRefusal(400, 'the body has no text "token"');
      const cookie = access.signIn(token, request.headers['x-forwarded-proto'] === 'https');
      if (cookie === undefined) throw new HttpRefusal(401, 'this is not a token that may read here');
      return { contentType: 'application/json', body: '{}', headers: { 'set-cookie': cookie } };
    },
  };
}
