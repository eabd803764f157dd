import { expect, test } from '@jest/globals';
import { ERROR_CAUSES, findErrorCause } from '../../src/answers/common-errors.ts';

test.each([
  [{ message: 'API rate limit exceeded' }, 'API rate limit'],
  [{ errorType: 'RateLimitError' }, 'API rate limit'],
  [{ errorType: '429' }, 'API rate limit'],
  [{ message: 'Request failed with status code 429' }, 'API rate limit'],
  [{ message: 'You exceeded your current quota' }, 'exhausted API quota'],
  [{ errorType: 'insufficient_quota' }, 'exhausted API quota'],
  [{ errorType: 'TimeoutError' }, 'a timeout'],
  [{ errorType: 'ETIMEDOUT' }, 'a timeout'],
  [{ message: 'The operation timed out' }, 'a timeout'],
  [{ message: 'HTTP 401' }, 'rejected credentials'],
  [{ message: 'Incorrect API key provided' }, 'rejected credentials'],
  [{ errorType: 'AuthenticationError' }, 'rejected credentials'],
  [{ message: 'connect ECONNREFUSED 127.0.0.1:443' }, 'a lost connection'],
  [{ message: 'fetch failed' }, 'a lost connection'],
  [{ message: "This model's maximum context length is 8192 tokens" }, 'an input that is too long'],
  [{ errorType: '503' }, 'an unavailable service'],
  [{ message: 'Overloaded' }, 'an unavailable service'],
  [{ errorType: 'ENOSPC' }, 'exhausted resources'],
  [{ errorType: 'abandoned' }, 'the end of the program'],
])('%j', (error, phrase) => {
  expect(findErrorCause(error)?.phrase).toBe(phrase);
});

test.each([
  [{}],
  [{ message: 'the parrot is dead' }],
  [{ message: 'answer of 429 characters is odd' }],
  [{ errorType: '_OTHER' }],
  [{ message: 'the bird was abandoned by its owner' }],
])('gives no cause for %j', (error) => {
  expect(findErrorCause(error)).toBeUndefined();
});

test('the words of a cause remember nothing between calls', () => {
  for (const { words } of ERROR_CAUSES) expect(words.global || words.sticky).toBe(false);
});
