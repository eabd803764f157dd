import { answerCommand } from '../command-line/answer-command.ts';
import { CONVERSATION_ARGUMENT } from '../command-line/conversation-argument.ts';
import { TARGET_OPTION, targetOf } from '../command-line/target-option.ts';

/** `trace`: everything about one conversation. */
export const traceCommand = answerCommand({
  name: 'trace',
  summary: 'one conversation: every step with times, input, output and error',
  examples: [['convotel trace 20251008_143022_a1b2c3d4', 'every step in full']],
  argument: CONVERSATION_ARGUMENT,
  options: [TARGET_OPTION],
  hasFilters: false,
  understand: ({ argument, timeZone, texts }) => ({ conversationId: argument, timeZone, ...targetOf(texts) }),
  ask: async (source, options) => (await import('@convotel/query')).trace(source, options),
  text: async (report, context) => (await import('../text/trace.ts')).traceText(report, context),
});
