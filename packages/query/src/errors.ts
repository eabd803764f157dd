import { codedError } from '@convotel/conventions';
import type { ErrorCodeOf } from '@convotel/conventions';

/** A question that cannot be answered although its source can be reached. The message says what to do next. */
export class QueryError extends codedError('QueryError') {}

/** Codes of {@link QueryError}. */
export type QueryErrorCode = ErrorCodeOf<'QueryError'>;

/** Why a source could not answer. The message says what happened, why, and what to do next. */
export class SourceError extends codedError('SourceError') {}

/** Codes of {@link SourceError}. */
export type SourceErrorCode = ErrorCodeOf<'SourceError'>;

/** Longest piece of an answer that an error message quotes, in UTF-16 code units. */
const MAX_QUOTED_LENGTH = 200;

/** The beginning of what a server has answered, quoted. */
export function quoteAnswer(text: string): string {
  const start = text.slice(0, MAX_QUOTED_LENGTH).trim();
  return JSON.stringify(text.length > MAX_QUOTED_LENGTH ? `${start}…` : start);
}

/** What a server has said in a `google.rpc.Status`, quoted, such as the refusals of `convotel serve`; undefined for another body. */
export function quoteStatus(text: string): { code: number; quoted: string } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { code, message } = value as Readonly<Record<string, unknown>>;
    return typeof code === 'number' && typeof message === 'string' ? { code, quoted: quoteAnswer(message) } : undefined;
  } catch {
    // The caller quotes the body instead.
    return undefined;
  }
}

/**
 * An address as answers, messages and logs may show it: without name, password, query and fragment, each of which may
 * hold a secret. What is not a valid address loses them too, as far as they can be told.
 */
export function shownAddress(address: string): string {
  if (!URL.canParse(address))
    return address.replace(/[?#].*$/s, '').replace(/^([a-z][a-z\d+.-]*:)?(\/\/)?.*@/is, '$1$2');
  const url = new URL(address);
  if (url.username + url.password + url.search + url.hash === '' && !/[@?#]/.test(address)) return address;
  url.username = url.password = url.search = url.hash = '';
  return url.href.replace(/\/+$/, '');
}

/** The header `authorization` for the name and password in an address; none where it has neither. */
export function authorizationFor({ username, password }: URL): { authorization?: string } {
  if (username === '' && password === '') return {};
  const bytes = new TextEncoder().encode(`${decoded(username)}:${decoded(password)}`);
  return { authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

/** A per cent sign that begins no escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
