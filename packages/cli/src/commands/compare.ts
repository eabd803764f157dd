import type { ComparisonReport, ComparisonRow, Finding, Window } from '@convotel/query';
import { answerCommand } from '../command-line/answer-command.ts';
import { duration } from '../values/duration.ts';
import { choice, option } from '../command-line/options.ts';
import type { OptionValues } from '../command-line/options.ts';
import { FILTER_OPTIONS, filtersOf } from '../command-line/shared-options.ts';
import { UsageError } from '../usage-error.ts';
import { text } from '../values/value-parsers.ts';
import type { TimeBase } from '../command-line/window.ts';
import { EXIT_STATUS } from '../exit-status.ts';
import { findingsSection, heavyRule, pageText, tableSection, titleLines } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable } from '../text/table.ts';
import { millisecondsText, signedText } from '../text/words.ts';

const SIDE_OPTIONS = {
  before: option(text, {
    placeholder: 'from..to',
    description: 'one window; durations count back from now (2d..1d, yesterday..today)',
  }),
  after: option(text, { placeholder: 'from..to', description: 'the other window (1d..now)' }),
  at: option(text, { placeholder: 'time', description: 'moment of the change; a duration counts back from now' }),
  span: option(duration, {
    placeholder: 'duration',
    description: 'how long to look before and after it',
    defaultText: '24h',
  }),
};

/** `compare`: whether it is better than before, per step and in total. */
export const command = answerCommand({
  examples: [
    ['convotel compare --at 2025-10-08T12:00:00Z --span 24h', 'the day before a change against the day after'],
    ['convotel compare --before 2025-10-01..2025-10-07 --after 2025-10-08..2025-10-14', 'two weeks'],
    ['convotel compare --at 1h --span 1h --fail-on slower', 'status 10 when something got slower'],
  ],
  options: {
    ...SIDE_OPTIONS,
    failOn: choice(['slower', 'faster'], {
      placeholder: 'verdict',
      description: 'exit with status 10 when a row has this verdict',
    }),
    ...FILTER_OPTIONS,
  },
  prepare: async (call) => ({
    ...(await resolveSides(call.options, call)),
    timeZone: call.timeZone,
    filters: filtersOf(call.options),
    failOn: call.options.failOn,
  }),
  ask: (query, source, asked) => query.compare(source, asked),
  text: compareText,
  exitStatus: (report, { failOn }) =>
    report.data.some((row) => row.verdict === failOn) ? EXIT_STATUS.thresholdCrossed : EXIT_STATUS.answered,
});

async function resolveSides(
  { before, after, at, span }: OptionValues<typeof SIDE_OPTIONS>,
  base: TimeBase,
): Promise<{ before: Window; after: Window }> {
  const { resolveInstant, resolveRange } = await import('../command-line/window.ts');
  if (at !== undefined) {
    if (before !== undefined || after !== undefined) {
      throw new UsageError('--at goes with --span; leave out --before and --after.');
    }
    const spanNano = (span ?? duration('24h', '--span')).nano;
    const changeUnixNano = resolveInstant(at, '--at', base);
    return {
      before: { sinceUnixNano: changeUnixNano - spanNano, untilUnixNano: changeUnixNano },
      after: { sinceUnixNano: changeUnixNano, untilUnixNano: changeUnixNano + spanNano },
    };
  }
  if (before === undefined || after === undefined) {
    throw new UsageError('compare needs --at <time> with --span <duration>, or both --before and --after <from..to>.');
  }
  if (span !== undefined) throw new UsageError('--span goes with --at.');
  return { before: resolveRange(before, '--before', base), after: resolveRange(after, '--after', base) };
}

/** Each step before and after a change, then the step that changed the most clearly and what follows from it. */
export function compareText(report: ComparisonReport, context: TextContext): string {
  const { data: rows, findings } = report;
  const table = layOutTable(
    [
      { heading: 'Step', width: 13, align: 'left', cell: (row) => row.step },
      { heading: 'Before (ms)', width: 11, align: 'right', gap: 1, cell: (row) => averageText(row.before) },
      { heading: 'After (ms)', width: 10, align: 'right', gap: 2, cell: (row) => averageText(row.after) },
      { heading: 'Change', width: 8, align: 'right', gap: 2, cell: (row) => signedText(row.deltaMs) },
      { heading: '95% Interval', width: 16, align: 'right', gap: 2, cell: (row) => intervalText(row.intervalMs) },
      { heading: 'Verdict', width: 15, align: 'left', gap: 2, cell: (row) => row.verdict },
    ],
    rows,
    context,
  );
  return pageText(
    [
      ...titleLines('Before and After', 80, context),
      ...windowLines(report, context),
      ...tableSection(table, 80, 'No steps in either window', context),
      heavyRule(80, context),
      ...clearestChangeLines(rows, findings, context),
      ...findingsSection('RESULTS', findings, context),
    ],
    context,
  );
}

function windowLines({ windows }: ComparisonReport, context: TextContext): string[] {
  const spanText = ({ since, until }: { since: string; until: string }): string =>
    `${context.localTime(since, 0)} to ${context.localTime(until, 0)}`;
  return [`Before: ${spanText(windows.before)}`, `After:  ${spanText(windows.after)}`, ''];
}

/** The two averages of the step that the first `step-change` finding is about, as in a report on an optimization. */
function clearestChangeLines(rows: ComparisonRow[], findings: Finding[], context: TextContext): string[] {
  const change = findings.find((finding) => finding.rule === 'step-change');
  const row = rows.find((candidate) => candidate.step === change?.evidence['step']);
  if (!context.showFindings || row === undefined) return [];
  return [
    '',
    'BEFORE OPTIMIZATION:',
    `  ${row.step}: ${averageText(row.before)}ms average`,
    '',
    'AFTER OPTIMIZATION:',
    `  ${row.step}: ${averageText(row.after)}ms average`,
  ];
}

function averageText(side: ComparisonRow['before']): string {
  return millisecondsText(side.averageMs);
}

function intervalText(interval: ComparisonRow['intervalMs']): string {
  return interval === undefined ? '-' : `${signedText(interval[0])}..${signedText(interval[1])}`;
}
