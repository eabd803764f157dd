import { expect, test } from '@jest/globals';
import { MemorySource, parseInstant } from '@convotel/query';
import { crowdedSpans, describeConversationSource, differencesBetween } from '@convotel/suite';
import { NaiveSource } from '@convotel/suite';

describeConversationSource('MemorySource', async (spans) => new MemorySource(spans), {
  openReference: async (spans) => new NaiveSource(spans),
  rounds: 4,
});

test.each(['step-statistics', 'step-durations'] as const)(
  'folds step names in %s as the definition says',
  async (name) => {
    const window = {
      sinceUnixNano: parseInstant('2025-10-08T00:00:00Z'),
      untilUnixNano: parseInstant('2025-10-09T00:00:00Z'),
    };
    const answers = [new MemorySource(crowdedSpans()), new NaiveSource(crowdedSpans())].map((source) =>
      source.ask({ name, window }),
    );
    const [actual, expected] = await Promise.all(answers);
    expect(differencesBetween(actual, expected).slice(0, 5)).toEqual([]);
  },
  // The definition, taken literally, takes seconds.
  180_000,
);
