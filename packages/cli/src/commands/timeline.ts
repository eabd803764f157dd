import { answerCommand } from '../command-line/answer-command.ts';
import { CONVERSATION_ARGUMENT } from '../command-line/conversation-argument.ts';
import { TARGET_OPTION, targetOf } from '../command-line/target-option.ts';

/** `timeline`: when each step of one conversation ran. */
export const timelineCommand = answerCommand({
  name: 'timeline',
  summary: 'one conversation: its steps on one axis',
  examples: [['convotel timeline 20251008_143022_a1b2c3d4', 'the steps on one axis']],
  argument: CONVERSATION_ARGUMENT,
  options: [TARGET_OPTION],
  hasFilters: false,
  understand: ({ argument, timeZone, texts }) => ({ conversationId: argument, timeZone, ...targetOf(texts) }),
  ask: async (source, options) => (await import('@convotel/query')).timeline(source, options),
  text: async (report, context) => (await import('../text/timeline.ts')).timelineText(report, context),
});
