import type { SourceKind } from '@convotel/query';
import type { Setting } from '../sources/open-source.ts';
import { displayWidth, pad, wrapText } from '../text/width.ts';
import type { Screen } from '../text/width.ts';

/** One thing that `doctor` has looked at. */
export interface Check {
  /** What was looked at: a word that stays the same, for programs. */
  check: 'node' | 'settings' | 'time-zone' | 'environment' | 'endpoint' | 'source' | 'store' | 'spans' | 'journal';
  /** `problem`: something does not work. `warning`: it works, and may not do what is meant. */
  severity: 'good' | 'info' | 'warning' | 'problem';
  /** What is so. */
  text: string;
  /** What to do about it; absent where there is nothing to do. */
  advice?: string | undefined;
  /** The numbers behind the sentence. */
  evidence: Readonly<Record<string, unknown>>;
}

/** What `convotel doctor --json` prints: a contract with users, which only grows. */
export interface DoctorReport {
  command: 'doctor';
  /** When it looked. */
  time: string;
  /** Of convotel. */
  version: string;
  /** Whether there is no problem. */
  ok: boolean;
  /** Where commands read; absent where that cannot be opened. */
  source?: { kind: SourceKind; location: string } | undefined;
  /** Every setting that holds, and what says so. */
  settings: NamedSetting[];
  checks: Check[];
}

/** A setting by its name. */
export interface NamedSetting extends Setting {
  name: string;
}

/** Makes a {@link Check} of a severity. */
export function check(
  name: Check['check'],
  severity: Check['severity'],
  text: string,
  more: { advice?: string; evidence?: Check['evidence'] } = {},
): Check {
  return {
    check: name,
    severity,
    text,
    ...(more.advice !== undefined && { advice: more.advice }),
    evidence: more.evidence ?? {},
  };
}

/** `3 spans`, `1 span`. */
export function countOf(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

const MARKS = { good: '✓', info: '•', warning: '!', problem: '✗' } as const;

/** A line a check, what to do below it, then the settings, then what it comes to. */
export function doctorLines({ checks, settings }: DoctorReport, { columns }: Screen): string[] {
  const nameWidth = Math.max(...settings.map(({ name }) => displayWidth(name)));
  const valueWidth = Math.min(60, Math.max(...settings.map(({ value }) => displayWidth(value))));
  const count = (severity: Check['severity']): number => checks.filter((each) => each.severity === severity).length;
  return [
    ...checks.flatMap(({ severity, text, advice }) => [
      ...wrapText(text, columns, `${MARKS[severity]} `),
      ...(advice === undefined ? [] : wrapText(advice, columns, '  → ')),
    ]),
    '',
    'Settings:',
    ...settings.map(
      ({ name, value, saidBy }) => `  ${pad(name, nameWidth, 'left')}  ${pad(value, valueWidth, 'left')}  ${saidBy}`,
    ),
    '',
    count('problem') + count('warning') === 0
      ? 'Nothing is wrong.'
      : `${countOf(count('problem'), 'problem')}, ${countOf(count('warning'), 'warning')}.`,
  ];
}
