import type { CommonErrorRow, Report } from '@convotel/query';
import { findingsSection, recommendationsSection } from './findings-section.ts';
import { localTimeText } from './local-time.ts';
import { heavyRule, pageText, tableSection, titleLines } from './page.ts';
import { layOutTable } from './table.ts';
import type { TextContext } from './text-context.ts';

/** The most frequent errors, each with the latest conversation that met it; what it says stands below its numbers. */
export function commonErrorsText(report: Report<'common-errors', CommonErrorRow[]>, context: TextContext): string {
  const { data: rows, window } = report;
  const table = layOutTable(
    [
      { heading: 'Step', width: 15, align: 'left', cell: (row) => row.step },
      { heading: 'Count', width: 8, align: 'right', gap: 1, cell: (row) => String(row.count) },
      {
        heading: 'Last Seen',
        width: 19,
        align: 'left',
        gap: 3,
        cell: (row) => localTimeText(row.lastSeen, window.timeZone, 0),
      },
      { heading: 'Conversation ID', width: 30, align: 'left', gap: 2, cell: (row) => row.conversationId },
    ],
    rows,
    (row) => `\n  ${errorText(row)}`,
  );
  return pageText([
    ...titleLines(`Most Common Errors (${context.windowText})`, 80),
    ...tableSection(table, 80, 'No errors in this window'),
    heavyRule(80),
    ...findingsSection(
      'FINDINGS',
      report.findings.filter((finding) => finding.severity !== 'advice'),
      context,
    ),
    ...recommendationsSection(report.findings, context),
  ]);
}

function errorText({ errorType, message }: CommonErrorRow): string {
  const parts = [errorType, message].filter((part) => part !== undefined && part !== '');
  return parts.length === 0 ? 'no message' : parts.join(': ');
}
