import { THRESHOLD } from '@convotel/conventions';
import { answerCommand, windowedOptions } from '../command-line/answer-command.ts';
import type { OptionTexts } from '../command-line/command-definition.ts';
import { LIMIT_OPTION, limitOf } from '../command-line/limit-option.ts';
import { parseMilliseconds } from '../command-line/number-option.ts';
import { TARGET_OPTION, targetOf } from '../command-line/target-option.ts';

const DEFAULT_THRESHOLD_MS = THRESHOLD.slowMs;

/** `slow`: the conversations that made users wait longest. */
export const slowCommand = answerCommand({
  name: 'slow',
  summary: 'slowest conversations, by the time in completed steps',
  examples: [['convotel slow --threshold 8000 --limit 5', 'the five slowest above eight seconds']],
  defaultSince: '24h',
  options: [
    {
      flags: '--threshold <ms>',
      description: 'only conversations above it',
      defaultText: String(DEFAULT_THRESHOLD_MS),
    },
    LIMIT_OPTION,
    TARGET_OPTION,
  ],
  hasFilters: true,
  context: (texts) => ({ thresholdMs: thresholdOf(texts) }),
  understand: (request) => ({
    ...windowedOptions(request),
    thresholdMs: thresholdOf(request.texts),
    ...limitOf(request.texts),
    ...targetOf(request.texts),
  }),
  ask: async (source, options) => (await import('@convotel/query')).slow(source, options),
  text: async (report, context) => (await import('../text/slow.ts')).slowText(report, context),
});

function thresholdOf({ threshold }: OptionTexts): number {
  return threshold === undefined ? DEFAULT_THRESHOLD_MS : parseMilliseconds(threshold, '--threshold');
}
