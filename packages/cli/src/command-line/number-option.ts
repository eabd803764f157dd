import { UsageError } from './usage-error.ts';

/** @throws {@link UsageError} naming `option` unless `text` is a whole number from `least` to `most`. */
export function parseWholeNumber(text: string, option: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new UsageError(`${option} takes a whole number from ${least} to ${most}, got "${text}".`);
  }
  return value;
}

/** @throws {@link UsageError} naming `option` unless `text` is a number of milliseconds of 0 or more. */
export function parseMilliseconds(text: string, option: string): number {
  const value = /^\d{1,12}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw new UsageError(`${option} takes milliseconds such as 5000, got "${text}".`);
  return value;
}

/** @throws {@link UsageError} naming `option` unless `text` is a percentage from 0 to 100. */
export function parsePercentage(text: string, option: string): number {
  const value = /^\d{1,3}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value <= 100)) throw new UsageError(`${option} takes a percentage from 0 to 100, got "${text}".`);
  return value;
}
