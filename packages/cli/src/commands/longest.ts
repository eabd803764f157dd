import { answerCommand, windowedOptions } from '../command-line/answer-command.ts';
import { LIMIT_OPTION, limitOf } from '../command-line/limit-option.ts';

/** `longest`: the longest conversations on the wall clock. */
export const longestCommand = answerCommand({
  name: 'longest',
  summary: 'conversations that took longest from start to end',
  examples: [['convotel longest --limit 5', 'the five longest of the last day']],
  defaultSince: '24h',
  options: [LIMIT_OPTION],
  hasFilters: true,
  context: limitOf,
  understand: (request) => ({ ...windowedOptions(request), ...limitOf(request.texts) }),
  ask: async (source, options) => (await import('@convotel/query')).longest(source, options),
  text: async (report, context) => (await import('../text/longest.ts')).longestText(report, context),
});
