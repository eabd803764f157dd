import type { ValueParser } from './value-parsers.ts';
import { UsageError } from '../usage-error.ts';

const NANO_BY_UNIT: Readonly<Record<string, bigint>> = {
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};
const PARTS = /^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/;

/** Whether `text` is written as a duration, such as `90s`, `24h`, `7d`, `1.5h`, `1h30m`. */
export function isDuration(text: string): boolean {
  return PARTS.test(text);
}

/**
 * Nanoseconds of a duration such as `90s`, `24h`, `7d`, `1h30m`, `500ms`.
 * @throws {@link UsageError} naming `flag` when `text` is not a duration, or is one of zero length.
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

/** A duration as it was written, and its length. */
export interface Duration {
  text: string;
  nano: bigint;
  milliseconds: number;
}

/** Takes a duration such as `90s`, `24h`, `7d` or `1h30m`. */
export function duration(text: string, flag: string): Duration {
  const nano = parseDurationNano(text, flag);
  return { text, nano, milliseconds: Number(nano / 1_000_000n) };
}

/** Takes a duration such as `8s` or `500ms`, in milliseconds; a bare number is milliseconds already. */
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

/** How a heading speaks of a duration: `24h` → `24 hours`, `1h30m` → `1h30m`. */
export function durationInWords(text: string): string {
  const single = /^(\d+)([dhms])$/.exec(text);
  if (single === null) return text;
  const word = UNIT_WORDS.find(([unit]) => unit === single[2])?.[1] as string;
  const count = Number(single[1]);
  return `${count} ${count === 1 ? word.slice(0, -1) : word}`;
}
