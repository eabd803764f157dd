import { isFailure } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';
import type { TextContext } from './page.ts';

const GREEN = 32;
const RED = 31;
const YELLOW = 33;

/** `✓` for a completed step, `✗` for a failed, timed-out or abandoned one, `■` for one that was interrupted. */
export function outcomeMark(outcome: Outcome, context: TextContext): string {
  if (outcome === 'completed') return paint('✓', GREEN, context);
  return isFailure(outcome) ? paint('✗', RED, context) : paint('■', YELLOW, context);
}

/** `  ← <text>` behind a row; empty where there is nothing to point at, or findings are not shown. */
export function arrow(text: string | undefined, context: TextContext): string {
  return text === undefined || !context.showFindings ? '' : `  ${paint(`← ${text}`, YELLOW, context)}`;
}

/**
 * The highest number of conversations that any of `rows` has, where that says something: undefined for a single row,
 * and where all rows have as many.
 */
export function peakOf(rows: readonly { conversations: number }[]): number | undefined {
  const counts = rows.map((row) => row.conversations);
  const peak = Math.max(...counts);
  return counts.some((count) => count < peak) ? peak : undefined;
}

/** `text` in a colour of the terminal's own (ECMA-48, SGR 30–37), plain where colour is off. */
function paint(text: string, sgrCode: number, context: TextContext): string {
  return context.color ? `\u001b[${sgrCode}m${text}\u001b[39m` : text;
}
