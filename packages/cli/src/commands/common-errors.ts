import { answerCommand, windowedOptions } from '../command-line/answer-command.ts';
import { LIMIT_OPTION, limitOf } from '../command-line/limit-option.ts';

/** `common-errors`: what fails most often, and where to look. */
export const commonErrorsCommand = answerCommand({
  name: 'common-errors',
  summary: 'most frequent errors, by step, type and message',
  examples: [['convotel common-errors --since 7d', 'the last week']],
  defaultSince: '24h',
  options: [LIMIT_OPTION],
  hasFilters: true,
  understand: (request) => ({ ...windowedOptions(request), ...limitOf(request.texts) }),
  ask: async (source, options) => (await import('@convotel/query')).commonErrors(source, options),
  text: async (report, context) => (await import('../text/common-errors.ts')).commonErrorsText(report, context),
});
