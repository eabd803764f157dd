import type { TableLines } from './table.ts';

/** Width of the rules of a page, in terminal cells. */
export type PageWidth = 60 | 80;

/** The rule above and below a page. */
export function heavyRule(width: PageWidth): string {
  return '='.repeat(width);
}

/** The rule between a heading and what it is about. */
export function lightRule(width: PageWidth): string {
  return '-'.repeat(width);
}

/** The title between two rules. */
export function titleLines(title: string, width: PageWidth): string[] {
  return [heavyRule(width), title, heavyRule(width)];
}

/** Heading, rule and rows of a table, or `whenEmpty` in place of the rows. */
export function tableSection(table: TableLines, width: PageWidth, whenEmpty: string): string[] {
  return [table.heading, lightRule(width), ...(table.rows.length === 0 ? [whenEmpty] : table.rows)];
}

/** The lines as one text, which ends with a line end. */
export function pageText(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
