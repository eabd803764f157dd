import { MemorySource } from '@convotel/query';
import { describeConversationSource } from './describe-conversation-source.ts';
import { NaiveSource } from './naive-source.ts';

describeConversationSource('MemorySource', async (spans) => new MemorySource(spans), {
  openReference: async (spans) => new NaiveSource(spans),
  rounds: 4,
});
