import { UsageError } from '../usage-error.ts';

/** Reads one value as a user writes it. Throws `UsageError` naming `flag`. */
export type ValueParser<Value> = (text: string, flag: string) => Value;

/** Takes any text. */
export const text: ValueParser<string> = (value) => value;

/** Takes a whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number): ValueParser<number> {
  return (value, flag) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= min && number <= max)) {
      throw new UsageError(`${flag} takes a whole number from ${min} to ${max}, got "${value}".`);
    }
    return number;
  };
}

/** Takes a number from `min` to `max`. */
export function numberBetween(min: number, max: number): ValueParser<number> {
  return (value, flag) => {
    const number = /^\d{1,12}(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= min && number <= max)) {
      throw new UsageError(`${flag} takes a number from ${min} to ${max}, got "${value}".`);
    }
    return number;
  };
}

/** Takes a percentage from 0 to 100. */
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

/** Takes a size such as `500MiB` or `2GiB`, in bytes. */
export const byteSize: ValueParser<number> = (value, flag) => {
  const match = /^(\d{1,9})(kib|mib|gib|tib)$/i.exec(value);
  if (match === null || Number(match[1]) === 0) {
    throw new UsageError(`${flag} takes a size such as 500MiB or 2GiB, got "${value}".`);
  }
  return Number(match[1]) * (BYTES_BY_UNIT[(match[2] as string).toLowerCase()] as number);
};
