import { expect, test } from '@jest/globals';
import { printable } from '../../src/text/escape.ts';

test.each([
  ['an escape sequence', '\u001b[31mred\u001b[2J', '\\u001b[31mred\\u001b[2J'],
  ['line ends and tabs', 'a\r\nb\tc', 'a\\r\\nb\\tc'],
  ['the null character', 'a\u0000b', 'a\\u0000b'],
  ['delete and C1 controls', '\u007f\u009b2J', '\\u007f\\u009b2J'],
  ['line and paragraph separators', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
  ['bidirectional controls', '\u202eabc\u2066\u200f\u061c', '\\u202eabc\\u2066\\u200f\\u061c'],
  ['a lone surrogate', 'a\ud83db', 'a\\ud83db'],
  ['tag characters', 'a\u{e0041}', 'a\\u{e0041}'],
  ['a byte order mark', '\ufeffa', '\\ufeffa'],
])('shows %s as an escape', (_, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test.each(['plain', 'Grüße, 世界, مرحبا', '🦜 👩‍🚒', 'a\\nb', '"quotes" & <tags>', '← 52% • ✓ █'])(
  'leaves %s as it is',
  (text) => {
    expect(printable(text)).toBe(text);
  },
);

test('reaches every string, keys included, and leaves everything else', () => {
  const value = { 'a\nb': ['\u001b', 1, null, true, { deep: '\u0007', none: undefined }], count: 2 };
  expect(printable(value)).toEqual({
    'a\\nb': ['\\u001b', 1, null, true, { deep: '\\u0007', none: undefined }],
    count: 2,
  });
});

test('leaves a key that names a prototype an own key', () => {
  const value: unknown = JSON.parse('{"__proto__": "\\u001b"}');
  expect(Object.entries(printable(value) as object)).toEqual([['__proto__', '\\u001b']]);
});
