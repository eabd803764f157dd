import type { SourceKind } from '@convotel/query';
import { THRESHOLD } from '@convotel/conventions';
import { findStorePath, findWhere } from '../sources/open-source.ts';
import type { Setting } from '../sources/open-source.ts';
import { displayWidth, pad, wrapText } from '../text/table.ts';
import type { Screen } from '../text/table.ts';
import { resolveTimeZone } from '../command-line/shared-options.ts';
import { findSettingsFile, readSettings } from '../settings/read-settings.ts';
import type { Settings } from '../settings/settings.ts';
import type { Terminal } from '../terminal.ts';
import { withoutCredentials } from '../text/escape.ts';

/** The result of one check of `doctor`. */
export interface Check {
  /** What was checked; stable, for programs. */
  check: 'node' | 'settings' | 'time-zone' | 'environment' | 'endpoint' | 'source' | 'store' | 'spans' | 'journal';
  /** `problem`: something does not work. `warning`: it works, but perhaps not as intended. */
  severity: 'good' | 'info' | 'warning' | 'problem';
  /** What was found. */
  text: string;
  /** What to do about it, if anything. */
  advice?: string | undefined;
  /** The values that the text is based on. */
  evidence: Readonly<Record<string, unknown>>;
}

/** The output of `convotel doctor --json`. Public: fields are only ever added. */
export interface DoctorReport {
  command: 'doctor';
  /** When doctor ran. */
  time: string;
  /** The version of convotel. */
  version: string;
  /** Whether no check found a problem. */
  ok: boolean;
  /** Where commands read from; absent if it cannot be opened. */
  source?: { kind: SourceKind; location: string } | undefined;
  /** All settings in effect, and where each comes from. */
  settings: NamedSetting[];
  checks: Check[];
}

export interface NamedSetting extends Setting {
  name: string;
}

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

/** One line per check, with its advice on the next line, then the settings, then a summary. */
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

/** Options as given on the command line. */
export interface WrittenOptions {
  from: string | undefined;
  store: string | undefined;
  config: string | undefined;
  tz: string | undefined;
}

/**
 * Checks whether the Node.js `version` is in `range`, such as `^20.19 || >=24`.
 * @param version - such as `20.19.2`
 */
export function checkNode(version: string, range: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isSupported = range.split('||').some((part) => {
    const [, operator, from, least = '0'] = /^\s*(\^|>=)(\d+)(?:\.(\d+))?/.exec(part) ?? [];
    if (operator === undefined) return false;
    const isMajor = operator === '^' ? major === Number(from) : major >= Number(from);
    return isMajor && (major > Number(from) || minor >= Number(least));
  });
  const evidence = { version, supported: range };
  if (isSupported) return check('node', 'good', `Node.js ${version} is supported.`, { evidence });
  return check('node', 'problem', `Node.js ${version} is not supported: convotel needs ${range}.`, {
    advice: 'Install a newer Node.js from https://nodejs.org, and start convotel with it.',
    evidence,
  });
}

/** Checks `convotel.json`; if it cannot be read, the other checks run without it. */
export async function checkSettings(
  { config }: WrittenOptions,
  terminal: Terminal,
): Promise<{ settings: Settings; checks: Check[] }> {
  const file = findSettingsFile(config, terminal);
  if (file === undefined) {
    const text = 'There is no convotel.json in the working folder or above it, so the defaults apply.';
    return { settings: {}, checks: [check('settings', 'good', text)] };
  }
  const evidence = { ...file };
  try {
    const settings = await readSettings(config, terminal);
    const keys = Object.keys(settings).filter((key) => key !== '$schema');
    const what = keys.length === 0 ? 'sets nothing' : `sets ${keys.join(', ')}`;
    const text = `${file.path}, found by ${file.namedBy}, is valid and ${what}.`;
    return { settings, checks: [check('settings', 'good', text, { evidence: { ...evidence, keys } })] };
  } catch (error) {
    const text = (error as Error).message;
    const advice = `Correct ${file.path}: every other command refuses to run with it.`;
    return { settings: {}, checks: [check('settings', 'problem', text, { advice, evidence })] };
  }
}

/** Checks the time zone in which times are read and shown. */
export function checkTimeZone(
  { tz }: WrittenOptions,
  settings: Settings,
  terminal: Terminal,
): { timeZone: NamedSetting; checks: Check[] } {
  const notes: string[] = [];
  const variable = terminal.environment['TZ'];
  const saidBy =
    tz !== undefined ? '--tz' : variable ? 'TZ' : settings.tz !== undefined ? 'convotel.json' : 'the system';
  const value = resolveTimeZone(tz, settings, { ...terminal, writeError: (note) => void notes.push(note) });
  const checks = notes.map((note) =>
    check('time-zone', 'warning', note.replace(/^Note: /, '').trim(), {
      advice: 'Set TZ to an IANA time zone such as Europe/Berlin, or name one with --tz.',
      evidence: { TZ: variable },
    }),
  );
  return { timeZone: { name: 'tz', value, saidBy }, checks };
}

/** Variables whose values are not shown. */
const SECRET = /HEADERS|PASSWORD|TOKEN|SECRET|_KEY/;
/** Variables read by convotel, or by the programs that it traces. */
const RELEVANT = /^(?:OTEL|CONVOTEL)_/;

/** All settings in effect and where each comes from: those of commands, then the variables that programs read. */
export function effectiveSettings(
  written: WrittenOptions,
  settings: Settings,
  timeZone: NamedSetting,
  { environment }: Terminal,
): NamedSetting[] {
  const where = findWhere({ ...written, setting: settings.from }, environment);
  const ofFile = (name: string, value: string | undefined, byDefault: string): NamedSetting => ({
    name,
    value: value ?? byDefault,
    saidBy: value === undefined ? 'default' : 'convotel.json',
  });
  const variables = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined || value === '' || !RELEVANT.test(name) ? [] : [{ name, value, saidBy: 'environment' }],
  );
  return [
    { name: 'from', ...where },
    ...(where.value === 'local' ? [{ name: 'store', ...findStorePath(written.store, environment) }] : []),
    ofFile('service', settings.service, 'all'),
    timeZone,
    ofFile('conversation.target', settings.conversation?.target, `${THRESHOLD.targetMs / 1000}s`),
    ...variables.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  ].map((each) => ({
    ...each,
    value: SECRET.test(each.name) ? '(not shown)' : withoutCredentials(each.value).replace(/\?.*$/s, '?…'),
  }));
}
