import { describe, expect, test } from '@jest/globals';
import { errorPatternOf } from '@convotel/query/engine';

describe('the pattern of an error message', () => {
  test.each([
    ['Rate limit reached: 3,000 of 3,000 at 12:30:01.5', 'Rate limit reached: … of … at …'],
    ['GET https://api.example.com:443/v1/a?b=1#c failed', 'GET … failed'],
    ["see <postgres://bob:pw@db/x> or 'ftp://y'", 'see <…> or …'],
    ['user ann.b+c@mail.example.org, not @example or a@b', 'user …, not @example or a@b'],
    ['id 3F2B8A1C-0000-4000-8000-1234567890ab', 'id …'],
    // A word of letters alone may be a word; one that is too short, or has other letters, is left to the numbers.
    ['deadbeef deadbee1 dead1 0123456g', 'deadbeef … dead… …g'],
    ['abcdefabcdef1 1abcdefa abcdefa1b', '… … …'],
    [`model "gpt-4o" or 'small' or \`x\` or “y”`, 'model … or … or … or …'],
    ["can't connect, it's down", "can't connect, it's down"],
    ["it''s 'all' over", "it''s … over"],
    ['"open quote', '"open quote'],
    ['tool_call_3 of gpt4', 'tool_call_… of gpt…'],
    ['socket hang up', 'socket hang up'],
    ['', ''],
    ['größe “äöü” 日本 7', 'größe … 日本 …'],
  ])('%s', (message, pattern) => {
    expect(errorPatternOf(message)).toBe(pattern);
  });

  // Each takes minutes where something is tried again from every character.
  test.each(['a', 'a.', 'a@', '“', '"', "'", '`', 'abcdef', '0', '0.', 'a:/', 'a-', '1a'])(
    'of a long message of %j takes no more than its length',
    (piece) => {
      expect(errorPatternOf(`${piece.repeat(300_000)} 5`)).toMatch(/ …$/);
    },
  );
});
