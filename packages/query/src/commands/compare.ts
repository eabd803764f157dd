import { coverageOfBothWindows, coverageOfSameSpans } from '../analytics/combine-coverage.ts';
import { compareWindows } from '../analytics/comparison/compare-windows.ts';
import { COMPARED_RANKS } from '../analytics/comparison/compared-window.ts';
import type { ComparedWindow } from '../analytics/comparison/compared-window.ts';
import { randomFrom } from '../analytics/comparison/random.ts';
import type { ComparisonRow } from '../answers/data.ts';
import type { Report } from '../answers/report.ts';
import { findAll } from '../findings/find-all.ts';
import { RULES_BY_COMMAND } from '../findings/rules-by-command.ts';
import type { Answer } from '../model/coverage.ts';
import type { ConversationFilters } from '../model/window.ts';
import type { Window } from '../model/window.ts';
import type { ConversationSource } from '../questions.ts';
import { formatInstant } from '../time/format-instant.ts';
import { buildReport } from './build-report.ts';
import { checkTimeZone, checkWholeNumber, checkWindow } from './check-options.ts';

/** Fewest resamples that `intervalMs` is promised to rest on. */
const LEAST_RESAMPLES = 2000;

/** What {@link compare} is asked with. */
export interface CompareOptions {
  before: Window;
  after: Window;
  /** IANA zone that times are shown in; it stands in the answer. */
  timeZone: string;
  filters?: ConversationFilters;
  /** How often each side is drawn again for the intervals, at least 2,000. @defaultValue `2000` */
  resamples?: number | undefined;
  /** Start of the random sequence, a whole number: with the same data and seed the answer is the same. @defaultValue `1` */
  seed?: number | undefined;
}

/**
 * The report of `compare`: `window` reaches from the earlier beginning to the later end of the two windows, which
 * stand in `windows`.
 */
export interface ComparisonReport extends Report<'compare', ComparisonRow[]> {
  windows: { before: { since: string; until: string }; after: { since: string; until: string } };
}

/**
 * Each step, and the conversation as a whole, before and after: averages, P50, P95, failure rates, the difference of
 * the averages with its 95 % interval, and whether it is a difference at all. Steps in step order, the row
 * `conversation` last.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function compare(source: ConversationSource, options: CompareOptions): Promise<ComparisonReport> {
  const { before, after, timeZone, filters = {}, resamples = LEAST_RESAMPLES, seed = 1 } = options;
  checkWindow('before', before);
  checkWindow('after', after);
  checkTimeZone(timeZone);
  checkWholeNumber('resamples', resamples, LEAST_RESAMPLES);
  checkWholeNumber('seed', seed, Number.MIN_SAFE_INTEGER);

  const earlier = await readWindow(source, before, filters);
  const later = await readWindow(source, after, filters);
  const rows = compareWindows(earlier.data, later.data, resamples, randomFrom(seed));
  const report = buildReport({
    command: 'compare',
    source,
    window: spanning(before, after),
    timeZone,
    coverage: coverageOfBothWindows(earlier.coverage, later.coverage),
    data: rows,
    findings: findAll(RULES_BY_COMMAND.compare, { rows }),
  });
  return { ...report, windows: { before: inText(before), after: inText(after) } };
}

async function readWindow(
  source: ConversationSource,
  window: Window,
  filters: ConversationFilters,
): Promise<Answer<ComparedWindow>> {
  const statistics = await source.ask({
    name: 'step-statistics',
    window,
    filters,
    quantiles: COMPARED_RANKS,
    timings: false,
  });
  const durations = await source.ask({ name: 'step-durations', window, filters });
  return {
    data: { statistics: statistics.data, durations: durations.data },
    coverage: coverageOfSameSpans(statistics.coverage, durations.coverage),
  };
}

function spanning(before: Window, after: Window): Window {
  return {
    sinceUnixNano: before.sinceUnixNano < after.sinceUnixNano ? before.sinceUnixNano : after.sinceUnixNano,
    untilUnixNano: before.untilUnixNano > after.untilUnixNano ? before.untilUnixNano : after.untilUnixNano,
  };
}

function inText(window: Window): { since: string; until: string } {
  return { since: formatInstant(window.sinceUnixNano), until: formatInstant(window.untilUnixNano) };
}
