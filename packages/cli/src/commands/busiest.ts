import { answerCommand, windowedOptions } from '../command-line/answer-command.ts';

/** `busiest`: at which hours of the day most conversations begin. */
export const busiestCommand = answerCommand({
  name: 'busiest',
  summary: 'busiest hours of the day',
  examples: [['convotel busiest --since 30d', 'a month']],
  defaultSince: '168h',
  hasFilters: true,
  understand: windowedOptions,
  ask: async (source, options) => (await import('@convotel/query')).busiest(source, options),
  text: async (report, context) => (await import('../text/busiest.ts')).busiestText(report, context),
});
