import type { OptionDefinition, OptionTexts } from './command-definition.ts';
import { parseMilliseconds } from './number-option.ts';

/** `--target` of every command whose findings speak of a target. */
export const TARGET_OPTION: OptionDefinition = {
  flags: '--target <ms>',
  description: 'total under which a conversation is fast enough',
  defaultText: '7000',
};

/** What `--target` says; nothing where it was not given, so that the library's default holds. */
export function targetOf(texts: OptionTexts): { targetMs?: number } {
  return texts['target'] === undefined ? {} : { targetMs: parseMilliseconds(texts['target'], '--target') };
}
