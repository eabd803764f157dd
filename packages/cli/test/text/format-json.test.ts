import { expect, test } from '@jest/globals';
import { formatJson } from '../../src/text/escape.ts';

test('is the same document to a JSON parser', () => {
  const value = { text: 'a\u001b[31mb\u0085c\u202ed\ud800', list: [1.5, null, 'ü'] };
  expect(JSON.parse(formatJson(value))).toEqual(value);
});

test('holds no character that can act on a terminal', () => {
  let every = '';
  for (let code = 0; code < 0x3000; code += 1) every += String.fromCharCode(code);
  const text = formatJson({ every });
  expect(text.replaceAll('\n', '')).not.toMatch(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/,
  );
  expect(text).toContain('ü');
});

test('ends with a line break and can stand on one line', () => {
  expect(formatJson({ a: [1] }, 0)).toBe('{"a":[1]}\n');
});
