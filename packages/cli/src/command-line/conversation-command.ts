import type { ConversationDetail, ConversationOptions, ConversationSource, Report } from '@convotel/query';
import type { TextContext } from '../text/page.ts';
import { answerCommand } from './answer-command.ts';
import type { Query } from './answer-command.ts';
import type { Command, Example } from './command.ts';
import { TARGET_OPTION } from './shared-options.ts';

/** A command about one conversation. */
export interface ConversationDefinition<Name extends string> {
  examples: readonly Example[];
  ask(query: Query, source: ConversationSource, asked: ConversationOptions): Promise<Report<Name, ConversationDetail>>;
  text(report: Report<Name, ConversationDetail>, context: TextContext): string;
}

/** Makes a command out of what it asks about one conversation, and how it prints. */
export function conversationCommand<Name extends string>(definition: ConversationDefinition<Name>): Command {
  return answerCommand({
    ...definition,
    argument: { name: 'id', description: 'conversation id as `convotel recent` lists it, or a trace id' },
    options: TARGET_OPTION,
    prepare: ({ argument, timeZone, options }) => ({
      conversationId: argument,
      timeZone,
      targetMs: options.target,
    }),
  });
}
