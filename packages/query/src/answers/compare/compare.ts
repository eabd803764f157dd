import { QueryError } from '../../errors.ts';
import type { Finding } from '../../findings/finding.ts';
import type { ConversationFilters, Window } from '../../model/conversation.ts';
import type { Answer, Coverage, Warning } from '../../model/coverage.ts';
import { groupNamesOf, isInGroup } from '../../model/groups.ts';
import type { GroupBy } from '../../model/groups.ts';
import type { ConversationSource, StepDurations } from '../../questions.ts';
import { randomFrom } from './bootstrap-means.ts';
import type { Random } from './bootstrap-means.ts';
import {
  attributeOf,
  buildReport,
  checkTimeZone,
  checkWholeNumber,
  checkWindow,
  coverageOfSameSpans,
  findGroups,
  findInGroup,
  windowInText,
  withWarnings,
} from '../report.ts';
import type { Groups, Report } from '../report.ts';
import { compareRules } from './compare-findings.ts';
import { compareWindows } from './compare-windows.ts';
import type { ComparisonRow } from './compare-windows.ts';
import { COMPARED_PROBABILITIES, groupOfWindow, stepOrderOfBoth } from './compared-sides.ts';
import type { ComparedWindow } from './compared-sides.ts';
import { compareMix } from './mix.ts';

/** Minimum number of resamples for `intervalMs`. */
const MIN_RESAMPLES = 2000;

/** Options of both variants of {@link compare}. */
interface ComparisonOptions {
  /** IANA time zone of times in the report; included in it. */
  timeZone: string;
  filters?: ConversationFilters | undefined;
  /** Number of bootstrap resamples of each side for the intervals, at least 2,000. @defaultValue `2000` */
  resamples?: number | undefined;
  /** Seed of the random numbers, an integer; the same data and seed give the same answer. @defaultValue `1` */
  seed?: number | undefined;
}

/** Compares two windows. */
export interface CompareByTime extends ComparisonOptions {
  before: Window;
  after: Window;
  splitBy?: undefined;
  /** Compares per group, see `GroupedOptions`; the ten largest of both windows together. @defaultValue no groups */
  by?: string | undefined;
}

/**
 * Compares the steps with two values of an attribute in the same window; see `GroupBy` for how the value is determined.
 * A conversation is on each side that one of its steps is on.
 */
export interface CompareByAttribute extends ComparisonOptions {
  window: Window;
  /** The attribute that separates the sides: one of `GROUP_ATTRIBUTES`, such as `version`, or any attribute name. */
  splitBy: string;
  /** Its value on the first side. */
  before: string;
  /** Its value on the second side. */
  after: string;
  by?: undefined;
}

/** Options of {@link compare}. */
export type CompareOptions = CompareByTime | CompareByAttribute;

/**
 * The report of `compare`. `window` is from the earlier start to the later end of the two `windows`.
 */
export interface ComparisonReport extends Report<'compare', ComparisonRow[]> {
  windows: { before: { since: string; until: string }; after: { since: string; until: string } };
  /** If an attribute separates the sides: `splitBy` as given, and its values. */
  split?: { by: string; before: string; after: string };
}

/**
 * Compares each step, its time to first output, and whole conversations, before and after: averages, P50, P95, failure rates, the difference of
 * the averages with its 95 % confidence interval, and whether it is significant. Steps in step order, the row
 * `conversation` last; with `by` per group. Coverage counts once what is in both windows, and has warnings if the sides
 * overlap, or if one is at least twice as long as the other.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
 */
export async function compare(source: ConversationSource, options: CompareOptions): Promise<ComparisonReport> {
  const { timeZone, resamples = MIN_RESAMPLES, seed = 1 } = options;
  checkTimeZone(timeZone);
  checkWholeNumber('resamples', resamples, MIN_RESAMPLES);
  checkWholeNumber('seed', seed, Number.MIN_SAFE_INTEGER);
  const { by, windows, split, coverage, comparisons } =
    options.splitBy === undefined ? await byTime(source, options) : await byAttribute(source, options);

  const random = randomFrom(seed);
  const compared = comparisons.map((comparison) => compareSides(comparison, { timeZone, resamples, random }));
  const [before, after] = windows;
  const report = buildReport({
    command: 'compare',
    by,
    source,
    window: spanning(before, after),
    timeZone,
    coverage,
    data: compared.flatMap(({ rows }) => rows),
    findings: compared.flatMap(({ findings }) => findings),
  });
  return {
    ...report,
    windows: { before: windowInText(before), after: windowInText(after) },
    ...(split && { split }),
  };
}

/** The two sides of one group, or of everything. */
interface Comparison {
  group?: string;
  sides: readonly [before: ComparedWindow, after: ComparedWindow];
  order: readonly string[];
  /** Whether different hours of the day on the two sides are reported as a mix change. */
  withHours: boolean;
}

/** All comparisons, and their coverage. */
interface Comparisons {
  by?: string | undefined;
  windows: readonly [before: Window, after: Window];
  split?: { by: string; before: string; after: string };
  coverage: Coverage;
  comparisons: Comparison[];
}

function compareSides(
  { group, sides: [before, after], order, withHours }: Comparison,
  { timeZone, resamples, random }: { timeZone: string; resamples: number; random: Random },
): { rows: ComparisonRow[]; findings: Finding[] } {
  const mix = compareMix(before.durations, after.durations, { timeZone, withHours });
  const compared = compareWindows(before, after, resamples, random, { mix, order });
  const rows = group === undefined ? compared : compared.map((row) => ({ group, ...row }));
  return { rows, findings: findInGroup(group, compareRules, { rows, mixChanges: mix.changes }) };
}

const NANO_PER_HOUR = 3_600_000_000_000n;

async function byTime(source: ConversationSource, options: CompareByTime): Promise<Comparisons> {
  const { before, after, filters = {}, by } = options;
  checkWindow('before', before);
  checkWindow('after', after);
  const windows = [before, after] as const;
  const groups = await findGroups(source, { by, windows, filters });
  const sides = [
    { window: before, answer: await readWindow(source, before, filters, groups?.groupBy) },
    { window: after, answer: await readWindow(source, after, filters, groups?.groupBy) },
  ] as const;
  const coverage = withWarnings(await coverageOfBoth(source, sides, filters), [
    ...windowWarnings(before, after),
    ...(groups?.warnings ?? []),
  ]);
  const [one, other] = [sides[0].answer.data, sides[1].answer.data];
  const order = stepOrderOfBoth([one, other]);
  // In windows shorter than a day, the hours naturally differ.
  const withHours = windows.every((window) => window.untilUnixNano - window.sinceUnixNano >= 24n * NANO_PER_HOUR);
  const shared = { order, withHours };
  if (groups === undefined) return { windows, coverage, comparisons: [{ sides: [one, other], ...shared }] };
  const comparisons = groupNames(groups, [one, other]).map((group) => ({
    group,
    sides: [groupOfWindow(one, group, groups.groupBy), groupOfWindow(other, group, groups.groupBy)] as const,
    ...shared,
  }));
  return { by, windows, coverage, comparisons };
}

async function byAttribute(source: ConversationSource, options: CompareByAttribute): Promise<Comparisons> {
  const { window, splitBy, before, after, filters = {} } = options;
  checkWindow('window', window);
  const attribute = attributeOf('splitBy', splitBy);
  if (before === after) {
    throw new QueryError(
      'OPTION_OUT_OF_RANGE',
      `before and after must be two values of ${splitBy}, got ${JSON.stringify(before)} for both`,
    );
  }
  if (options.by !== undefined) {
    throw new QueryError(
      'OPTION_OUT_OF_RANGE',
      'by and splitBy cannot be given together, because steps are grouped by one attribute at a time; compare one group at a time with filters, and read "withinGroups" where the models of the two sides differ',
    );
  }
  const groupBy = { attribute, values: [before, after] };
  const { data, coverage } = await readWindow(source, window, filters, groupBy);
  const sides = [groupOfWindow(data, before, groupBy), groupOfWindow(data, after, groupBy)] as const;
  const missing = [before, after].filter((value) => !data.statistics.some(({ group }) => group === value));
  const warnings = missing.length === 0 ? [] : [await valueNeverSeen(source, options, attribute, missing)];
  const both = [...data.durations.groupMasks!].filter((mask) =>
    [before, after].every((value) => isInGroup(mask, value, groupBy)),
  );
  if (both.length > 0)
    warnings.push(sidesShare(`${both.length} of ${coverage.conversations} conversations have steps`));
  return {
    windows: [window, window],
    split: { by: splitBy, before, after },
    coverage: withWarnings(coverage, warnings),
    comparisons: [{ sides, order: stepOrderOfBoth([data]), withHours: true }],
  };
}

function sidesShare(what: string): Warning {
  const text = `${what} on both sides, and count on each: that makes differences look smaller than they are`;
  return { code: 'sides-overlap', text };
}

const VALUES_NAMED = 10;

async function valueNeverSeen(
  source: ConversationSource,
  { window, splitBy, filters = {} }: CompareByAttribute,
  attribute: string,
  missing: readonly string[],
): Promise<Warning> {
  const { data } = await source.ask({ name: 'attribute-values', window, filters, attribute, limit: VALUES_NAMED });
  const quoted = missing.map((value) => JSON.stringify(value)).join(' or ');
  const there =
    data.length === 0
      ? 'no step has any; "trace" shows the attributes there are'
      : `the most frequent values are ${data.map(({ value }) => JSON.stringify(value)).join(', ')}`;
  return { code: 'attribute-never-seen', text: `no step of the window has ${quoted} as ${splitBy}; ${there}` };
}

/** Warnings about problems for a fair comparison of two windows. */
function windowWarnings(before: Window, after: Window): Warning[] {
  const warnings: Warning[] = [];
  const lengthOf = ({ sinceUnixNano, untilUnixNano }: Window): bigint => untilUnixNano - sinceUnixNano;
  const [shorter, longer] =
    lengthOf(before) <= lengthOf(after) ? [lengthOf(before), lengthOf(after)] : [lengthOf(after), lengthOf(before)];
  const sharedSince = before.sinceUnixNano > after.sinceUnixNano ? before.sinceUnixNano : after.sinceUnixNano;
  const sharedUntil = before.untilUnixNano < after.untilUnixNano ? before.untilUnixNano : after.untilUnixNano;
  if (sharedSince < sharedUntil) warnings.push(sidesShare(`${lengthText(sharedUntil - sharedSince)} are`));
  if (before.sinceUnixNano > after.sinceUnixNano) {
    const text = '"before" begins later than "after": differences are those from the later time to the earlier one';
    warnings.push({ code: 'windows-swapped', text });
  }
  if (longer >= 2n * shorter) {
    const text = `one window has ${lengthText(longer)}, the other ${lengthText(shorter)}: averages and rates compare, counts do not`;
    warnings.push({ code: 'windows-uneven', text });
  }
  return warnings;
}

/** Formats a length in the largest unit that fits, up to hours. */
function lengthText(nanoseconds: bigint): string {
  const hours = Number(nanoseconds) / Number(NANO_PER_HOUR);
  const [amount, unit] = hours >= 1 ? [hours, 'h'] : hours * 60 >= 1 ? [hours * 60, 'min'] : [hours * 3600, 's'];
  return `${Number(amount.toFixed(2))} ${unit}`;
}

/** The groups with a step on either side, in the order of the groups. */
function groupNames({ groupBy }: Groups, windows: readonly ComparedWindow[]): string[] {
  const seen = new Set(windows.flatMap(({ statistics }) => statistics.map(({ group }) => group)));
  return groupNamesOf(groupBy).filter((name) => seen.has(name));
}

async function readWindow(
  source: ConversationSource,
  window: Window,
  filters: ConversationFilters,
  groupBy: GroupBy | undefined,
): Promise<Answer<ComparedWindow>> {
  const asked = { window, filters, groupBy };
  const measured = { ...asked, quantiles: COMPARED_PROBABILITIES, timings: false, firstOutput: true };
  const statistics = await source.ask({ name: 'step-statistics', ...measured });
  const durations = await source.ask({ name: 'step-durations', ...asked, traits: true });
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
 * The coverage of both windows: counts every conversation and span once, is complete if both are, and has every warning
 * once.
 *
 * If the windows do not overlap and every covered conversation has a row, it follows from the answers. Otherwise, one
 * more question is asked about the time from the earlier start to the later end. If there is a gap between the windows,
 * that would count too much; a conversation with only its root in one window and its steps in the other then counts
 * twice.
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
    // Any question about the window has its coverage; this one is cheap.
    const window = spanning(before.window, after.window);
    const { coverage } = await source.ask({ name: 'common-errors', window, filters, limit: 1 });
    return coverageOfSameSpans(coverage, both);
  }
  const [earlier, later] = first === before.window ? [before, after] : [after, before];
  const shared = countShared(earlier.answer.data.durations, later.answer.data.durations);
  return {
    ...both,
    conversations: before.answer.coverage.conversations + after.answer.coverage.conversations - shared,
    spans: before.answer.coverage.spans + after.answer.coverage.spans,
  };
}

/** The number of conversations in both of two windows that do not overlap: they do not start in the later one. */
function countShared(earlier: StepDurations, later: StepDurations): number {
  const continued = new Set(later.traceIds.filter((_traceId, row) => later.startsInWindow[row] !== 1));
  return continued.size === 0 ? 0 : earlier.traceIds.filter((traceId) => continued.has(traceId)).length;
}

/** A conversation whose root starts in the window, but none of its steps, is covered but has no row. */
function hasConversationWithoutRow({ answer: { data, coverage } }: Side): boolean {
  return coverage.conversations !== data.durations.traceIds.length;
}

function spanning(before: Window, after: Window): Window {
  return {
    sinceUnixNano: before.sinceUnixNano < after.sinceUnixNano ? before.sinceUnixNano : after.sinceUnixNano,
    untilUnixNano: before.untilUnixNano > after.untilUnixNano ? before.untilUnixNano : after.untilUnixNano,
  };
}
