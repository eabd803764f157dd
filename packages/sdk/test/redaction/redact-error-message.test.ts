import { expect, test } from '@jest/globals';
import { redactErrorMessage } from '@convotel/sdk';

test.each([
  ['no user bob.smith+x@mail.example.co.uk here', 'no user [email] here'],
  ['Authorization: Bearer abc.def-123_456', 'Authorization: Bearer [secret]'],
  ['Incorrect API key provided: sk-proj-abcdEFGH12345678', 'Incorrect API key provided: [secret]'],
  ['Incorrect API key provided: sk-****************wxyz.', 'Incorrect API key provided: [secret].'],
  ['api_key=abcd1234&model=x', 'api_key=[secret]&model=x'],
  ['{"password": "hunter22"}', '{"password": "[secret]"}'],
  ['cannot reach https://user:pa55word@host/path', 'cannot reach https://[secret]@host/path'],
  ['token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig expired', 'token [secret] expired'],
  ['key ghp_0123456789abcdefABCDEF', 'key [secret]'],
  ['id 0123456789abcdef0123456789abcdef', 'id [secret]'],
  ['call +49 170 1234567 failed', 'call [number] failed'],
  ['card 4111-1111-1111-1111 refused', 'card [number] refused'],
  [
    'order 550e8400-e29b-41d4-a716-446655440000: +49 170 1234567',
    'order 550e8400-e29b-41d4-a716-446655440000: [number]',
  ],
])('%s', (message, redacted) => {
  expect(redactErrorMessage(message)).toBe(redacted);
});

test.each([
  'API rate limit exceeded',
  'connect ECONNREFUSED 127.0.0.1:4318',
  'Request took 12345 ms, limit is 10000',
  'HTTP 429: too many tokens, 128000 allowed',
  'request 550e8400-e29b-41d4-a716-446655440000 failed',
  'no session 123E4567-E89B-12D3-A456-F26614174000, 3 tried',
])('leaves alone: %s', (message) => {
  expect(redactErrorMessage(message)).toBe(message);
});
