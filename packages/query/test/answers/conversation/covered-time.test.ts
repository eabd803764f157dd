import { expect, test } from '@jest/globals';
import { coveredNano } from '../../../src/answers/conversation/conversation-detail.ts';

test.each<[string, [bigint, bigint][], bigint]>([
  ['nothing', [], 0n],
  ['one interval', [[5n, 9n]], 4n],
  [
    'a gap',
    [
      [0n, 2n],
      [5n, 6n],
    ],
    3n,
  ],
  [
    'an overlap',
    [
      [0n, 4n],
      [3n, 6n],
    ],
    6n,
  ],
  [
    'one inside another, and a third after both',
    [
      [0n, 10n],
      [2n, 3n],
      [9n, 12n],
    ],
    12n,
  ],
  [
    'equal starts, the longer one first',
    [
      [0n, 3n],
      [0n, 2n],
      [5n, 6n],
    ],
    4n,
  ],
  ['one that lasts no time', [[7n, 7n]], 0n],
])('the union of %s', (_name, intervals, covered) => {
  const steps = intervals.map(([start, end]) => ({ startTimeUnixNano: start, durationNano: end - start }));
  expect(coveredNano(steps)).toBe(covered);
});
