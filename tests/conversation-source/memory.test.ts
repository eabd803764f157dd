import { MemorySource } from '@convotel/query';
import { describeConversationSource } from '@convotel/suite';
import { NaiveSource } from '@convotel/suite';

describeConversationSource('MemorySource', async (spans) => new MemorySource(spans), {
  openReference: async (spans) => new NaiveSource(spans),
  rounds: 4,
});
