import { answerCommand, windowedOptions } from '../command-line/answer-command.ts';

/** `success`: which step completes how often. */
export const successCommand = answerCommand({
  name: 'success',
  summary: 'success rate of each step',
  examples: [['convotel success --hours 24', 'the last day']],
  defaultSince: '24h',
  hasFilters: true,
  understand: windowedOptions,
  ask: async (source, options) => (await import('@convotel/query')).success(source, options),
  text: async (report, context) => (await import('../text/success.ts')).successText(report, context),
});
