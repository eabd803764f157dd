import { findAll } from '../../findings/finding.ts';
import type { Answer, Coverage } from '../../model/coverage.ts';
import type { ConversationFilters } from '../../model/window.ts';
import type { Window } from '../../model/window.ts';
import type { ConversationSource } from '../../questions.ts';
import { randomFrom } from '../../seeded-random.ts';
import { checkTimeZone, checkWholeNumber, checkWindow } from '../options.ts';
import { buildReport, coverageOfSameSpans, windowInText } from '../report.ts';
import type { Report } from '../report.ts';
import { compareRules } from './compare-findings.ts';
import { compareWindows } from './compare-windows.ts';
import type { ComparisonRow } from './compare-windows.ts';
import { COMPARED_PROBABILITIES } from './compared-sides.ts';
import type { ComparedWindow } from './compared-sides.ts';

/** The fewest resamples that `intervalMs` may rest on. */
const MIN_RESAMPLES = 2000;

/** What {@link compare} is asked with. */
export interface CompareOptions {
  before: Window;
  after: Window;
  /** IANA zone that times are shown in; it stands in the report. */
  timeZone: string;
  filters?: ConversationFilters | undefined;
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
 * `conversation` last. Coverage counts what lies in both windows once.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function compare(source: ConversationSource, options: CompareOptions): Promise<ComparisonReport> {
  const { before, after, timeZone, filters = {}, resamples = MIN_RESAMPLES, seed = 1 } = options;
  checkWindow('before', before);
  checkWindow('after', after);
  checkTimeZone(timeZone);
  checkWholeNumber('resamples', resamples, MIN_RESAMPLES);
  checkWholeNumber('seed', seed, Number.MIN_SAFE_INTEGER);

  const sides = [
    { window: before, answer: await readWindow(source, before, filters) },
    { window: after, answer: await readWindow(source, after, filters) },
  ] as const;
  const rows = compareWindows(sides[0].answer.data, sides[1].answer.data, resamples, randomFrom(seed));
  const report = buildReport({
    command: 'compare',
    source,
    window: spanning(before, after),
    timeZone,
    coverage: await coverageOfBoth(source, sides, filters),
    data: rows,
    findings: findAll(compareRules, { rows }),
  });
  return { ...report, windows: { before: windowInText(before), after: windowInText(after) } };
}

async function readWindow(
  source: ConversationSource,
  window: Window,
  filters: ConversationFilters,
): Promise<Answer<ComparedWindow>> {
  const asked = { window, filters, quantiles: COMPARED_PROBABILITIES, timings: false };
  const statistics = await source.ask({ name: 'step-statistics', ...asked });
  const durations = await source.ask({ name: 'step-durations', window, filters });
  return {
    data: { statistics: statistics.data, durations: durations.data },
    coverage: coverageOfSameSpans(statistics.coverage, durations.coverage),
  };
}

interface Side {
  window: Window;
  answer: Answer<ComparedWindow>;
}

/**
 * What both windows together rest on: every conversation and span once, complete when both are, every warning once.
 *
 * The answers at hand tell it where the windows do not overlap and every conversation covered has a row. Otherwise one
 * more question does, about the time from the earlier beginning to the later end; where a gap lies in between, that
 * would count too much, and a conversation with only its root in one window and its steps in the other counts twice.
 */
async function coverageOfBoth(
  source: ConversationSource,
  [before, after]: readonly [Side, Side],
  filters: ConversationFilters,
): Promise<Coverage> {
  const both = coverageOfSameSpans(before.answer.coverage, after.answer.coverage);
  const [first, second] =
    before.window.sinceUnixNano <= after.window.sinceUnixNano
      ? [before.window, after.window]
      : [after.window, before.window];
  const overlap = first.untilUnixNano > second.sinceUnixNano;
  const isGap = first.untilUnixNano < second.sinceUnixNano;
  if (overlap || (!isGap && [before, after].some(hasConversationWithoutRow))) {
    // Any question about a window has its coverage; this one is cheap to answer.
    const window = spanning(before.window, after.window);
    const { coverage } = await source.ask({ name: 'common-errors', window, filters, limit: 1 });
    return coverageOfSameSpans(coverage, both);
  }
  const traceIds = new Set(before.answer.data.durations.traceIds);
  const shared = after.answer.data.durations.traceIds.filter((traceId) => traceIds.has(traceId)).length;
  return {
    ...both,
    conversations: before.answer.coverage.conversations + after.answer.coverage.conversations - shared,
    spans: before.answer.coverage.spans + after.answer.coverage.spans,
  };
}

/** A conversation whose root starts in the window and whose steps do not is covered, but is not among the rows. */
function hasConversationWithoutRow({ answer: { data, coverage } }: Side): boolean {
  return coverage.conversations !== data.durations.traceIds.length;
}

function spanning(before: Window, after: Window): Window {
  return {
    sinceUnixNano: before.sinceUnixNano < after.sinceUnixNano ? before.sinceUnixNano : after.sinceUnixNano,
    untilUnixNano: before.untilUnixNano > after.untilUnixNano ? before.untilUnixNano : after.untilUnixNano,
  };
}
