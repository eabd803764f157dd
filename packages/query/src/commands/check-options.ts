import { isConversationId, MAX_CONVERSATION_ID_LENGTH } from '@convotel/conventions';
import type { SingleOptions, WindowedOptions } from '../answers/options.ts';
import { QueryError } from '../answers/query-error.ts';
import type { Window } from '../model/window.ts';
import { MAX_QUESTION_LIMIT } from '../questions.ts';
import { isTimeZone } from '../time/zone-offset.ts';

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` unless the window is not empty and the zone is one. */
export function checkWindowed(options: WindowedOptions): void {
  checkWindow('window', options.window);
  checkTimeZone(options.timeZone);
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` unless the id can be one and the zone is one. */
export function checkSingle(options: SingleOptions): void {
  if (!isConversationId(options.conversationId)) {
    throw outOfRange(
      `conversationId must be a text of 1 to ${MAX_CONVERSATION_ID_LENGTH} characters; "recent" lists the ids there are`,
    );
  }
  checkTimeZone(options.timeZone);
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` unless `window.since` is before `window.until`. */
export function checkWindow(name: string, window: Window): void {
  if (window.sinceUnixNano >= window.untilUnixNano) {
    throw outOfRange(`${name} is empty: it must begin before it ends; choose an earlier beginning or a later end`);
  }
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` unless `timeZone` is an IANA zone. */
export function checkTimeZone(timeZone: string): void {
  if (!isTimeZone(timeZone)) {
    throw outOfRange(`timeZone must be an IANA zone such as Europe/Berlin, got ${JSON.stringify(timeZone)}`);
  }
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` unless `value` is a whole number in `[least, most]`. */
export function checkWholeNumber(name: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw outOfRange(`${name} must be a whole number ${rangeText(least, most)}, got ${value}`);
  }
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` unless `limit` is a number of rows that every source can hand over. */
export function checkLimit(limit: number): void {
  checkWholeNumber('limit', limit, 1, MAX_QUESTION_LIMIT);
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` unless `value` is a number in `[least, most]`. */
export function checkNumber(name: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (!(value >= least && value <= most)) {
    throw outOfRange(`${name} must be a number ${rangeText(least, most)}, got ${value}`);
  }
}

function rangeText(least: number, most: number): string {
  return most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
}

function outOfRange(message: string): QueryError {
  return new QueryError('OPTION_OUT_OF_RANGE', message);
}
