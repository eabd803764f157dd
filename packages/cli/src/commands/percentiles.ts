import { answerCommand, windowedOptions } from '../command-line/answer-command.ts';

/** `percentiles`: how the durations of one step spread. */
export const percentilesCommand = answerCommand({
  name: 'percentiles',
  summary: 'percentiles of the durations of one step',
  examples: [['convotel percentiles gpt --since 7d', 'how slow the slowest answers are']],
  argument: { name: 'step', description: 'name of the step' },
  defaultSince: '168h',
  hasFilters: true,
  understand: (request) => ({ ...windowedOptions(request), step: request.argument }),
  ask: async (source, options) => (await import('@convotel/query')).percentiles(source, options),
  text: async (report, context) => (await import('../text/percentiles.ts')).percentilesText(report, context),
});
