import { answerCommand, windowedOptions } from '../command-line/answer-command.ts';

/** `averages`: how long each step takes. */
export const averagesCommand = answerCommand({
  name: 'averages',
  summary: 'average, shortest and longest duration of each step',
  examples: [
    ['convotel averages --hours 24', 'the last day'],
    ['convotel averages --since 2025-10-08 --until 2025-10-09', 'one day of the calendar'],
  ],
  defaultSince: '24h',
  hasFilters: true,
  understand: windowedOptions,
  ask: async (source, options) => (await import('@convotel/query')).averages(source, options),
  text: async (report, context) => (await import('../text/averages.ts')).averagesText(report, context),
});
