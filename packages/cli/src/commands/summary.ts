import { answerCommand } from '../command-line/answer-command.ts';
import { CONVERSATION_ARGUMENT } from '../command-line/conversation-argument.ts';
import { TARGET_OPTION, targetOf } from '../command-line/target-option.ts';

/** `summary`: where the time of one conversation went. */
export const summaryCommand = answerCommand({
  name: 'summary',
  summary: 'one conversation: its steps, and where the time went',
  examples: [['convotel summary 20251008_143022_a1b2c3d4', 'the steps of one conversation']],
  argument: CONVERSATION_ARGUMENT,
  options: [TARGET_OPTION],
  hasFilters: false,
  understand: ({ argument, timeZone, texts }) => ({ conversationId: argument, timeZone, ...targetOf(texts) }),
  ask: async (source, options) => (await import('@convotel/query')).summary(source, options),
  text: async (report, context) => (await import('../text/summary.ts')).summaryText(report, context),
});
