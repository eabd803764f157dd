import { answerCommand, windowedOptions } from '../command-line/answer-command.ts';

/** `hours`: how many conversations began in each hour. */
export const hoursCommand = answerCommand({
  name: 'hours',
  summary: 'conversations in each hour',
  examples: [['convotel hours --since 7d --tz Europe/Berlin', 'a week, in the hours of Berlin']],
  defaultSince: '168h',
  hasFilters: true,
  understand: windowedOptions,
  ask: async (source, options) => (await import('@convotel/query')).hours(source, options),
  text: async (report, context) => (await import('../text/hours.ts')).hoursText(report, context),
});
