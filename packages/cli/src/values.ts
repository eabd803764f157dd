import type { ComparisonRow } from '@convotel/query';
import { UsageError } from './terminal.ts';

/** Parses one value from the command line. Throws `UsageError` with `flag` in its message. */
export type ValueParser<Value> = (text: string, flag: string) => Value;

/** Accepts any text. */
export const text: ValueParser<string> = (value) => value;

/** Parses an integer from `min` to `max`. */
export function wholeNumber(min: number, max: number): ValueParser<number> {
  return (value, flag) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= min && number <= max)) {
      throw new UsageError(`${flag} takes a whole number from ${min} to ${max}, got "${value}".`);
    }
    return number;
  };
}

/** Parses a number from `min` to `max`. */
export function numberBetween(min: number, max: number): ValueParser<number> {
  return (value, flag) => {
    const number = /^\d{1,12}(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= min && number <= max)) {
      throw new UsageError(`${flag} takes a number from ${min} to ${max}, got "${value}".`);
    }
    return number;
  };
}

/** Parses a percentage from 0 to 100. */
export const percentage: ValueParser<number> = (value, flag) => {
  const number = /^\d{1,3}(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= 0 && number <= 100)) {
    throw new UsageError(`${flag} takes a percentage from 0 to 100, got "${value}".`);
  }
  return number;
};

const BYTES_BY_UNIT: Readonly<Record<string, number>> = {
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

/** Parses a size such as `500MiB` or `2GiB` to bytes. */
export const byteSize: ValueParser<number> = (value, flag) => {
  const match = /^(\d{1,9})(kib|mib|gib|tib)$/i.exec(value);
  if (match === null || Number(match[1]) === 0) {
    throw new UsageError(`${flag} takes a size such as 500MiB or 2GiB, got "${value}".`);
  }
  return Number(match[1]) * (BYTES_BY_UNIT[(match[2] as string).toLowerCase()] as number);
};

const NANO_BY_UNIT: Readonly<Record<string, bigint>> = {
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};
const PARTS = /^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/;

/** Whether `text` is a duration, such as `90s`, `24h`, `7d`, `1.5h`, `1h30m`. */
export function isDuration(text: string): boolean {
  return PARTS.test(text);
}

/**
 * Parses a duration such as `90s`, `24h`, `7d`, `1h30m`, `500ms` to nanoseconds.
 * @throws {@link UsageError} with `flag` in its message, if `text` is not a duration or is zero.
 */
export function parseDurationNano(text: string, flag: string): bigint {
  if (!isDuration(text)) {
    const hint = /^\d+(\.\d+)?$/.test(text) ? ` Did you mean ${text}s or ${text}h?` : '';
    throw new UsageError(`${flag} takes a duration such as 90s, 24h, 7d or 1h30m, got "${text}".${hint}`);
  }
  let nano = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(/(\d+)(\.\d+)?(ms|[smhdw])/g)) {
    const unitNano = NANO_BY_UNIT[unit] as bigint;
    nano += BigInt(whole) * unitNano + BigInt(Math.round(Number(`0${fraction}`) * Number(unitNano)));
  }
  if (nano === 0n) throw new UsageError(`${flag} must be longer than zero, got "${text}".`);
  return nano;
}

/** A duration, as text and parsed. */
export interface Duration {
  text: string;
  nano: bigint;
  milliseconds: number;
}

/** Parses a duration such as `90s`, `24h`, `7d` or `1h30m`. */
export function duration(text: string, flag: string): Duration {
  const nano = parseDurationNano(text, flag);
  return { text, nano, milliseconds: Number(nano / 1_000_000n) };
}

/** Parses a duration such as `8s` or `500ms` to milliseconds. A number without a unit is in milliseconds. */
export const durationMs: ValueParser<number> = (text, flag) => {
  if (/^\d{1,12}(\.\d+)?$/.test(text)) return Number(text);
  if (/^0+(ms|[smhdw])$/.test(text)) return 0;
  if (!isDuration(text)) {
    throw new UsageError(
      `${flag} takes a time such as 8s, 1m30s or 500ms, or milliseconds such as 8000, got "${text}".`,
    );
  }
  return Number(parseDurationNano(text, flag)) / 1_000_000;
};

const UNIT_WORDS: readonly (readonly [unit: string, word: string])[] = [
  ['d', 'days'],
  ['h', 'hours'],
  ['m', 'minutes'],
  ['s', 'seconds'],
];

/** A duration in a heading: `24h` → `24 hours`, `1h30m` → `1h30m`. */
export function durationInWords(text: string): string {
  const single = /^(\d+)([dhms])$/.exec(text);
  if (single === null) return text;
  const word = UNIT_WORDS.find(([unit]) => unit === single[2])?.[1] as string;
  const count = Number(single[1]);
  return `${count} ${count === 1 ? word.slice(0, -1) : word}`;
}

/** A condition on the rows of a comparison, such as `slower` or `gpt.p95>+10%`. */
export interface FailCondition {
  /** As it was written. */
  text: string;
  /**
   * Whether a row meets the condition.
   * @throws {@link UsageError} if no row has the name in the condition, or none has the figure that it compares.
   */
  isMet(rows: readonly ComparisonRow[]): boolean;
}

type Figure = 'average' | 'p50' | 'p95' | 'error-rate';
type Unit = '%' | 'ms' | 'points';

interface Parts {
  step: string;
  figure: Figure;
  comparison: '>' | '<';
  limit: number;
  unit: Unit;
}

const FORM =
  'slower, faster, or a condition such as gpt.p95>+10%, "response latency.average>+200ms" or conversation.error-rate>+2points';

const FIGURES: Readonly<Record<Figure, (side: ComparisonRow['before']) => number | undefined>> = {
  average: ({ averageMs }) => averageMs,
  p50: ({ p50Ms }) => p50Ms,
  p95: ({ p95Ms }) => p95Ms,
  'error-rate': ({ finalErrorRatePct, errorRatePct }) => finalErrorRatePct ?? errorRatePct,
};

/**
 * Parses `slower`, `faster`, or `<row>.<figure><change>`: the name of a row, `average`, `p50`, `p95` or `error-rate`,
 * `>` or `<`, and a signed change, in per cent or a duration; for an error rate, in percentage points.
 */
export function failCondition(text: string, flag: string): FailCondition {
  if (text === 'slower' || text === 'faster') {
    return { text, isMet: (rows) => rows.some(({ verdict }) => verdict === text) };
  }
  const parts = parseCondition(text, flag);
  return { text, isMet: (rows) => isMet(parts, text, flag, rows) };
}

function parseCondition(text: string, flag: string): Parts {
  const refuse = (reason: string): UsageError => new UsageError(`${flag} takes ${FORM}, got "${text}": ${reason}.`);
  const match = /^(.+)\.([^.<>]+?)\s*([<>])\s*(\S+)$/.exec(text.trim());
  if (match === null) throw refuse('it has no row, figure and change, as in <row>.<figure>><change>');
  const [, step = '', figure = '', comparison = '', change = ''] = match;
  if (!isFigure(figure)) throw refuse(`"${figure}" is not one of ${Object.keys(FIGURES).join(', ')}`);
  const sign = change.startsWith('-') ? -1 : 1;
  if (!/^[+-]/.test(change)) throw refuse(`the change "${change}" has no sign; write +${change} or -${change}`);
  const amount = change.slice(1);
  const [, number, unit] = /^(\d+(?:\.\d+)?)(%|points?)$/.exec(amount) ?? [];
  const shared = { step, figure, comparison: comparison as '>' | '<' };
  if (figure === 'error-rate') {
    if (unit?.startsWith('point')) return { ...shared, limit: sign * Number(number), unit: 'points' };
    throw refuse('an error rate changes by percentage points, such as +2points');
  }
  if (unit === '%') return { ...shared, limit: sign * Number(number), unit: '%' };
  if (/^0+(?:\.0+)?(?:ms|s)$/.test(amount)) return { ...shared, limit: 0, unit: 'ms' };
  if (!isDuration(amount)) throw refuse(`"${change}" is neither per cent, such as +10%, nor a time, such as +200ms`);
  return { ...shared, limit: (sign * Number(parseDurationNano(amount, flag))) / 1e6, unit: 'ms' };
}

function isFigure(text: string): text is Figure {
  return Object.hasOwn(FIGURES, text);
}

function isMet(
  { step, figure, comparison, limit, unit }: Parts,
  text: string,
  flag: string,
  rows: readonly ComparisonRow[],
): boolean {
  const named = rows.filter((row) => row.step === step);
  if (named.length === 0) {
    const names = [...new Set(rows.map((row) => row.step))].join(', ');
    throw new UsageError(`${flag} ${text} cannot be evaluated: there is no row "${step}"; there are ${names}.`);
  }
  const changes = named.flatMap(({ before, after }) => {
    const [one, other] = [FIGURES[figure](before), FIGURES[figure](after)];
    if (one === undefined || other === undefined || (unit === '%' && one === 0)) return [];
    return unit === '%' ? ((other - one) / one) * 100 : other - one;
  });
  if (changes.length === 0) {
    throw new UsageError(
      `${flag} ${text} cannot be evaluated: the row "${step}" has no ${figure} on both sides; choose longer windows.`,
    );
  }
  return changes.some((change) => (comparison === '>' ? change > limit : change < limit));
}
