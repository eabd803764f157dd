import { expect, test } from '@jest/globals';
import { compareText } from '@convotel/query/engine';

test('orders texts as their UTF-8 bytes', () => {
  const texts = [
    '',
    'Z',
    'a',
    'a\u0000',
    'ab',
    'ä',
    '\ud7ff',
    '\ue000',
    '\uffee',
    '\u{10000}',
    '\u{10ffff}',
    'z',
    '\u{10000}a',
  ];
  const byBytes = [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect([...texts].sort(compareText)).toEqual(byBytes);
  expect(compareText('same', 'same')).toBe(0);
});
