import { answerCommand, windowedOptions } from '../command-line/answer-command.ts';

/** `errors`: which step fails how often. */
export const errorsCommand = answerCommand({
  name: 'errors',
  summary: 'failure rate of each step',
  examples: [
    ['convotel errors --hours 24', 'the last day'],
    ['convotel errors --since 7d --workflow voice', 'one workflow, a week'],
  ],
  defaultSince: '24h',
  hasFilters: true,
  understand: windowedOptions,
  ask: async (source, options) => (await import('@convotel/query')).errors(source, options),
  text: async (report, context) => (await import('../text/errors.ts')).errorsText(report, context),
});
