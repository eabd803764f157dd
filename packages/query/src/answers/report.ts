import type { Finding } from '../findings/finding.ts';
import type { Coverage, Warning } from '../model/coverage.ts';
import type { Window } from '../model/window.ts';
import type { ConversationSource, SourceKind } from '../questions.ts';
import { formatInstant } from '../time/instant.ts';

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
