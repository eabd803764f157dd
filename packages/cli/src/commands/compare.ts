import type { ComparisonReport, ComparisonRow, Finding, Window } from '@convotel/query';
import { answerCommand } from '../command-line/answer-command.ts';
import { duration, failCondition, text } from '../values.ts';
import { list, option } from '../command-line/command.ts';
import type { OptionValues } from '../command-line/command.ts';
import { BY_OPTION, FILTER_OPTIONS, filtersOf, windowOptions } from '../command-line/shared-options.ts';
import { UsageError, EXIT_STATUS } from '../terminal.ts';
import type { TimeBase } from '../command-line/window.ts';
import {
  findingsSection,
  groupLines,
  heavyRule,
  pageText,
  tableSection,
  titleBy,
  titleLines,
  millisecondsText,
  signedText,
} from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';
import type { Column } from '../text/table.ts';

/** Default of `--since` if two values are compared. */
const SPLIT_SINCE = '168h';

const SIDE_OPTIONS = {
  before: option(text, {
    placeholder: 'from..to',
    description: 'one window; durations count back from now (2d..1d, yesterday..today); with --split-by one value',
  }),
  after: option(text, {
    placeholder: 'from..to',
    description: 'the other window (1d..now); with --split-by the other value',
  }),
  at: option(text, { placeholder: 'time', description: 'moment of the change; a duration counts back from now' }),
  span: option(duration, {
    placeholder: 'duration',
    description: 'how long to look before and after it',
    defaultText: '24h',
  }),
  splitBy: option(text, {
    placeholder: 'what',
    description:
      'compare two values of version, model, provider, workflow, service, session or an attribute, in one window (--since, --until)',
  }),
  ...BY_OPTION,
  ...windowOptions(SPLIT_SINCE),
};

/** `compare`: whether it is better than before, per step and in total. */
export const command = answerCommand({
  examples: [
    ['convotel compare --at 2025-10-08T12:00:00Z --span 24h', 'the day before a change against the day after'],
    ['convotel compare --before 2025-10-01..2025-10-07 --after 2025-10-08..2025-10-14', 'two weeks'],
    ['convotel compare --split-by version --before 1.4 --after 1.5', 'two versions of the program, in the last week'],
    ['convotel compare --at 1h --span 1h --fail-on slower', 'status 10 when something got slower'],
    ["convotel compare --at 1h --span 1h --fail-on 'gpt.p95>+10%'", 'status 10 when the P95 of gpt rose by a tenth'],
  ],
  options: {
    ...SIDE_OPTIONS,
    failOn: list(failCondition, {
      placeholder: 'condition',
      description:
        'exit with status 10 when a row has the verdict slower or faster, or a figure changed by this much (gpt.p95>+10%); may be repeated',
      suggestions: ['slower', 'faster'],
    }),
    ...FILTER_OPTIONS,
  },
  prepare: async (call) => ({
    ...(await resolveSides(call.options, call)),
    timeZone: call.timeZone,
    filters: filtersOf(call.options),
    failOn: call.options.failOn,
  }),
  ask: async (source, asked) => {
    const { compare } = await import('@convotel/query');
    return compare(source, asked);
  },
  text: compareText,
  // Evaluates all conditions, so that one that cannot be evaluated is always reported.
  exitStatus: ({ data }, { failOn }) =>
    failOn.filter((condition) => condition.isMet(data)).length > 0
      ? EXIT_STATUS.thresholdCrossed
      : EXIT_STATUS.answered,
});

type Sides =
  | { before: Window; after: Window; by: string | undefined }
  | { before: string; after: string; splitBy: string; window: Window };

async function resolveSides(
  { before, after, at, span, splitBy, by, since, until, hours }: OptionValues<typeof SIDE_OPTIONS>,
  base: TimeBase,
): Promise<Sides> {
  const texts = { since, until, hours };
  const { checkYear, resolveInstant, resolveRange, resolveWindow } = await import('../command-line/window.ts');
  if (splitBy !== undefined) {
    if (at !== undefined || span !== undefined)
      throw new UsageError('--at and --span compare two windows; leave out --split-by.');
    if (by !== undefined) {
      throw new UsageError(
        '--by and --split-by cannot be given together, because steps are grouped by one attribute at a time. ' +
          'Compare one group at a time with --service, --workflow or --session; where the models of the two sides differ, ' +
          'the column "Among Equals" compares like with like.',
      );
    }
    if (before === undefined || after === undefined) {
      throw new UsageError(`--split-by ${splitBy} needs --before <value> and --after <value>.`);
    }
    if (before === after) throw new UsageError(`--before and --after are both "${before}"; give two values.`);
    return { splitBy, before, after, window: resolveWindow(texts, SPLIT_SINCE, base).window };
  }
  const given = Object.entries(texts).find(([, value]) => value !== undefined);
  if (given !== undefined) {
    throw new UsageError(
      `--${given[0]} goes with --split-by; the times of two windows are --before and --after, or --at.`,
    );
  }
  if (at !== undefined) {
    if (before !== undefined || after !== undefined) {
      throw new UsageError('--at goes with --span; leave out --before and --after.');
    }
    const length = span ?? duration('24h', '--span');
    const changeUnixNano = resolveInstant(at, '--at', base);
    const sinceUnixNano = checkYear(changeUnixNano - length.nano, length.text, '--span');
    const untilUnixNano = checkYear(changeUnixNano + length.nano, length.text, '--span');
    return {
      before: { sinceUnixNano, untilUnixNano: changeUnixNano },
      after: { sinceUnixNano: changeUnixNano, untilUnixNano },
      by,
    };
  }
  if (before === undefined || after === undefined) {
    throw new UsageError(
      'compare needs --at <time> with --span <duration>, both --before and --after <from..to>, or --split-by <what> with two values.',
    );
  }
  if (span !== undefined) throw new UsageError('--span goes with --at.');
  const windows = { before: resolveRange(before, '--before', base), after: resolveRange(after, '--after', base) };
  const isSame =
    windows.before.sinceUnixNano === windows.after.sinceUnixNano &&
    windows.before.untilUnixNano === windows.after.untilUnixNano;
  if (isSame) throw new UsageError(`--before and --after are the same window, "${before}"; give two.`);
  return { ...windows, by };
}

/** Each step before and after a change, then the most significant change and its consequences. */
export function compareText(report: ComparisonReport, context: TextContext): string {
  const { by, data, findings } = report;
  const columns: Column<ComparisonRow>[] = [
    { heading: 'Step', width: 13, align: 'left', cell: (row) => row.step },
    { heading: 'Before (ms)', width: 11, align: 'right', gap: 1, cell: (row) => averageText(row.before) },
    { heading: 'After (ms)', width: 10, align: 'right', gap: 2, cell: (row) => averageText(row.after) },
    { heading: 'Change', width: 8, align: 'right', gap: 2, cell: (row) => signedText(row.deltaMs) },
    { heading: '95% Interval', width: 16, align: 'right', gap: 2, cell: (row) => intervalText(row.intervalMs) },
    { heading: 'Verdict', width: 15, align: 'left', gap: 2, cell: (row) => row.verdict },
  ];
  const equals: Column<ComparisonRow> = {
    heading: 'Among Equals',
    width: 12,
    align: 'right',
    gap: 2,
    cell: ({ withinGroups }) => signedText(withinGroups?.deltaMs),
  };
  if (data.some(({ withinGroups }) => withinGroups !== undefined)) columns.push(equals);
  return pageText(
    [
      ...titleLines(titleBy('Before and After', by), 80, context),
      ...sideLines(report, context),
      ...groupLines(data, (rows) => [
        ...tableSection(layOutTable(columns, rows, context), 80, 'No steps in either window', context),
        heavyRule(80, context),
      ]),
      ...clearestChangeLines(data, findings, context),
      ...findingsSection('RESULTS', findings, context),
    ],
    context,
  );
}

function sideLines({ windows, split }: ComparisonReport, context: TextContext): string[] {
  const spanText = ({ since, until }: { since: string; until: string }): string =>
    `${context.localTime(since, 0)} to ${context.localTime(until, 0)}`;
  if (split !== undefined) {
    const { by, before, after } = split;
    return [`Before: ${by} ${before}`, `After:  ${by} ${after}`, `Time:   ${spanText(windows.before)}`, ''];
  }
  return [`Before: ${spanText(windows.before)}`, `After:  ${spanText(windows.after)}`, ''];
}

/** Both averages of the step in the first `step-change` finding. */
function clearestChangeLines(rows: ComparisonRow[], findings: Finding[], context: TextContext): string[] {
  const change = findings.find((finding) => finding.rule === 'step-change');
  const row = rows.find(({ group, step }) => step === change?.evidence['step'] && group === change?.evidence['group']);
  if (!context.showFindings || row === undefined) return [];
  return [
    '',
    'BEFORE OPTIMIZATION:',
    `  ${nameOf(row)}: ${averageText(row.before)}ms average`,
    '',
    'AFTER OPTIMIZATION:',
    `  ${nameOf(row)}: ${averageText(row.after)}ms average`,
  ];
}

function nameOf({ group, step }: ComparisonRow): string {
  return group === undefined ? step : `${group}, ${step}`;
}

function averageText(side: ComparisonRow['before']): string {
  return millisecondsText(side.averageMs);
}

function intervalText(interval: ComparisonRow['intervalMs']): string {
  return interval === undefined ? '-' : `${signedText(interval[0])}..${signedText(interval[1])}`;
}
