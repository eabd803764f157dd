import { QueryError } from '../../errors.ts';
import type { Finding } from '../../findings/finding.ts';
import type { ConversationFilters, Window } from '../../model/conversation.ts';
import type { Answer, Coverage, Warning } from '../../model/coverage.ts';
import { groupNamesOf, isInGroup } from '../../model/groups.ts';
import type { GroupBy } from '../../model/groups.ts';
import type { ConversationSource } from '../../questions.ts';
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

/** The fewest resamples that `intervalMs` may rest on. */
const MIN_RESAMPLES = 2000;

/** What both ways to {@link compare} are asked with. */
interface ComparisonOptions {
  /** IANA zone that times are shown in; it stands in the report. */
  timeZone: string;
  filters?: ConversationFilters | undefined;
  /** How often each side is drawn again for the intervals, at least 2,000. @defaultValue `2000` */
  resamples?: number | undefined;
  /** Start of the random sequence, a whole number: with the same data and seed the answer is the same. @defaultValue `1` */
  seed?: number | undefined;
}

/** Compares one time with another. */
export interface CompareByTime extends ComparisonOptions {
  before: Window;
  after: Window;
  splitBy?: undefined;
  /** Group by group: see `GroupedOptions`. The ten largest are those of both windows together. @defaultValue no groups */
  by?: string | undefined;
}

/**
 * Compares steps with one value of an attribute and steps with another, both of the same time; see `GroupBy` for where
 * it is read. A conversation is on each side that a step of it is on.
 */
export interface CompareByAttribute extends ComparisonOptions {
  window: Window;
  /** What parts the sides: one of `GROUP_ATTRIBUTES`, such as `version`, or the name of any attribute. */
  splitBy: string;
  /** Its value on the one side. */
  before: string;
  /** Its value on the other side. */
  after: string;
  by?: undefined;
}

/** What {@link compare} is asked with. */
export type CompareOptions = CompareByTime | CompareByAttribute;

/**
 * The report of `compare`: `window` reaches from the earlier beginning to the later end of the two windows, which
 * stand in `windows`.
 */
export interface ComparisonReport extends Report<'compare', ComparisonRow[]> {
  windows: { before: { since: string; until: string }; after: { since: string; until: string } };
  /** What parts the sides, where it is not the time: `splitBy` as it was asked for, and its values. */
  split?: { by: string; before: string; after: string };
}

/**
 * Each step, and the conversation as a whole, before and after: averages, P50, P95, failure rates, the difference of
 * the averages with its 95 % interval, and whether it is a difference at all. Steps in step order, the row
 * `conversation` last; with `by` group by group. Coverage counts what lies in both windows once, and warns where the
 * sides share something, or differ in length by twice and more.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
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

/** Two sides of one group, or of all. */
interface Comparison {
  group?: string;
  sides: readonly [before: ComparedWindow, after: ComparedWindow];
  order: readonly string[];
  /** Whether it says something that the sides lie at other hours of the day. */
  withHours: boolean;
}

/** What is compared, and what that rests on. */
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
  // Where a window is shorter than a day, the hours differ because of that.
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
      'by and splitBy both part steps by an attribute; give one of them, and choose conversations with a filter',
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

/** What stands in the way of a fair comparison of two windows. */
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

/** In hours, or the largest unit that it has one of. */
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
  const measured = { ...asked, quantiles: COMPARED_PROBABILITIES, timings: false };
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
