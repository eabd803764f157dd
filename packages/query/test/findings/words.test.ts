import { expect, test } from '@jest/globals';
import {
  cappedNames,
  counted,
  nameList,
  percentWords,
  roughDurationWords,
  roughPercentWords,
  secondsWords,
  stepDisplayName,
} from '../../src/findings/finding.ts';

test.each([
  ['gpt', 'GPT', 'GPT', 'GPT'],
  ['gpt-5', 'gpt-5', 'gpt-5', 'gpt-5'],
  ['response', 'response', 'Response', 'RESPONSE'],
  ['fetchUser', 'fetchUser', 'fetchUser', 'fetchUser'],
  ['look_up', 'look_up', 'look_up', 'look_up'],
  ['GPT', 'GPT', 'GPT', 'GPT'],
  ['声音', '声音', '声音', '声音'],
  ['söz', 'SÖZ', 'SÖZ', 'SÖZ'],
  ['𐐨𐐩𐐪𐐫', '𐐨𐐩𐐪𐐫', '𐐀𐐩𐐪𐐫', '𐐀𐐁𐐂𐐃'],
  ['', '', '', ''],
])('%s inside a sentence, at its beginning, and as a label', (step, inside, opening, label) => {
  expect(stepDisplayName(step)).toBe(inside);
  expect(stepDisplayName(step, 'opening')).toBe(opening);
  expect(stepDisplayName(step, 'label')).toBe(label);
});

test('lists of names', () => {
  expect(nameList([], 'or')).toBe('');
  expect(nameList(['a'], 'or')).toBe('a');
  expect(nameList(['a', 'b'], 'and')).toBe('a and b');
  expect(nameList(['a', 'b', 'c'], 'or')).toBe('a, b or c');
});

test('lists of names that would be too long', () => {
  expect(cappedNames(['a', 'b', 'c'], 3)).toBe('a, b and c');
  expect(cappedNames(['a', 'b', 'c', 'd'], 3)).toBe('a, b, c and d');
  expect(cappedNames(['a', 'b', 'c', 'd', 'e'], 3)).toBe('a, b, c and 2 more');
});

test('quantities', () => {
  expect([8000, 8500, 8333.3].map(secondsWords)).toEqual(['8', '8.5', '8.333']);
  expect([3421.8, 999.5, 999.4, 10, 9.94, 0.3].map(roughDurationWords)).toEqual([
    '3.4s',
    '1.0s',
    '999ms',
    '10ms',
    '9.9ms',
    '0.3ms',
  ]);
  expect([25, 6.25, 33.333].map(percentWords)).toEqual(['25%', '6.25%', '33.33%']);
  expect([17.16, 1, 0.44].map(roughPercentWords)).toEqual(['17%', '1%', '0.4%']);
  expect([counted(1, 'call'), counted(2, 'call')]).toEqual(['1 call', '2 calls']);
});
