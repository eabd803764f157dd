import type { ComparisonRow, Report, Finding } from '@convotel/query';
import { millisecondsText } from './duration-text.ts';
import { findingsSection } from './findings-section.ts';
import { localTimeText } from './local-time.ts';
import { heavyRule, pageText, tableSection, titleLines } from './page.ts';
import { layOutTable } from './table.ts';
import type { TextContext } from './text-context.ts';

/** An answer of `compare`; it says which two windows were compared. */
export type ComparedReport = Report<'compare', ComparisonRow[]> & { windows?: Record<'before' | 'after', Span> };

interface Span {
  since: string;
  until: string;
}

/** Each step before and after a change, then the step that changed the most clearly and what follows from it. */
export function compareText(report: ComparedReport, context: TextContext): string {
  const { data: rows, findings } = report;
  const table = layOutTable(
    [
      { heading: 'Step', width: 13, align: 'left', cell: (row) => row.step },
      {
        heading: 'Before (ms)',
        width: 11,
        align: 'right',
        gap: 1,
        cell: (row) => millisecondsText(row.before.averageMs),
      },
      {
        heading: 'After (ms)',
        width: 10,
        align: 'right',
        gap: 2,
        cell: (row) => millisecondsText(row.after.averageMs),
      },
      { heading: 'Change', width: 8, align: 'right', gap: 2, cell: (row) => signedText(row.deltaMs) },
      { heading: '95% Interval', width: 16, align: 'right', gap: 2, cell: (row) => intervalText(row.intervalMs) },
      { heading: 'Verdict', width: 15, align: 'left', gap: 2, cell: (row) => row.verdict },
    ],
    rows,
  );
  return pageText([
    ...titleLines('Before and After', 80),
    ...windowLines(report),
    ...tableSection(table, 80, 'No steps in either window'),
    heavyRule(80),
    ...clearestChangeLines(rows, findings, context),
    ...findingsSection('RESULTS', findings, context),
  ]);
}

function windowLines({ windows, window: { timeZone } }: ComparedReport): string[] {
  if (windows === undefined) return [];
  const spanText = ({ since, until }: Span): string =>
    `${localTimeText(since, timeZone, 0)} to ${localTimeText(until, timeZone, 0)}`;
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
    `  ${row.step}: ${millisecondsText(row.before.averageMs)}ms average`,
    '',
    'AFTER OPTIMIZATION:',
    `  ${row.step}: ${millisecondsText(row.after.averageMs)}ms average`,
  ];
}

function signedText(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '-';
  const text = milliseconds.toFixed(1);
  if (Number(text) === 0) return '0.0';
  return milliseconds > 0 ? `+${text}` : text;
}

function intervalText(interval: ComparisonRow['intervalMs']): string {
  return interval === undefined ? '-' : `${signedText(interval[0])}..${signedText(interval[1])}`;
}
