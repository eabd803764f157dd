import { expect, test } from '@jest/globals';
import { RecentConversationIds } from '../../src/ids/conversation-tracer-provider.ts';

test('remembers the newest ids and forgets the oldest', () => {
  const recent = new RecentConversationIds(3);
  expect(['a', 'b', 'c', 'a', 'd', 'a', 'b'].map((id) => recent.add(id))).toEqual([
    true,
    true,
    true,
    false,
    true,
    true,
    true,
  ]);
});
