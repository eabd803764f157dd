import type { Finding, LeftOut, ConversationDetail, StepRow } from '@convotel/query';
import { isFailure, STEP_SUM_DIFFERS_FROM_PCT } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';
import { displayWidth, wrapText } from './table.ts';
import type { Column, TableLines, Screen } from './table.ts';

/** How to print an answer. */
export interface TextContext extends Screen {
  /** Whether findings and the arrows that belong to them are shown. */
  showFindings: boolean;
  /** Whether marks and arrows are coloured. Colour is never the only indication of anything. */
  color: boolean;
  /** Whether charts are shown in addition to the numbers. */
  graph: boolean;
  /**
   * Converts an RFC 3339 time to local time without offset, in the time zone of the command:
   * `2025-10-08T14:30:22.123456`.
   * @param decimals - digits after the seconds
   */
  localTime(instant: string, decimals: 0 | 6): string;
}

/** Width of the horizontal rules of a page, in terminal cells. */
export type PageWidth = 60 | 80;

/** The rule above and below a page, no wider than the terminal. */
export function heavyRule(width: PageWidth, { columns = width }: Screen): string {
  return '='.repeat(Math.min(width, columns));
}

/** The rule below a heading. */
export function lightRule(width: PageWidth, { columns = width }: Screen): string {
  return '-'.repeat(Math.min(width, columns));
}

/** The title between two rules. */
export function titleLines(title: string, width: PageWidth, context: TextContext): string[] {
  return [heavyRule(width, context), title, heavyRule(width, context)];
}

/** Heading, rule and rows of a table, or `whenEmpty` instead of the rows. */
export function tableSection(table: TableLines, width: PageWidth, whenEmpty: string, context: TextContext): string[] {
  return [table.heading, lightRule(width, context), ...(table.rows.length === 0 ? [whenEmpty] : table.rows)];
}

/** The lines of each group of `rows`, below its name; for rows without groups, the lines of all. */
export function groupLines<Row extends { group?: string }>(
  rows: readonly Row[],
  linesOf: (rows: readonly Row[]) => readonly string[],
): string[] {
  const groups = new Map<string | undefined, Row[]>();
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  if (groups.size === 0) return [...linesOf([])];
  return [...groups].flatMap(([group, ofGroup], index) => [
    ...(index > 0 ? [''] : []),
    ...(group === undefined ? [] : [`Group: ${group}`]),
    ...linesOf(ofGroup),
  ]);
}

/** Adds what the rows are grouped by to the title. */
export function titleBy(title: string, by: string | undefined): string {
  return by === undefined ? title : `${title} by ${by}`;
}

/** Joins the lines, with a trailing newline; lines wider than the terminal are wrapped. */
export function pageText(lines: readonly string[], { columns }: Screen): string {
  if (columns === undefined) return `${lines.join('\n')}\n`;
  const broken = lines
    .flatMap((line) => line.split('\n'))
    .flatMap((line) => {
      const indent = /^ */.exec(line)?.[0] ?? '';
      return displayWidth(line) > columns ? wrapText(line.slice(indent.length), columns, indent) : [line];
    });
  return `${broken.join('\n')}\n`;
}

/** An empty line, `heading` and a bullet per finding; nothing if there are none or they are not shown. */
export function findingsSection(heading: string, findings: readonly Finding[], context: TextContext): string[] {
  return bulletsSection(heading, findings, context, () => '• ');
}

/** The findings below `heading`, then the advice among them, numbered, below `RECOMMENDATIONS`. */
export function findingsAndAdvice(heading: string, findings: readonly Finding[], context: TextContext): string[] {
  const observed = findings.filter((finding) => finding.severity !== 'advice');
  const advice = findings.filter((finding) => finding.severity === 'advice');
  return [
    ...findingsSection(heading, observed, context),
    ...bulletsSection('RECOMMENDATIONS', advice, context, (index) => `${index + 1}. `),
  ];
}

function bulletsSection(
  heading: string,
  findings: readonly Finding[],
  context: TextContext,
  bulletAt: (index: number) => string,
): string[] {
  if (!context.showFindings || findings.length === 0) return [];
  const sentences = withoutFloods(findings);
  return [
    '',
    `${heading}:`,
    ...sentences.flatMap((sentence, index) => wrapText(sentence, context.columns, bulletAt(index))),
  ];
}

/** Maximum number of lines for the findings of one rule, which is reached with very many steps. */
const MAX_OF_ONE_RULE = 8;

/** The texts of the findings. If a rule has too many, only the first ones, and the number of the others. */
function withoutFloods(findings: readonly Finding[]): string[] {
  const countByRule = new Map<string, number>();
  for (const { rule } of findings) countByRule.set(rule, (countByRule.get(rule) ?? 0) + 1);
  const saidByRule = new Map<string, number>();
  return findings.flatMap(({ rule, text }) => {
    const count = countByRule.get(rule) ?? 0;
    const said = saidByRule.get(rule) ?? 0;
    saidByRule.set(rule, said + 1);
    if (count <= MAX_OF_ONE_RULE || said < MAX_OF_ONE_RULE - 1) return [text];
    return said === MAX_OF_ONE_RULE - 1 ? [`${count - said} more like these (${rule}) with --json`] : [];
  });
}

/**
 * A line about what a table does not count, if anything, such as `Left out: gpt 2 not completed, 1 of 60s or more`.
 */
export function leftOutLines(rows: readonly { step: string; leftOut: LeftOut }[]): string[] {
  const parts = rows.flatMap(({ step, leftOut }) => {
    const reasons = [
      ...(leftOut.notCompleted > 0 ? [`${leftOut.notCompleted} not completed`] : []),
      ...(leftOut.tooLong > 0 ? [`${leftOut.tooLong} of 60s or more`] : []),
    ];
    return reasons.length === 0 ? [] : [`${step} ${reasons.join(', ')}`];
  });
  return parts.length === 0 ? [] : [`Left out: ${parts.join('; ')}`];
}

const GREEN = 32;
const RED = 31;
const YELLOW = 33;

/** `✓` for a completed step, `✗` for a failed, timed-out or abandoned one, `■` for an interrupted one. */
export function outcomeMark(outcome: Outcome, context: TextContext): string {
  if (outcome === 'completed') return paint('✓', GREEN, context);
  return isFailure(outcome) ? paint('✗', RED, context) : paint('■', YELLOW, context);
}

/** `  ← <text>`, to append to a row; empty without a text or if findings are not shown. */
export function arrow(text: string | undefined, context: TextContext): string {
  return text === undefined || !context.showFindings ? '' : `  ${paint(`← ${text}`, YELLOW, context)}`;
}

/** Number of rows that may share the highest number and still stand out. */
const MAX_PEAKS = 3;

/**
 * The highest number of conversations among `rows`; undefined for a single row, if all rows have the same number, or if
 * more than three have the highest.
 */
export function peakOf(rows: readonly { conversations: number }[]): number | undefined {
  const counts = rows.map((row) => row.conversations);
  const peak = Math.max(...counts);
  const peaks = counts.filter((count) => count === peak).length;
  return peaks < counts.length && peaks <= MAX_PEAKS ? peak : undefined;
}

/** `text` in a terminal colour (ECMA-48, SGR 30–37); unchanged if colour is off. */
function paint(text: string, sgrCode: number, context: TextContext): string {
  return context.color ? `\u001b[${sgrCode}m${text}\u001b[39m` : text;
}

interface ConversationHead extends Pick<ConversationDetail, 'startTime' | 'endTime' | 'durationMs' | 'outcome'> {
  stepSumMs?: number;
  stepCount?: number;
}

/** Start, end, durations and number of steps of one conversation; its outcome unless that is `completed`. */
export function conversationHeadLines(head: ConversationHead, context: TextContext): string[] {
  const { durationMs, stepSumMs = durationMs, stepCount } = head;
  const sumDiffers = Math.abs(stepSumMs - durationMs) > (durationMs * STEP_SUM_DIFFERS_FROM_PCT) / 100;
  return [
    `Start Time:    ${context.localTime(head.startTime, 6)}`,
    `End Time:      ${context.localTime(head.endTime, 6)}`,
    `Total Duration: ${bothUnitsText(durationMs)}`,
    ...(sumDiffers ? [`Sum of Steps:    ${bothUnitsText(stepSumMs)}`] : []),
    ...(stepCount === undefined ? [] : [`Steps:         ${stepCount}`]),
    ...(head.outcome === 'completed' ? [] : [`Outcome:       ${outcomeText(head.outcome)}`]),
  ];
}

/** Deeper steps are not indented further: a recursive program may nest thousands. */
const MAX_INDENTED_DEPTH = 16;

/** The step's name in a table of one conversation: nested steps are indented, retries are numbered. */
export function stepLabel({ depth, step, attempt }: StepRow): string {
  const deeper = depth > MAX_INDENTED_DEPTH ? ` (depth ${depth})` : '';
  const number = attempt === undefined ? '' : ` #${attempt}`;
  return '  '.repeat(Math.min(depth, MAX_INDENTED_DEPTH)) + step + number + deeper;
}

/** Milliseconds as seconds with three decimals, such as `6.864`. */
export function secondsText(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

/** Milliseconds with one decimal, such as `3421.8`; `-` if unknown. */
export function millisecondsText(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '-' : milliseconds.toFixed(1);
}

/** The interval of a percentage, such as `7.78..13.58%`; `-` if unknown. */
export const PERCENT_INTERVAL_COLUMN: Column<{ interval?: readonly [low: number, high: number] }> = {
  heading: '95% Interval',
  width: 14,
  align: 'right',
  gap: 3,
  cell: ({ interval }) => (interval === undefined ? '-' : `${interval[0].toFixed(2)}..${interval[1].toFixed(2)}%`),
};

/** A difference in milliseconds with its sign, such as `+12.5`; `-` if unknown. */
export function signedText(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '-';
  const text = milliseconds.toFixed(1);
  if (Number(text) === 0) return '0.0';
  return milliseconds > 0 ? `+${text}` : text;
}

/** Seconds and milliseconds: `6.864s (6864ms)`. */
export function bothUnitsText(milliseconds: number): string {
  return `${secondsText(milliseconds)}s (${milliseconds.toFixed(0)}ms)`;
}

/** `timed_out` as `timed out`. */
export function outcomeText(outcome: string): string {
  return outcome.replace('_', ' ');
}
