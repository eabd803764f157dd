import { isConversationId, MAX_CONVERSATION_ID_LENGTH } from '@convotel/conventions';
import type { ConversationFilters } from '../model/window.ts';
import type { Window } from '../model/window.ts';
import { QueryError } from '../query-error.ts';
import { MAX_QUESTION_LIMIT } from '../questions.ts';
import { isTimeZone } from '../time/time-zone.ts';

/** What every answer about many conversations is asked with. */
export interface WindowedOptions {
  window: Window;
  /** IANA zone that times are shown and hours are counted in; it stands in the report. */
  timeZone: string;
  filters?: ConversationFilters | undefined;
}

/** What every answer about one conversation is asked with. */
export interface SingleOptions {
  conversationId: string;
  /** IANA zone that times are shown in; it stands in the report. */
  timeZone: string;
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` when the window is empty or the zone unknown. */
export function checkWindowed(options: WindowedOptions): void {
  checkWindow('window', options.window);
  checkTimeZone(options.timeZone);
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` when there can be no such id or the zone is unknown. */
export function checkSingle(options: SingleOptions): void {
  if (!isConversationId(options.conversationId)) {
    throw outOfRange(
      `conversationId must be a text of 1 to ${MAX_CONVERSATION_ID_LENGTH} characters; "recent" lists the newest ids`,
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

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` unless `value` is a whole number in `[min, max]`. */
export function checkWholeNumber(name: string, value: number, min: number, max = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw outOfRange(`${name} must be a whole number ${rangeText(min, max)}, got ${value}`);
  }
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` unless every source can return `limit` rows. */
export function checkLimit(limit: number): void {
  checkWholeNumber('limit', limit, 1, MAX_QUESTION_LIMIT);
}

/** @throws {@link QueryError} `OPTION_OUT_OF_RANGE` unless `value` is a number in `[min, max]`. */
export function checkNumber(name: string, value: number, min: number, max = Number.MAX_SAFE_INTEGER): void {
  if (!(value >= min && value <= max)) {
    throw outOfRange(`${name} must be a number ${rangeText(min, max)}, got ${value}`);
  }
}

function rangeText(min: number, max: number): string {
  return max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
}

function outOfRange(message: string): QueryError {
  return new QueryError('OPTION_OUT_OF_RANGE', message);
}
