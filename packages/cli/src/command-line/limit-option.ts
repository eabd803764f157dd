import type { OptionDefinition, OptionTexts } from './command-definition.ts';
import { parseWholeNumber } from './number-option.ts';

/** `--limit` of every command that lists rows. */
export const LIMIT_OPTION: OptionDefinition = {
  flags: '--limit <rows>',
  description: 'at most this many rows',
  defaultText: '10',
};

/** What `--limit` says; nothing where it was not given, so that the library's default holds. */
export function limitOf(texts: OptionTexts): { limit?: number } {
  return texts['limit'] === undefined ? {} : { limit: parseWholeNumber(texts['limit'], '--limit', 1, 10_000) };
}
