import { isConversationId, MAX_CONVERSATION_ID_LENGTH } from '@convotel/conventions';
import type { Finding } from '../findings/finding.ts';
import type { Coverage, Warning } from '../model/coverage.ts';
import type { ConversationFilters, Window } from '../model/window.ts';
import { QueryError } from '../query-error.ts';
import { MAX_QUESTION_LIMIT } from '../questions.ts';
import type { ConversationSource, SourceKind } from '../questions.ts';
import { formatInstant, isTimeZone } from '../time/instant.ts';

/**
 * What every answer returns and `--json` prints: a contract with users, which only grows.
 *
 * In `data`, times are RFC 3339 in UTC with 6 decimals, `…Ms` are milliseconds, `…Pct` percentages rounded to two
 * decimals (halves away from zero); nothing else is rounded. What is unknown is absent.
 */
export interface Report<Command extends string, Data> {
  command: Command;
  /** What the rows are grouped by, as it was asked for; absent where they are not. */
  by?: string;
  /** Only `timeZone` on answers without a window. */
  window: { since?: string; until?: string; timeZone: string };
  source: { kind: SourceKind; location: string };
  coverage: Coverage;
  data: Data;
  findings: Finding[];
}

/** What the report of one answer is made of. */
export interface ReportParts<Command extends string, Data> {
  command: Command;
  by?: string | undefined;
  source: ConversationSource;
  /** Absent on answers without a window. */
  window?: Window | undefined;
  timeZone: string;
  coverage: Coverage;
  data: Data;
  findings?: Finding[];
}

/** Puts an answer into the report that every command returns. */
export function buildReport<Command extends string, Data>(parts: ReportParts<Command, Data>): Report<Command, Data> {
  const { command, by, source, window, timeZone, coverage, data, findings = [] } = parts;
  return {
    command,
    ...(by !== undefined && { by }),
    window: window === undefined ? { timeZone } : { ...windowInText(window), timeZone },
    source: { kind: source.kind, location: source.location },
    coverage,
    data,
    findings,
  };
}

/** Both ends of `window` as reports write them. */
export function windowInText(window: Window): { since: string; until: string } {
  return { since: formatInstant(window.sinceUnixNano), until: formatInstant(window.untilUnixNano) };
}

/**
 * The coverage of an answer that several questions about the same spans were asked for: the counts of the first,
 * complete when all were, every warning once.
 */
export function coverageOfSameSpans(first: Coverage, ...others: readonly Coverage[]): Coverage {
  const all = [first, ...others];
  return {
    conversations: first.conversations,
    spans: first.spans,
    complete: all.every(({ complete }) => complete),
    warnings: warningsOnce(all),
  };
}

/** `coverage` with these warnings too. */
export function withWarnings(coverage: Coverage, warnings: readonly Warning[] = []): Coverage {
  return { ...coverage, warnings: [...coverage.warnings, ...warnings] };
}

/** Every warning of all of these, each once. */
export function warningsOnce(coverages: readonly Coverage[]): Warning[] {
  return [...new Map(coverages.flatMap(({ warnings }) => warnings.map((each) => [each.text, each] as const))).values()];
}

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
