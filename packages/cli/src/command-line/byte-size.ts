import { UsageError } from './usage-error.ts';

const BYTES_BY_UNIT: Readonly<Record<string, number>> = {
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

/**
 * Bytes of a size such as `500MiB` or `2GiB`.
 * @throws {@link UsageError} naming `option` when `text` is none.
 */
export function parseByteSize(text: string, option: string): number {
  const match = /^(\d{1,9})(kib|mib|gib|tib)$/i.exec(text);
  if (match === null || Number(match[1]) === 0) {
    throw new UsageError(`${option} takes a size such as 500MiB or 2GiB, got "${text}".`);
  }
  return Number(match[1]) * (BYTES_BY_UNIT[(match[2] as string).toLowerCase()] as number);
}
