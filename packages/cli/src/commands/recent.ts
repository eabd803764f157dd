import { answerCommand } from '../command-line/answer-command.ts';
import { LIMIT_OPTION, limitOf } from '../command-line/limit-option.ts';

/** `recent`: the newest conversations, open ones included. */
export const recentCommand = answerCommand({
  name: 'recent',
  summary: 'newest conversations',
  examples: [
    ['convotel recent', 'the newest ten'],
    ['convotel recent --limit 5 --outcome failed', 'the newest five that failed'],
  ],
  defaultSince: 'everything',
  options: [LIMIT_OPTION],
  hasFilters: true,
  context: (texts) => ({ limit: 10, ...limitOf(texts) }),
  understand: ({ window, timeZone, filters, texts }) => ({
    ...(window === undefined ? {} : { window }),
    timeZone,
    filters,
    ...limitOf(texts),
  }),
  ask: async (source, options) => (await import('@convotel/query')).recent(source, options),
  text: async (report, context) => (await import('../text/recent.ts')).recentText(report, context),
});
