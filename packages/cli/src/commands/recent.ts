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
  ask: async ({ source, window, timeZone, filters, texts }) =>
    (await import('@convotel/query')).recent(source, {
      ...(window === undefined ? {} : { window }),
      timeZone,
      filters,
      ...limitOf(texts),
    }),
  text: async (envelope, context) => (await import('../text/recent.ts')).recentText(envelope, context),
});
